"""`resources/reported.csv`: numbers that others published, to stand beside ours, each with where it was read."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reversegen.config.workflow import ABLATION
from reversegen.core.errors import BadInput
from reversegen.kinds import kind_modules

TABLES = (*kind_modules(), ABLATION)
"""The tables of several tasks: one of each kind, and the ablations."""
REPORTED_COLUMNS = ("table", "task", "row", "metric", "value", "source")


@dataclass(frozen=True)
class ReportedNumber:
    """A number that somebody published."""

    value: float
    source: str


ReportedNumbers = Mapping[tuple[str, str, str], ReportedNumber]
"""Reported numbers of a table by task, row and metric."""


def read_reported(path: Path, table: str) -> dict[tuple[str, str, str], ReportedNumber]:
    """The rows of a table in `resources/reported.csv`: numbers of others, each with where it was read.

    Raises BadInput naming file, line and field.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows, names = list(reader), tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not a readable CSV file: {error}") from error
    if names != REPORTED_COLUMNS:
        raise BadInput(f"{path}: its columns are {', '.join(names)}, not {', '.join(REPORTED_COLUMNS)}")
    numbers = {}
    for number, row in enumerate(rows, 2):
        if empty := [name for name in REPORTED_COLUMNS if not row[name]]:  # also of a line that is too short
            raise BadInput(f"{path}, line {number}: {empty[0]}: missing; a number without its source is not shown")
        if row["table"] not in TABLES:
            raise BadInput(f"{path}, line {number}: table: {row['table']!r} is none of {', '.join(TABLES)}")
        key = row["task"], row["row"], row["metric"]
        value = float(row["value"]) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", row["value"]) else math.nan
        if math.isnan(value):
            raise BadInput(f"{path}, line {number}: value: {row['value']!r} is no number")
        if row["table"] == table:
            if key in numbers:
                raise BadInput(f"{path}, line {number}: {', '.join(key)}: a line before it is of the same")
            numbers[key] = ReportedNumber(value, row["source"])
    return numbers
