import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from costing.engine.results import ProjectionResult

EXAMPLE = Path(__file__).parents[2] / "examples" / "scenario.json"


def run(path, *arguments):
    out = StringIO()
    call_command("project", str(path), *arguments, stdout=out)
    return ProjectionResult.from_dict(json.loads(out.getvalue()))


def refusal(path, *arguments):
    err = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("project", str(path), *arguments, stderr=err)
    assert stopped.value.code == 2
    (line,) = err.getvalue().splitlines()
    return line


def written(tmp_path, content):
    path = tmp_path / "scenario.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_the_example_is_projected_without_a_database():
    result = run(EXAMPLE, "--draws", "64")
    assert (result.headline_option, result.months, result.draws) == ("rag_api", 24, 64)
    assert result.reading.startswith("RAG on a managed API costs about $")
    assert all(option.feasible for option in result.options)


def test_months_seed_and_draws_can_be_given():
    first, again = (run(EXAMPLE, "--months", "2", "--seed", "7", "--draws", "16") for _ in range(2))
    assert (first.months, first.seed, first.draws) == (2, 7, 16)
    assert first == again


def test_bad_input_is_one_line_naming_file_and_field(tmp_path):
    base = {"title": "A", "start": "2027-01"}
    assert "months is 40" in refusal(written(tmp_path, {**base, "months": 40}))
    assert "choices.gpu: unknown GPU 'H1000'" in refusal(written(tmp_path, {**base, "choices": {"gpu": "H1000"}}))
    assert "line 1, column 2: not JSON" in refusal(written(tmp_path, "{"))
    path = tmp_path / "missing.json"
    assert refusal(path) == f"{path}: cannot be read (No such file or directory)"
    assert "draws is 0" in refusal(EXAMPLE, "--draws", "0")
    assert "seed is -1" in refusal(EXAMPLE, "--seed", "-1")
    assert "months is 0" in refusal(EXAMPLE, "--months", "0")
