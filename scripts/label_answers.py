"""Label the answers to instructions, seeds or tests: results/{task}/{arm}/labels.jsonl, also of the probe and of variants

python scripts/label_answers.py --questions results/tiny-math/iter1/instructions.jsonl --record instructions --judgements \
--responses results/tiny-math/iter1/responses.jsonl --references results/tiny-math/iter1/references.jsonl --shard 1-of-1 \
--labels results/tiny-math/iter1/labels.jsonl --kind '{"name":"math","worlds":["arithmetic"]}' --decision majority \
--checker-timeout 1
"""

from pathlib import Path

from reversegen.config.judge_settings import Decision
from reversegen.config.task import KindUse
from reversegen.core.records import write_records
from reversegen.core.shards import share
from reversegen.kinds import open_kind
from reversegen.loop.labels import label_responses, label_tests, read_cases
from reversegen.loop.questions import QuestionRecord, read_test_questions
from reversegen.stage import run


def main(
    questions: list[Path],
    record: QuestionRecord,
    responses: Path,
    references: list[Path],
    judgements: list[Path],
    labels: Path,
    kind: KindUse,
    decision: Decision,
    checker_timeout: float,
    shard: str,
) -> None:
    """Write one label for each question, from what the kind needs: the data set's own answers, references or judgements."""
    cases = share(read_cases(questions, record, responses, references, judgements, decision), shard)
    if record == "tests":
        tests = share(read_test_questions(questions), shard)
        write_records(labels, label_tests(tests, cases, checker_timeout, open_kind(kind)))
    else:
        write_records(labels, label_responses(cases, checker_timeout, open_kind(kind)))


if __name__ == "__main__":
    run(main)
