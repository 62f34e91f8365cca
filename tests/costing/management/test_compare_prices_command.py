import hashlib
import json
from io import StringIO

from django.core.management import call_command

from costing.engine import catalogue


def output(*arguments):
    out = StringIO()
    call_command("compare_prices", *arguments, stdout=out)
    return out.getvalue()


def test_the_shipped_catalogue_is_compared_without_a_database_and_left_alone():
    def digests():
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in catalogue.DATA.glob("*.csv")}

    before = digests()
    found = json.loads(output("--json"))
    assert digests() == before
    assert found["catalogue"] == catalogue.load().version
    assert found["compared_with"].startswith("genai-prices ")
    # most rows are found, and most of those agree: both were read from the same vendors' pages
    assert found["matched"] > 0.7 * found["rows"]
    assert found["agreeing"] > 0.75 * found["matched"]
    assert sum(found["only_theirs"].values()) > 100
    assert sum(found["differences_by_price"].values()) == len(found["differences"])
    for one in found["differences"]:
        assert one["theirs"] is not None
        assert one["source"]
        if one["ours"]:
            assert abs(one["ratio"] - one["theirs"] / one["ours"]) < 1e-9


def test_the_lines_say_the_same():
    found = json.loads(output("--json"))
    lines = output().splitlines()
    assert f"{found['matched']} of {found['rows']} rows found there" in lines[1]
    assert len(lines) == 3 + bool(found["other_providers"]) + len(found["unmatched"]) + len(found["differences"])
    assert sum("theirs" in line for line in lines) == len(found["differences"])
