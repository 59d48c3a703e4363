"""`audit.csv`: rows of an iteration for a person to judge, and how far that person agrees with the verdicts."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from reversegen.artefacts import write_text
from reversegen.errors import BadInput
from reversegen.hashing import hashed_seed
from reversegen.metric import Metric
from reversegen.records import Instruction, Label, Reference, Response

ROWS = 50
"""Rows of an audit: what a person can judge in half an hour."""
COLUMNS = ("instruction_id", "instruction", "response", "reference", "verdict", "person")
VERDICTS = ("failed", "passed", "invalid")


def choose_rows(
    instructions: Sequence[Instruction],
    labels: Sequence[Label],
    responses: Sequence[Response],
    references: Sequence[Reference],
    random_seed: int,
) -> list[dict[str, str]]:
    """ROWS labelled instructions, taken in turns from verdict and subject, so that rare ones are among them."""
    verdicts = {label.instruction_id: label.verdict for label in labels}
    strata: dict[tuple[str, str], list[Instruction]] = defaultdict(list)
    for i in instructions:
        if i.id in verdicts:
            strata[verdicts[i.id], i.subject or ""].append(i)
    rng = random.Random(hashed_seed(random_seed, "audit"))
    for of in strata.values():
        of.sort(key=lambda i: i.id)
        rng.shuffle(of)
    turns = zip_longest(*(strata[key] for key in sorted(strata)))
    chosen = [i for turn in turns for i in turn if i is not None][:ROWS]
    said: dict[str, list[str]] = defaultdict(list)
    for response in responses:
        said[response.instruction_id].append(response.text)
    trusted = {r.instruction_id: r.solution or "" for r in references}
    return [
        {
            "instruction_id": i.id,
            "instruction": i.text,
            "response": "\n".join(said[i.id]),
            "reference": trusted.get(i.id, ""),
            "verdict": verdicts[i.id],
            "person": "",
        }
        for i in chosen
    ]


def write_audit(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write the rows for a spreadsheet; what a person filled in for the same instruction and verdict stays.

    An apostrophe stands before what a spreadsheet would take for a formula.
    """
    filled = {(r["instruction_id"], r["verdict"]): r["person"] for r in read_audit(path)} if path.is_file() else {}
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        kept = {**row, "person": filled.get((row["instruction_id"], row["verdict"]), "")}
        writer.writerow({name: _cell(value) for name, value in kept.items()})
    write_text(path, file.getvalue())


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def read_audit(path: Path) -> list[dict[str, str]]:
    """The rows of an audit, filled in or not. Raises BadInput naming file, line and column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not a readable CSV file: {error}") from error
    if missing := {"instruction_id", "verdict", "person"} - set(reader.fieldnames or ()):
        raise BadInput(f"{path}: no column {', '.join(sorted(missing))}")
    for line, row in rows:
        row["person"] = (row["person"] or "").strip().lower()
        if row["person"] not in ("", *VERDICTS):
            raise BadInput(f"{path}, line {line}: person: give one of {', '.join(VERDICTS)}, or nothing")
    return [row for _, row in rows]


def agreement(rows: Sequence[Mapping[str, str]]) -> dict[str, Metric]:
    """How often a person gave the same verdict, and Cohen's kappa (1960); null where nothing is filled in.

    The rows are stratified, so neither is an estimate for the iteration as a whole. Kappa is null where one verdict is all
    that either gave.
    """
    both = [(row["verdict"], row["person"]) for row in rows if row["person"]]
    same = sum(one == other for one, other in both)
    kappa = None
    if both:
        agreed = same / len(both)
        by_chance = (
            sum(sum(one == v for one, _ in both) * sum(other == v for _, other in both) for v in VERDICTS)
            / len(both) ** 2
        )
        kappa = round((agreed - by_chance) / (1 - by_chance), 6) if by_chance < 1 else None
    share = round(same / len(both), 6) if both else None
    return {
        "audit_agreement": Metric(value=share, count=same, total=len(both)),
        "audit_kappa": Metric(value=kappa),
    }
