import json
import re

import pytest
from django import forms
from django.contrib.messages import constants as levels
from django.contrib.messages.storage.base import Message
from django.template import Context, Template
from django.test import RequestFactory

from organisations.models import AuditEvent
from tests.costing.charts import samples


def render(source, **context):
    return Template(source).render(Context(context)).strip()


def test_figures():
    page = render(
        "{{ n|money }} {{ n|money_exact }} {{ a|band:b }} {{ s|percent }} {{ n|count }} {{ n|compact }}",
        n=12400,
        a=41e3,
        b=96e3,
        s=0.34,
    )
    assert page == "$12.4k $12,400.00 $41–96k 34\u00a0% 12,400 12.4k"
    assert render("{{ n|money }} {{ t|money }}", n=None, t="1200") == "– $1.2k"


def test_a_figure_that_is_none_is_an_error_of_the_page():
    with pytest.raises(ValueError, match="'twelve' is not a number"):
        render("{{ n|money }}", n="twelve")


def test_icons_are_silent_unless_labelled():
    assert 'aria-hidden="true"' in render('{% icon "check" %}')
    assert 'role="img"' in render('{% icon "check" 16 "done" %}')
    assert 'width="24"' in render('{% icon "check" 24 %}')


def test_chips_name_the_approach_in_its_colour():
    assert render('{% chip "fine_tuning" %}') == '<span class="chip"><i style="--c:var(--tuned)"></i>Fine-tuning</span>'
    assert ">RAG on own GPUs<" in render('{% chip "rag" "RAG on own GPUs" %}')
    assert render('{% chip "" %}') == '<span class="chip">Not yet known</span>'
    assert "&lt;b&gt;" in render('{% chip "rag" label %}', label="<b>")


def test_states_have_words_and_an_icon_beside_the_colour():
    drawn = render('{% status_chip "failed" %}')
    assert "Failed" in drawn
    assert "<svg" in drawn
    assert render('{% status_chip "something_new" %}') == '<span class="chip ">Something new</span>'
    assert render('{% status_chip "" %}') == "–"


def test_sparkband_without_figures_is_a_dash():
    assert render("{% sparkband a a a 100 %}", a=None) == "–"
    assert "var(--rag)" in render('{% sparkband 1 2 3 4 "rag" %}')


@pytest.mark.parametrize("chart", samples.every(), ids=lambda c: c.key)
def test_a_chart_brings_drawing_data_and_table(chart):
    page = render("{% chart chart %}", chart=chart)
    assert page.count("<svg") == 3
    figure = json.loads(re.search(r'<script id="chart-\w+-data" type="application/json">(.*?)</script>', page, re.S)[1])
    assert {t["meta"] for t in figure["data"]} == {s.key for s in chart.series}
    header, rows = chart.table()
    assert page.count("<tr>") == 1 + len(rows)
    assert page.count('scope="col"') == len(header)


def test_words_in_a_chart_are_escaped():
    page = render("{% chart chart %}", chart=samples.options())
    assert "Managed <fine-tuning>" not in page


def test_a_chart_without_figures_says_so():
    assert "No figures yet" in render("{% chart chart %}", chart=None)


class ExampleForm(forms.Form):
    volume = forms.IntegerField(label="Requests a day", help_text="About.")
    pace = forms.ChoiceField(choices=[("d", "Daily"), ("w", "Weekly")], widget=forms.RadioSelect, required=False)
    ask = forms.BooleanField(required=False)
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_field_ties_label_help_error_and_unit():
    page = render('{% field form.volume unit="a day" %}', form=ExampleForm({"volume": "lots"}))
    assert '<label for="id_volume">' in page
    assert 'aria-describedby="id_volume_helptext id_volume_error"' in page
    assert 'id="id_volume_error"' in page
    assert 'id="id_volume_helptext"' in page
    assert 'aria-invalid="true"' in page
    assert "<span>a day</span>" in page


def test_choices_become_option_cards():
    form = ExampleForm()
    form.fields["pace"].examples = {"d": "Stock"}
    page = render("{% field form.pace %}", form=form)
    assert page.count('class="opt"') == 2
    assert "<small>Stock</small>" in page
    assert "<legend>" in page


def test_hidden_fields_stay_bare():
    assert render("{% field form.secret %}", form=ExampleForm()).startswith('<input type="hidden"')


def test_errors_are_summed_up_with_links():
    form = ExampleForm({"volume": "lots"})
    form.add_error(None, "Something else.")
    page = render("{% form_errors form %}", form=form)
    assert "2 things need correcting" in page
    assert '<a href="#id_volume">Requests a day</a>' in page
    assert "Something else." in page
    assert render("{% form_errors form %}", form=ExampleForm({"volume": "3"})) == ""


def test_navigation_marks_where_one_is():
    request = RequestFactory().get("/accounts/login/")
    source = '{% nav_link "account_login" "Sign in" %}{% nav_link "no-such-page" "Nowhere" %}'
    page = Template(source).render(Context({"request": request}))
    assert page.count("<a ") == 1
    assert 'aria-current="page"' in page


def test_messages_have_a_tone_and_an_icon():
    page = render("{% message_tone m %} {% message_icon m %}", m=Message(levels.ERROR, "No."))
    assert page.startswith("bad <svg")


def test_prices_keep_their_digits() -> None:
    assert render(
        "{{ a|precise }} {{ b|precise }} {{ c|precise }} {{ d|precise }}", a=0.075, b=12345.6, c=1.5, d=None
    ) == ("0.075 12,350 1.5 –")


def test_names_between_backticks_are_code_and_the_rest_is_escaped() -> None:
    assert render("{{ text|ticked }}", text="`a<b` & c") == "<code>a&lt;b</code> &amp; c"
    assert render("{{ text|ticked }}", text="a ` b") == "a ` b"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ada O'Neil", "Ada O&#x27;Neil"),
        (None, ""),
        ("תשובה <b>", "<bdi>תשובה &lt;b&gt;</bdi>"),
        ("\u202eEve", "<bdi>\u202eEve</bdi>"),
        ("W" * 25, f"<bdi>{'W' * 25}</bdi>"),
    ],
)
def test_what_people_wrote_turns_nothing_around_it(written, shown):
    assert render("{{ t|bdi }}", t=written) == shown


def test_a_title_ends_what_it_began():
    assert render("{{ t|isolated }} – Tunewise", t="\u202eEve <b>") == "\u2068\u202eEve &lt;b&gt;\u2069 – Tunewise"
    assert render("{{ t|isolated }}", t="Returns") == "Returns"


def test_an_event_in_a_line_is_escaped_isolated_and_cut():
    details = {"from": "<b>", "to": "ב" * 400, "use_case": "<i>"}
    event = AuditEvent(actor_name="\u202eEve", verb="renamed", target_label="<i>", details=details)
    line = render("{{ e|sentence }} {{ e|sentence:t }}", e=event, t="<i>")
    change = f"from &lt;b&gt; to <bdi>{'ב' * 319}…</bdi>"
    assert line.startswith(f"<bdi>\u202eEve</bdi> renamed “&lt;i&gt;” {change} in “&lt;i&gt;”. <bdi>")
    assert line.endswith(f"“&lt;i&gt;” {change}.")


def test_fields_of_text_run_as_people_write():
    class Form(forms.Form):
        name = forms.CharField()
        note = forms.CharField(widget=forms.Textarea)
        day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))

    page = render("{% for f in form %}{% field f %}{% endfor %}", form=Form())
    assert page.count('dir="auto"') == 2
