"""Time of one recommendation: the decision alone, and with robustness, flips and next questions."""

from benchmarks.timing import median_s
from portfolio.demo.definition import definition
from portfolio.questionnaire.recommend import recommend


def main() -> None:
    print("recommendation                                   answers   decision µs   with exploration ms")
    for use_case in [{"title": "no answers at all", "answers": {}}, *definition()["use_cases"]]:
        answers = {}
        for given in use_case["answers"].values():
            answers.update(given)
        alone = median_s(lambda a=answers: recommend(a, explore=False), repeats=200)
        explored = median_s(lambda a=answers: recommend(a), repeats=5)
        print(f"{use_case['title']:48} {len(answers):7d} {alone * 1e6:13.0f} {explored * 1e3:21.1f}")


if __name__ == "__main__":
    main()
