"""Choose equally many rows of every source to enhance the target: results/{task}/enhanced/{source}/train.jsonl

python scripts/select_enhancement.py --help
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.config.training import Enhancement
from reversegen.core.sources import SOURCES
from reversegen.kinds import open_kind
from reversegen.loop.barred import read_barred
from reversegen.loop.enhancement import select_rows
from reversegen.loop.enhancement_files import read_answered_seeds, read_arms, read_responses, write_selection
from reversegen.stage import run


def main(
    instructions: list[Path], labels: list[Path], references: list[Path], responses: list[Path],
    reference_judgements: list[Path], seeds: Path, drawn_seeds: Path, seed_references: Path, seed_judgements: list[Path],
    probe: list[Path], tests: list[Path], reversegen: Path, warmup: Path, warmup_failures: Path, seed_rows: Path,
    selection: Path, kind: KindUse, settings: Enhancement, system: str | None, random_seed: int,
) -> None:  # fmt: skip
    """Lists are of iteration 0, the control and iterations 1 to N, in this order; `responses` of the first two.

    Judgements of references and the labels of the probe are empty if the task has none. `drawn_seeds` were answered.
    """
    arms = read_arms(instructions, labels, references, reference_judgements)
    answered = read_answered_seeds(drawn_seeds, seed_references, seed_judgements, probe)
    barred, replies = read_barred(tests, seeds, open_kind(kind)), read_responses(responses)
    selected = select_rows(arms[2:], arms[:2], answered, replies, barred, settings, system, random_seed)
    outputs = dict(zip(SOURCES, (reversegen, warmup, warmup_failures, seed_rows), strict=True))
    write_selection(selected, drawn_seeds, settings, outputs, selection)


if __name__ == "__main__":
    run(main)
