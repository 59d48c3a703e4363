"""The findings of a task as a data set for others: Parquet files and a card, for `datasets.load_dataset(folder, name)`.

The card is in `dataset_card`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from reversegen.config.data import DataSource
from reversegen.config.task import KindUse
from reversegen.core.files import building_folder
from reversegen.core.records import Instruction, Label, Pair, Reference, Response, Seed, TrainingRow, read_records
from reversegen.evaluation.judge_check import read_judge_report
from reversegen.kinds import open_kind
from reversegen.reporting.dataset_card import Origin, card
from reversegen.reporting.rows import read_evaluations

log = logging.getLogger("reversegen")

Rows = list[dict[str, Any]]

_TEXT, _MESSAGES = (
    pyarrow.string(),
    pyarrow.list_(pyarrow.struct({"role": pyarrow.string(), "content": pyarrow.string()})),
)
SCHEMAS: dict[str, dict[str, pyarrow.DataType]] = {
    "instructions": {
        "id": _TEXT,
        "iteration": pyarrow.int32(),
        "verdict": _TEXT,
        "abstained": pyarrow.bool_(),
        "score": pyarrow.float64(),
        "detail": _TEXT,
        "category": _TEXT,
        "subject": _TEXT,
        "characters": pyarrow.int32(),
        "instruction": _TEXT,
        "responses": pyarrow.list_(_TEXT),
        "answer": _TEXT,
        "reference": _TEXT,
        "solution": _TEXT,
    },
    "pairs": {
        "iteration": pyarrow.int32(),
        "pairing": _TEXT,
        "chosen_id": _TEXT,
        "rejected_id": _TEXT,
        "prompt": _TEXT,
        "chosen": _TEXT,
        "rejected": _TEXT,
    },
    "enhancement": {"instruction_id": _TEXT, "origin": _TEXT, "prompt": _MESSAGES, "completion": _MESSAGES},
}
"""The columns of each configuration. `pairs` has TRL's preference format, `enhancement` its prompt-completion format."""

TEXTS = ("instruction", "responses", "answer", "reference", "solution", "prompt", "chosen", "rejected", "completion")
"""The columns that are null if texts are left out: texts of people, proposers, targets and teachers."""


@dataclass(frozen=True)
class Arm:
    """The instructions of one proposer, with everything made from them."""

    instructions: Sequence[Instruction]
    labels: Sequence[Label]
    responses: Sequence[Response]
    references: Sequence[Reference]
    """Empty if the kind's verdicts need no trusted answer."""
    pairs: Sequence[Pair]
    """Empty for the last proposer."""


def read_arms(
    instructions: Sequence[Path],
    labels: Sequence[Path],
    responses: Sequence[Path],
    references: Sequence[Path],
    pairs: Sequence[Path],
) -> list[Arm]:
    """Read the arms of proposers 0 to N, in order. `references` may be empty; `pairs` has the files of 0 to N - 1."""
    return [
        Arm(
            instructions=read_records(path, Instruction),
            labels=read_records(labels[k], Label),
            responses=read_records(responses[k], Response),
            references=read_records(references[k], Reference) if references else [],
            pairs=read_records(pairs[k], Pair) if k < len(pairs) else [],
        )
        for k, path in enumerate(instructions)
    ]


def read_enhancement(paths: Sequence[Path]) -> dict[str, list[TrainingRow]]:
    """Read the rows of `enhanced/{source}/train.jsonl`, by source."""
    return {path.parent.name: read_records(path, TrainingRow) for path in paths}


def read_origin(
    seeds: Path,
    judge: Path,
    evaluations: Sequence[Path],
    task: str,
    reused: Sequence[str],
    sources: Mapping[str, DataSource],
    models: Mapping[str, str],
    configuration: str,
) -> Origin:
    """Read the origin from a run's seeds, `judge.json` and every `eval.json`; the other parameters are fields of Origin."""
    return Origin(
        task=task,
        sources=sources,
        models=models,
        configuration=configuration,
        seeds=read_records(seeds, Seed),
        judge=read_judge_report(judge),
        evaluations=read_evaluations(evaluations, task, reused),
    )


def write_dataset(
    folder: Path,
    arms: Sequence[Arm],
    enhancement: Mapping[str, Sequence[TrainingRow]],
    origin: Origin,
    kind: KindUse,
    include_text: bool,
) -> dict[str, dict[str, int]]:
    """Write the folder of a data set; return and log its numbers of rows by configuration and split.

    `arms` are those of proposers 0 to N. `enhancement` has the rows by source; it is empty if the target is not enhanced. If
    the kind's instructions ask for harm, texts are left out unless `include_text` is set, and the card states both.
    """
    opened = open_kind(kind)
    harmful = opened.harmful
    enhancing = {row.instruction_id for rows in enhancement.values() for row in rows}
    pairs = [{"iteration": k, **pair.model_dump()} for k, arm in enumerate(arms) for pair in arm.pairs]
    configurations: dict[str, dict[str, Rows]] = {
        "instructions": instruction_rows(arms, enhancing),
        "pairs": {"train": pairs},
        "enhancement": {name: [row.model_dump() for row in rows] for name, rows in enhancement.items()},
    }
    configurations = {name: splits for name, splits in configurations.items() if splits}
    counts = {name: {split: len(rows) for split, rows in splits.items()} for name, splits in configurations.items()}
    masked = harmful and not include_text
    with building_folder(folder) as building:
        for name, splits in configurations.items():
            (building / name).mkdir()
            for split, rows in splits.items():
                pyarrow.parquet.write_table(_table(rows, name, masked=masked), building / name / f"{split}.parquet")
        rows = [row for several in configurations["instructions"].values() for row in several]
        verdicts = Counter(row["verdict"] for row in rows)
        abstentions = sum(row["abstained"] for row in rows) if opened.abstains else None
        text = card(origin, counts, verdicts, abstentions, harmful=harmful, masked=masked)
        (building / "README.md").write_text(text, encoding="utf-8")
    log.info("rows: %s", counts)
    return counts


def instruction_rows(arms: Sequence[Arm], enhancing: Collection[str] = ()) -> dict[str, Rows]:
    """A row for each labelled instruction of each iteration, by split.

    An instruction is in `train` for all iterations if any iteration wrote it for a training prompt, or if it enhanced the
    target (its id is in `enhancing`). So no text is in both splits, and no text of `heldout` trained anything.
    """
    training = {*enhancing, *(i.id for arm in arms for i in arm.instructions if "train" in i.splits)}
    splits: dict[str, Rows] = {"train": [], "heldout": []}
    for iteration, arm in enumerate(arms):
        labels = {row.instruction_id: row for row in arm.labels}
        references = {row.instruction_id: row for row in arm.references}
        responses: dict[str, list[str]] = {}
        for row in sorted(arm.responses, key=lambda row: row.sample):
            responses.setdefault(row.instruction_id, []).append(row.text)
        for i in arm.instructions:
            if i.id not in labels:
                continue
            reference = references.get(i.id)
            splits["train" if i.id in training else "heldout"].append(
                {
                    "id": i.id,
                    "iteration": iteration,
                    **labels[i.id].model_dump(include={"verdict", "abstained", "score", "detail", "category"}),
                    "subject": i.subject,
                    "characters": len(i.text),
                    "instruction": i.text,
                    "responses": responses.get(i.id, []),
                    "answer": i.answer,
                    "reference": reference and reference.answer,
                    "solution": reference and reference.solution,
                }
            )
    return splits


def _table(rows: Rows, name: str, *, masked: bool) -> pyarrow.Table:
    """The rows with the schema of the configuration `name`; the columns in TEXTS are null if masked."""
    schema = SCHEMAS[name]
    values = {key: [None if masked and key in TEXTS else row[key] for row in rows] for key in schema}
    return pyarrow.table(values, schema=pyarrow.schema(schema))
