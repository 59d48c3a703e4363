"""`resources/reported.csv`: numbers that others published, each with its source, to be shown beside ours."""

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
    """A published number."""

    value: float
    source: str


ReportedNumbers = Mapping[tuple[str, str, str], ReportedNumber]
"""Reported numbers of a table by task, row and metric."""


def read_reported(path: Path, table: str) -> dict[tuple[str, str, str], ReportedNumber]:
    """Read the numbers of one table from `resources/reported.csv`, by task, row and metric.

    Raises BadInput with file, line and field if the file is malformed.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows, names = list(reader), tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not a readable CSV file: {error}; correct it") from error
    if names != REPORTED_COLUMNS:
        raise BadInput(f"{path}: its columns are {', '.join(names)}; name them {', '.join(REPORTED_COLUMNS)}")
    numbers = {}
    for number, row in enumerate(rows, 2):
        if empty := [name for name in REPORTED_COLUMNS if not row[name]]:  # or the line is too short
            raise BadInput(
                f"{path}, line {number}: {empty[0]}: missing; fill in every column: no number is shown without its source"
            )
        if row["table"] not in TABLES:
            raise BadInput(
                f"{path}, line {number}: table: {row['table']!r} is unknown; it must be one of {', '.join(TABLES)}"
            )
        key = row["task"], row["row"], row["metric"]
        value = float(row["value"]) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", row["value"]) else math.nan
        if math.isnan(value):
            raise BadInput(
                f"{path}, line {number}: value: {row['value']!r} is not a number; write digits with a decimal point"
            )
        if row["table"] == table:
            if key in numbers:
                raise BadInput(
                    f"{path}, line {number}: {', '.join(key)}: an earlier line has the same task, row and metric; remove one"
                )
            numbers[key] = ReportedNumber(value, row["source"])
    return numbers
