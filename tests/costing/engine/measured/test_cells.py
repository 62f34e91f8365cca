import pytest

from costing.engine.catalogue import load
from costing.engine.measured.cells import CellError, Cells


def test_a_blank_is_unknown_and_so_is_a_column_the_table_does_not_have():
    cells = Cells({"a": "  ", "b": "x"})
    assert cells.number("a") is None
    assert cells.number("other") is None
    assert cells.whole("a") is None
    assert cells.flag("a") is None
    assert cells.text("a", "usual") == "usual"


def test_values_are_read_as_people_write_them():
    cells = Cells({"n": " 12,400 ", "m": "1.5e9", "y": "Yes", "z": "0"})
    assert cells.number("n") == 12400
    assert cells.number("m") == 1.5e9
    assert cells.whole("n") == 12400
    assert cells.flag("y") is True
    assert cells.flag("z") is False
    assert Cells({"y": "yes (recipe default)"}).flag("y") is True
    assert Cells({"y": "No, dropped"}).flag("y") is False
    assert Cells({"y": "1.0"}).flag("y") is True  # as a spreadsheet writes 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("many", "'many' is not a number"),
        ("nan", "'nan' is not a finite number"),
        ("inf", "'inf' is not a finite number"),
        ("-3", "-3 must be above 0"),
        ("0", "0 must be above 0"),
        ("101", "101 is more than 100"),
    ],
)
def test_absurd_numbers_name_their_column(text, message):
    with pytest.raises(CellError, match=message) as caught:
        Cells({"seq_len": text}).number("seq_len", most=100)
    assert caught.value.column == "seq_len"


def test_half_a_gpu_is_refused():
    with pytest.raises(CellError, match=r"1.5 is not a whole number"):
        Cells({"gpus": "1.5"}).whole("gpus")


@pytest.mark.parametrize("text", ["maybe", "yesterday", "2", "not yet"])
def test_what_is_neither_yes_nor_no_is_refused(text):
    with pytest.raises(CellError, match=f"'{text}' is neither yes nor no"):
        Cells({"packed": text}).flag("packed")


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(CellError, match="did you mean 'H100-SXM'") as caught:
        Cells({"gpu": "H100SXM"}).looked_up("gpu", load().gpu)
    assert caught.value.column == "gpu"
