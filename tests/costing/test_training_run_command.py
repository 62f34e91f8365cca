import pytest
from django.core.management import call_command


def test_all_presets_under_their_claims(capsys):
    call_command("training_run")
    out = capsys.readouterr().out
    assert "Training a LoRA adapter on a 7B model costs about $50–100:" in out
    assert "1,019.1 GPU-hours, $12.5k: the claim holds" in out
    assert "104 to 208" not in out  # notes stay in the file


def test_an_input_can_be_changed(capsys):
    call_command("training_run", "full-70b-typical", "--tokens", "3e9", "--attempts", "2")
    assert "1,783.5 GPU-hours, $12.3k: the claim holds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tokens", "3"), "--tokens changes one preset; name it: lora-7b-rented"),
        (("full-70b",), "unknown preset 'full-70b'; there are"),
        (("full-70b-managed", "--gpu", "H100-SXM"), "is trained by a provider"),
        (("full-70b-today", "--usd-per-mtok", "3"), "is trained on own GPUs"),
        (("full-70b-today", "--gpu", "H100"), "did you mean"),
        (("full-70b-today", "--tokens", "-1"), "tokens is -1"),
    ],
)
def test_a_wrong_input_is_one_line_and_exit_2(capsys, arguments, message):
    with pytest.raises(SystemExit) as stop:
        call_command("training_run", *arguments)
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
