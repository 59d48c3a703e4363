"""Judge the responses to instructions: results/{task}/{arm}/labels.jsonl

python scripts/label_responses.py --help
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.records import (
    Instruction,
    Judgement,
    Reference,
    Response,
    read_answers,
    read_records,
    write_records,
)
from reversegen.core.shards import share
from reversegen.kinds import open_kind
from reversegen.loop import labels as label_module
from reversegen.stage import run


def main(
    instructions: Path,
    responses: Path,
    references: list[Path],
    judgements: list[Path],
    labels: Path,
    kind: KindUse,
    checker_timeout: float,
    shard: str,
) -> None:
    """Write one verdict for each instruction that was asked, from what the kind needs: references or judgements."""
    asked = [(i.id, i.text) for i in read_records(instructions, Instruction) if i.asked]
    ids = [identity for identity, _ in asked]
    trusted = [row for path in references for row in read_answers(path, Reference, ids, of_more=True)]
    opinions = [row for path in judgements for row in read_answers(path, Judgement, ids)]
    cases = label_module.cases(asked, read_answers(responses, Response, ids), trusted, opinions)
    write_records(labels, label_module.label_responses(share(cases, shard), checker_timeout, open_kind(kind)))


if __name__ == "__main__":
    run(main)
