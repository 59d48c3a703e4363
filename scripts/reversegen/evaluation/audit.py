"""`audit.csv`: rows of an iteration for a person to judge, and how far that person agrees with the verdicts."""

from __future__ import annotations

import csv
import io
import logging
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from reversegen.core.data_files import read_csv
from reversegen.core.errors import BadInput
from reversegen.core.escaping import csv_cell
from reversegen.core.files import write_text
from reversegen.core.metric import Metric
from reversegen.core.records import Instruction, Label, Reference, Response, Verdict
from reversegen.ids import hashed_seed
from reversegen.loop.turns import take_turns

log = logging.getLogger("reversegen")

ROWS = 50
"""Rows of an audit: what a person can judge in half an hour."""
COLUMNS = ("instruction_id", "instruction", "response", "reference", "person", "verdict")
"""The last one is never empty: Excel may leave out the last cells of rows if they are empty."""
ID_MARK = "id-"
"""Before an id: 16 hexadecimal digits such as 12e4567890123456 are a number for a spreadsheet, which keeps 15 digits of it."""
VERDICTS: tuple[Verdict, ...] = ("failed", "passed", "invalid")


def choose_rows(
    instructions: Sequence[Instruction],
    labels: Sequence[Label],
    responses: Sequence[Response],
    references: Sequence[Reference],
    filled: Mapping[str, str],
    random_seed: int,
) -> list[dict[str, str]]:
    """ROWS labelled instructions, in turns from the verdicts and within each from the subjects, so that rare ones are there.

    `filled` has what a person said, by id of the instruction: these rows come first, whatever their verdict is now.
    """
    verdicts = {label.instruction_id: label.verdict for label in labels}
    rng = random.Random(hashed_seed(random_seed, "audit"))
    of_verdict = []
    for n, verdict in enumerate(VERDICTS):
        strata: dict[str, list[Instruction]] = defaultdict(list)
        for i in sorted((i for i in instructions if verdicts.get(i.id) == verdict), key=lambda i: i.id):
            strata[i.subject or ""].append(i)
        for of_subject in strata.values():
            rng.shuffle(of_subject)
        subjects = sorted(strata)
        start = n * len(subjects) // len(VERDICTS)  # another subject first, so that few rows see many subjects
        of_verdict.append(list(take_turns(strata[subject] for subject in subjects[start:] + subjects[:start])))
    every = list(take_turns(of_verdict))
    chosen = [i for i in every if i.id in filled]
    log.info("%d of %d rows that a person filled in are kept", len(chosen), len(filled))
    chosen += [i for i in every if i.id not in filled][: max(0, ROWS - len(chosen))]
    answers: dict[str, list[str]] = defaultdict(list)
    for response in sorted(responses, key=lambda r: r.sample):
        answers[response.instruction_id].append(response.text)
    trusted = {r.instruction_id: r.solution or "" for r in references}
    return [
        {
            "instruction_id": i.id,
            "instruction": i.text,
            "response": "\n".join(answers[i.id]),
            "reference": trusted.get(i.id, ""),
            "verdict": verdicts[i.id],
            "person": filled.get(i.id, ""),
        }
        for i in chosen
    ]


def write_audit(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write the rows for a spreadsheet.

    An apostrophe stands before what a spreadsheet would take for a formula, a code for an invisible character, and ID_MARK
    before an id. Excel reads UTF-8 only behind a byte order mark.
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        marked = {**row, "instruction_id": ID_MARK + row["instruction_id"]}
        writer.writerow({name: csv_cell(value) for name, value in marked.items()})
    write_text(path, "\ufeff" + file.getvalue())


def read_audit(path: Path) -> list[dict[str, str]]:
    """The rows of an audit, filled in or not, as any spreadsheet saves them; columns and empty rows that it added are left out.

    Raises BadInput naming file, line and column.
    """
    rows = []
    seen = set()
    for place, cells in read_csv(path, ("instruction_id", "verdict", "person"), ascii_columns=True):
        row = {name: cells.get(name, "") for name in COLUMNS}
        for name in ("instruction_id", "verdict", "person"):
            row[name] = row[name].strip()
        row["instruction_id"] = row["instruction_id"].removeprefix(ID_MARK)
        row["verdict"], row["person"] = row["verdict"].lower(), row["person"].lower()
        if row["instruction_id"] in seen:
            raise BadInput(f"{path}, {place}: instruction_id: {row['instruction_id']} stands twice")
        seen.add(row["instruction_id"])
        if row["verdict"] not in VERDICTS:
            raise BadInput(f"{path}, {place}: verdict: none of {', '.join(VERDICTS)}; only person is to be filled in")
        if row["person"] not in ("", *VERDICTS):
            raise BadInput(f"{path}, {place}: person: give one of {', '.join(VERDICTS)}, or nothing")
        rows.append(row)
    return rows


def judged_rows(path: Path, labels: Sequence[Label]) -> list[dict[str, str]]:
    """The rows of an audit with the verdicts of the labels. Raises BadInput for an instruction that they do not have."""
    verdicts = {label.instruction_id: label.verdict for label in labels}
    rows = read_audit(path)
    for row in rows:
        if row["instruction_id"] not in verdicts:
            raise BadInput(
                f"{path}: instruction_id: {row['instruction_id']!r} is none of this iteration's; remove the row"
            )
        row["verdict"] = verdicts[row["instruction_id"]]
    return rows


def audit_metrics(audits: Sequence[Path], labels: Sequence[Label]) -> dict[str, Metric]:
    """`agreement` of the rows of audits, filled in or not; of none, null."""
    return agreement([row for path in audits for row in judged_rows(path, labels)])


def agreement(rows: Sequence[Mapping[str, str]]) -> dict[str, Metric]:
    """How often a person gave the same verdict, and Cohen's kappa (1960); null if nothing is filled in.

    The rows are stratified, so neither is an estimate for the iteration as a whole. Kappa is null if one verdict is all
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
    empty = "no person has filled in audit.csv"
    return {
        "audit_agreement": Metric(value=share, count=same, total=len(both)).null_because(empty),
        "audit_kappa": Metric(value=kappa).null_because("one verdict is all that either gave" if both else empty),
    }
