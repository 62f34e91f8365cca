"""The two claims about the price of a training run: every preset, a run of one's own, where each turns."""

import pytest
from django.test import Client
from django.urls import reverse

from costing.engine import catalogue, presets


def page(client: Client, **query: str) -> str:
    return client.get(reverse("training-claims"), query).content.decode()


def test_every_preset_is_listed_with_its_result(viewer_client: Client) -> None:
    html = page(viewer_client)
    assert all(one.title.replace("'", "&#x27;") in html for one in presets.presets())
    assert html.count(">holds</span>") == sum(
        presets.holds(one, presets.run_cost(one, catalogue.load())) for one in presets.presets()
    )


def test_a_preset_opens_with_its_inputs_and_tells_where_it_turns(viewer_client: Client) -> None:
    html = page(viewer_client, preset="lora-7b-managed")
    assert 'value="150000000"' in html
    assert "The claim holds" in html
    assert "from 104M to 208M trained tokens" in html  # 50 and 100 dollars at 0.48 a million


def test_changed_inputs_give_another_result(viewer_client: Client) -> None:
    run = {"claim": "lora-7b", "model": "Llama-2-7b-hf", "method": "lora", "recompute": "1", "gpu": ""}
    html = page(viewer_client, preset="lora-7b-managed", tokens="100M", usd_per_mtok="$0.48", attempts="1", **run)
    assert "The claim does not hold" in html
    assert "$48.00" in html


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"tokens": "many"}, "is not a number"),
        ({"utilisation": "120"}, "write at most 100"),
        ({"gpu": "H-900"}, "is not in the list"),
        ({"attempts": "0"}, "write at least 1"),
    ],
)
def test_what_cannot_be_priced_is_named_and_kept(viewer_client: Client, typed: dict[str, str], said: str) -> None:
    run = {
        "claim": "full-70b",
        "model": "Llama-3.1-70B",
        "method": "full",
        "recompute": "0",
        "gpu": "H100-SXM",
        "tokens": "3G",
        "utilisation": "40",
        "usd_per_gpu_hour": "6.88",
        "attempts": "1",
    }
    response = viewer_client.get(reverse("training-claims"), run | {"tokens": "3B"} | typed)
    html = response.content.decode()
    assert response.status_code == 422
    assert said in html
    assert 'value="6.88"' in html
