"""The table of which answer determines which inputs, against what the hand-over does with answers."""

from costing.engine import catalogue
from portfolio.handoff import INPUTS_OF, scenario_spec

ANSWERS = (
    {"requests_per_day": 500, "peak_to_average": 3, "output_tokens": 200, "latency_target_ms": 5_000_000},
    {"corpus_documents": 100, "document_tokens": 900, "corpus_churn_per_month": 2, "raw_records": 10},
    {"hours_per_example": 0.2, "growth_per_month": 3, "input_tokens": 900, "personal_data": "none"},
    {"corpus_size": "shelf", "task_type": "agent", "examples_available": 2000, "examples_quality": "mixed"},
    {"examples_available": 20, "model_outputs_as_examples": "yes"},
    {"workload_shape": "batch"},
    {"examples_available": 20, "task_change_rate": "monthly", "retraining_tolerance": "monthly"},
)


def test_every_input_from_an_answer_is_in_the_table_of_its_question():
    seen = set()
    for answers in ANSWERS:
        spec = scenario_spec(
            title="A test", answers=answers, recommendation=None, start="2027-01", catalogue=catalogue.load()
        )
        assert dict(spec.questions) == INPUTS_OF
        for one in spec.inputs:
            if one.provenance.detail in answers:
                assert one.key in INPUTS_OF[one.provenance.detail], one
                seen.add(one.provenance.detail)
    assert seen == set(INPUTS_OF)
