"""What the cost engine tells the decision, and what the decision makes of it end to end."""

from __future__ import annotations

import pytest

from portfolio.estimates import facts_for
from portfolio.questionnaire.facts import Facts
from portfolio.questionnaire.recommend import recommend

NARROW = {"task_type": "extraction", "narrow_repetition": "yes", "prompt_baseline": "meets_target"}
VOICE = {
    "task_type": "drafting",
    "behaviour_needs": ["voice"],
    "error_tolerance": "one_in_hundred",
    "facts_needed": "none",
    "prompt_baseline": "close",
}


def decided(answers, **options):
    return recommend(answers, facts=facts_for(answers), **options)


def test_open_answers_leave_facts_open():
    assert facts_for({}) == Facts()
    assert facts_for({"requests_per_day": 10**6, "input_tokens": 500}) == Facts()
    assert facts_for({"gpus_available": 4}) == Facts()
    assert facts_for({"gpu_memory_gib": 24, "gpus_available": 0}) == Facts()  # rented GPUs are chosen to fit


def test_the_bill_by_hand():
    """50,000 a day × 30.4375 days × (8,000 × $0.75 + 500 × $3.75) / 1,000,000 = $11,984.77."""
    facts = facts_for({"requests_per_day": 50_000, "input_tokens": 8_000, "output_tokens": 500})
    assert facts.monthly_bill_usd == pytest.approx(11_984.77, abs=0.005)


def test_an_agents_requests_are_several_calls_each_unless_calls_were_counted():
    """Six calls are likely for an agent; questionnaire 2026-11 asked for calls, so there a request is one."""
    answers = {"task_type": "agent", "requests_per_day": 50_000, "input_tokens": 8_000, "output_tokens": 500}
    assert facts_for(answers).monthly_bill_usd == pytest.approx(6 * 11_984.77, abs=0.05)
    assert facts_for(answers, "2026-11").monthly_bill_usd == pytest.approx(11_984.77, abs=0.005)
    assert facts_for({**answers, "workload_shape": "chat"}).monthly_bill_usd == pytest.approx(11_984.77, abs=0.005)


@pytest.mark.parametrize(("input_tokens", "target"), [(8_000, "fine_tuning"), (2_000, "prompting")])
def test_a_large_bill_derives_pressure_below_the_volume_threshold(input_tokens, target):
    """With 2,000 tokens the same volume costs $5,137 a month: below the policy's 10,000."""
    answers = {**NARROW, "requests_per_day": 50_000, "input_tokens": input_tokens, "output_tokens": 500}
    found = decided(answers)
    assert found.target == target
    derived = {d.question_id: d for d in found.derived}
    assert ("cost_latency_pressure" in derived) == (target == "fine_tuning")
    if "cost_latency_pressure" in derived:
        filled = derived["cost_latency_pressure"]
        assert "$11,985 a month" in filled.because
        assert filled.from_questions == ("requests_per_day", "input_tokens", "output_tokens")


def test_flips_of_the_volume_move_the_bill_with_it():
    answers = {**NARROW, "requests_per_day": 50_000, "input_tokens": 8_000, "output_tokens": 500}
    for flip in decided(answers).flips:
        changed = {**answers, **{change.question_id: change.after for change in flip.changes}}
        assert decided(changed, explore=False).target == flip.target


@pytest.mark.parametrize(
    ("memory_gib", "gpus", "method"),
    [
        (16, 1, "qlora"),  # 8.2 billion parameters at 2 bytes are 15.3 GiB before anything else
        (80, 1, "lora"),
        (16, 8, "lora"),  # the base is shared out over eight
        (16, 0, "lora"),
    ],
)
def test_the_method_follows_the_hardware(memory_gib, gpus, method):
    answers = {**VOICE, "hosting": ["self_host"], "gpu_memory_gib": memory_gib, "gpus_available": gpus}
    found = decided(answers, explore=False)
    assert (found.target, found.method) == ("fine_tuning", method)
    assert any("QLoRA" in text for text in found.warnings) == (method == "qlora")
