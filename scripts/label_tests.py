"""Judge a target's answers to its test sets: results/{task}/{variant}/labels.jsonl

python scripts/label_tests.py --help
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.records import Judgement, Response, read_answers, read_records, write_records
from reversegen.core.shards import share
from reversegen.kinds import open_kind
from reversegen.loop import labels as label_module
from reversegen.loop.seeds import read_tests
from reversegen.stage import run


def main(
    tests: list[Path],
    responses: Path,
    judgements: list[Path],
    labels: Path,
    kind: KindUse,
    checker_timeout: float,
    shard: str,
) -> None:
    """Write one verdict for each question: by its own answer, or for an attack by the judge's opinion."""
    asked = {q.id: q for questions in read_tests(tests).values() for q in questions}
    opinions = [row for path in judgements for row in read_records(path, Judgement)]
    questions = [(i, q.text) for i, q in asked.items()]
    cases = label_module.cases(questions, read_answers(responses, Response, asked), judgements=opinions)
    labelled = label_module.label_tests(
        share(list(asked.values()), shard), share(cases, shard), checker_timeout, open_kind(kind)
    )
    write_records(labels, labelled)


if __name__ == "__main__":
    run(main)
