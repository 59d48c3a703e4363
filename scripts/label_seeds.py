"""Judge the target's answers to the seed instructions: results/{task}/probe/labels.jsonl

python scripts/label_seeds.py --help
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.records import Judgement, Reference, Response, Seed, read_answers, read_records, write_records
from reversegen.core.shards import share
from reversegen.kinds import open_kind
from reversegen.loop import labels as label_module
from reversegen.stage import run


def main(
    seeds: Path,
    responses: Path,
    judgements: list[Path],
    labels: Path,
    kind: KindUse,
    checker_timeout: float,
    shard: str,
) -> None:
    """The reference of a seed is the data set's own answer; a seed without one is invalid where the kind needs it."""
    asked = read_records(seeds, Seed)
    own = [
        Reference(instruction_id=s.id, answer=s.answer, solution=None, teacher="data set", invalid=None) for s in asked
    ]
    ids = [s.id for s in asked]
    opinions = [row for path in judgements for row in read_answers(path, Judgement, ids)]
    cases = label_module.cases([(s.id, s.text) for s in asked], read_answers(responses, Response, ids), own, opinions)
    write_records(labels, label_module.label_responses(share(cases, shard), checker_timeout, open_kind(kind)))


if __name__ == "__main__":
    run(main)
