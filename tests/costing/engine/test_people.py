import numpy as np

from costing.engine import people


def a(value):
    return np.array([[float(value)]])


def test_an_hour_as_the_employer_pays_it():
    assert people.loaded_usd_per_hour(a(120000), a(1.4), a(1680)).item() == 100  # 120,000 × 1.4 / 1,680


def test_a_share_of_a_person():
    assert round(people.fte_usd_per_month(a(133080), a(1.4), a(0.25)).item(), 2) == 3881.50  # 133,080 × 1.4 / 12 / 4


def test_examples_made_by_hand():
    # 5,000 examples, half of them made, six minutes each, a fifth done again, at $60
    assert round(people.example_making_usd(a(5000), a(0.5), a(0.1), a(1.2), a(60)).item(), 6) == 18000


def test_an_evaluation_run():
    # 300 × ($0.01 + $0.02) = 9; 60 read by people, 4 minutes each at $90: 360
    found = people.evaluation_run_usd(a(300), a(0.01), a(0.02), a(0.2), a(4), a(90))
    assert round(found.item(), 6) == 369
