"""Write what a task found as a data set with a card: results/{task}/dataset/

python scripts/write_dataset.py --help
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.task import KindUse
from reversegen.reporting.dataset import read_arms, read_enhancement, read_origin, write_dataset
from reversegen.stage import run


def main(
    instructions: list[Path],
    labels: list[Path],
    responses: list[Path],
    references: list[Path],
    pairs: list[Path],
    enhancement: list[Path],
    seeds: Path,
    judge: Path,
    evaluations: list[Path],
    folder: Path,
    task: str,
    reused: list[str],
    kind: KindUse,
    sources: dict[str, DataSource],
    models: dict[str, str],
    configuration: str,
    include_text: bool,
) -> None:
    """Files of iterations 0 to N in order; `references` of none if verdicts need none, `pairs` of 0 to N - 1."""
    arms = read_arms(instructions, labels, responses, references, pairs)
    origin = read_origin(seeds, judge, evaluations, task, reused, sources, models, configuration)
    write_dataset(folder, arms, read_enhancement(enhancement), origin, kind, include_text)


if __name__ == "__main__":
    run(main)
