"""Write what a task found as a data set with a card: results/{task}/dataset/

python scripts/write_dataset.py --help
"""

import logging
from pathlib import Path

from reversegen.config.load import DataSource, KindUse
from reversegen.core.records import Instruction, Label, Pair, Reference, Response, Seed, TrainingRow, read_records
from reversegen.evaluation.judge_check import read_judge_report
from reversegen.kinds import open_kind
from reversegen.reporting import dataset
from reversegen.reporting.rows import read_evaluations
from reversegen.stage import run

log = logging.getLogger("reversegen")


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
    """Files of iterations 0 to N in order; `references` of none where verdicts need none, `pairs` of 0 to N - 1."""
    arms = [
        dataset.Arm(
            instructions=read_records(path, Instruction),
            labels=read_records(labels[k], Label),
            responses=read_records(responses[k], Response),
            references=read_records(references[k], Reference) if references else [],
            pairs=read_records(pairs[k], Pair) if k < len(pairs) else [],
        )
        for k, path in enumerate(instructions)
    ]
    counts = dataset.write_dataset(
        folder,
        arms,
        {path.parent.name: read_records(path, TrainingRow) for path in enhancement},
        dataset.Origin(
            task=task,
            sources=sources,
            models=models,
            configuration=configuration,
            seeds=read_records(seeds, Seed),
            judge=read_judge_report(judge),
            evaluations=read_evaluations(evaluations, task, reused),
        ),
        harmful=open_kind(kind).harmful,
        include_text=include_text,
    )
    log.info("rows: %s", counts)


if __name__ == "__main__":
    run(main)
