"""Judge a target's answers to its test sets by the sets' own answers: results/{task}/{version}/labels.jsonl

python scripts/label_tests.py --help
"""

from pathlib import Path

from reversegen import labels as label_module
from reversegen.kinds import KINDS
from reversegen.records import Question, Response, read_records, write_records
from reversegen.stage import run


def main(tests: list[Path], responses: Path, labels: Path, kind: str, checker_timeout: float) -> None:
    """Write one verdict for each question."""
    questions = {q.id: q for path in tests for q in read_records(path, Question)}
    trusted = [KINDS[kind].test_reference(question) for question in questions.values()]
    answers = read_records(responses, Response)
    write_records(labels, label_module.label_responses(list(questions), answers, trusted, checker_timeout, KINDS[kind]))


if __name__ == "__main__":
    run(main)
