"""Find the most frequent of the answers to each test question: results/{task}/{variant}/frequencies.jsonl

python scripts/count_answers.py --tests results/small/tests/*.jsonl --answers results/small/original/answers.jsonl \
--frequencies frequencies.jsonl --kind '{"name":"factual"}'
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.records import Frequency, write_records
from reversegen.kinds import open_kind
from reversegen.loop.labels import read_cases
from reversegen.loop.questions import read_test_questions
from reversegen.stage import run


def main(tests: list[Path], answers: Path, frequencies: Path, kind: KindUse) -> None:
    """Write one record for each test question. The kind says which answers are the same."""
    repetition = open_kind(kind).repetition
    assert repetition
    every = zip(read_test_questions(tests), read_cases(tests, "tests", answers, [], [], "majority"), strict=True)
    measured = ((question.id, *repetition.frequent(question, case)) for question, case in every)
    write_records(frequencies, (Frequency(question_id=i, right=right, share=share) for i, right, share in measured))


if __name__ == "__main__":
    run(main)
