"""The rows of a task's tables, and the `eval.json` of each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.core.metric import Metric
from reversegen.core.sources import CONTROL_SOURCES
from reversegen.core.validation import explain
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.outcomes import EvaluationOutcomes, collect, originals, read_test_sets
from reversegen.kinds.base import Kind

TARGET_ROWS = ("original", *CONTROL_SOURCES, "reversegen")
"""The rows of the target's table: the original, the targets of control sources, and reversegen."""

ROWS = {"proposer": "iteration", "target": "source"}
"""The head of the first column in the table of each role."""


def read_evaluation(path: Path) -> EvalFile:
    """Read an `eval.json`. Raises BadInput with file and field if it is malformed."""
    try:
        evaluation = EvalFile.model_validate(read_json(path), strict=True)
    except ValidationError as error:
        raise BadInput(f"{path}: {explain(error)}") from error
    if fault := _fault(evaluation):
        raise BadInput(f"{path}: {fault}")
    return evaluation


def read_evaluations(paths: Sequence[Path], task: str, reused: Sequence[str] = ()) -> list[EvalFile]:
    """Read the `eval.json` files of a task, in the order of tables. Files of the tasks in `reused` count as its own.

    Raises BadInput with file and field if a file is malformed, and if two files fill the same row.
    """
    read: dict[tuple[str, str, str], tuple[Path, EvalFile]] = {}
    for path in paths:
        evaluation = _as_part_of(read_evaluation(path), task, reused)
        key = (evaluation.task, evaluation.role, row_name(evaluation))
        if key in read:
            raise BadInput(
                f"{path}: {', '.join(key)}: {read[key][0]} has the same task, role and row; give one of them"
            )
        read[key] = (path, evaluation)
    return sorted((evaluation for _, evaluation in read.values()), key=row_order)


def read_outcomes(
    paths: Sequence[Path], tests: Sequence[Path], task: str, reused: Sequence[str], kind: Kind
) -> list[EvaluationOutcomes]:
    """The same evaluations with their outcomes by prompt or question; `tests` are the test sets of all their runs."""
    sets = read_test_sets(tests)
    read = [_as_part_of(read_evaluation(path), task, reused) for path in paths]
    every = zip(read, paths, originals(read, paths), strict=True)
    return [collect(evaluation, path, sets, kind, original) for evaluation, path, original in every]


def _as_part_of(evaluation: EvalFile, task: str, reused: Sequence[str]) -> EvalFile:
    """The evaluation under the name of this task, if it is of a task in `reused`."""
    name = task_and_seed(evaluation.task)[0]
    if name not in reused:
        return evaluation
    return evaluation.model_copy(update={"task": task_and_seed(task)[0] + evaluation.task.removeprefix(name)})


def _fault(evaluation: EvalFile) -> str | None:
    """What is wrong with an evaluation that its class accepts but a table cannot show; None if nothing is."""
    row = row_name(evaluation)
    known = row in TARGET_ROWS or row.startswith("transfer/")
    if evaluation.role == "proposer":
        known = row == "untrained" or row.isdecimal()
    identity = row_identity(evaluation.role, row)
    if not known or identity != {name: getattr(evaluation, name) for name in identity}:
        return (
            f"arm: {evaluation.arm!r}, variant: {evaluation.variant!r}, iteration: {evaluation.iteration!r}; a proposer has "
            "the arm `iterK` and the iteration K, or the arm `untrained`; a target has the variant `original`, "
            f"`transfer/MODEL` or `enhanced/SOURCE` with one of {', '.join(TARGET_ROWS[1:])}"
        )
    training = evaluation.provenance.get("training") or {}
    if not isinstance(training, dict) or any(type(value) not in (int, float) for value in training.values()):
        return "provenance.training: it must be null or an object of numbers"
    for (group, name), metric in numbers(evaluation).items():
        if not all(math.isfinite(x) for x in (metric.value, metric.low, metric.high) if x is not None):
            return f"{group or 'metrics'}.{name}: not a finite number"
    return None


def row_name(evaluation: EvalFile) -> str:
    """The row that an evaluation fills in its role's table: an iteration or `untrained`, a source or `original`."""
    if evaluation.role == "target":
        return str(evaluation.variant).removeprefix("enhanced/")
    return str(evaluation.arm if evaluation.iteration is None else evaluation.iteration)


def row_identity(role: str, row: str) -> dict[str, str | int | None]:
    """Arm, variant and iteration of a row, as `eval.json` names them."""
    arm, variant, iteration = None, None, None
    if role == "target":
        variant = row if row == "original" or row.startswith("transfer/") else f"enhanced/{row}"
    elif row.isdecimal():
        arm, iteration = f"iter{row}", int(row)
    else:
        arm = row
    return {"arm": arm, "variant": variant, "iteration": iteration}


def task_and_seed(task: str) -> tuple[str, int]:
    """NAME and random seed of a task, 0 for NAME itself."""
    parts = re.fullmatch(r"(.+)\.s([0-9]+)", task, re.DOTALL)
    return (parts[1], int(parts[2])) if parts else (task, 0)


def row_order(evaluation: EvalFile) -> tuple[str, int, str, str, int, str]:
    """The key that sorts evaluations into the order of tables."""
    name = row_name(evaluation)
    order = TARGET_ROWS.index(name) if name in TARGET_ROWS else len(TARGET_ROWS)
    if evaluation.role == "proposer":
        order = -1 if evaluation.iteration is None else evaluation.iteration
    return (evaluation.role, order, name, *task_and_seed(evaluation.task), evaluation.task)


def tasks_of(evaluations: Sequence[EvalFile]) -> tuple[str, list[str]]:
    """The name for the title of the tables, and the tasks by random seed: NAME, and [NAME, NAME.s1, …].

    A single task is its own name. Raises BadInput if there is no task, or more than one NAME.
    """
    tasks = sorted({e.task for e in evaluations}, key=lambda task: (task_and_seed(task), task))
    names = sorted({task_and_seed(task)[0] for task in tasks})
    if len(names) != 1:
        raise BadInput(f"a table shows one task, not {', '.join(names) or 'none: no eval.json was given'}")
    return (names[0] if len(tasks) > 1 else tasks[0]), tasks


def numbers(evaluation: EvalFile) -> dict[tuple[str, str], Metric]:
    """Every number of an evaluation by (group, metric), with the size of its training."""
    metrics = {("", name): metric for name, metric in evaluation.metrics.items()}
    for dimension, groups in evaluation.groups.items():
        for group, several in groups.items():
            metrics |= {(f"{dimension}={group}", name): metric for name, metric in several.items()}
    training = evaluation.provenance.get("training") or {}
    return metrics | {("", f"training_{name}"): Metric(value=value) for name, value in training.items()}
