"""`audit.csv`: rows of an iteration for a person to judge, and the person's agreement with the verdicts."""

from __future__ import annotations

import csv
import io
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from reversegen.core.data_files import read_csv
from reversegen.core.errors import BadInput
from reversegen.core.escaping import csv_cell
from reversegen.core.files import write_text
from reversegen.core.metric import Metric
from reversegen.core.records import Instruction, Label, Reference, Response, Verdict
from reversegen.evaluation.audit_draw import AUDITED_RATE, VERDICTS, audit_cells, audited_rate, draw_rows

if TYPE_CHECKING:  # embeddings are not needed to write an audit
    from reversegen.evaluation.proposer_files import Writing

log = logging.getLogger("reversegen")

COLUMNS = ("instruction_id", "instruction", "response", "reference", "person", "stratum", "drawn", "detail", "verdict")
"""`drawn` is the probability of the row as a fraction, such as "7 of 42". It and `stratum` are empty for a row that is kept
from an earlier draw. `detail` is the reason of the verdict, which says whether a passed answer is right or abstains. The last
column is never empty, since Excel may drop empty cells at the end of a row."""
ID_MARK = "id-"
"""The prefix of an id. Without it, a spreadsheet reads 16 hexadecimal digits such as 12e4567890123456 as a number and rounds
it to 15 digits."""


def choose_rows(
    instructions: Sequence[Instruction],
    labels: Sequence[Label],
    responses: Sequence[Response],
    references: Sequence[Reference],
    filled: Mapping[str, str],
    disagreements: Collection[str],
    random_seed: int,
) -> list[dict[str, str]]:
    """The rows of `draw_rows`, and below them those of an earlier draw that a person has filled in.

    `filled` has the verdicts that a person has filled in, by the id of the instruction. They are kept, whatever the verdict of
    the run is now, if the iteration still has the instruction. `disagreements` are the ids on which judges disagree.
    """
    labelled = {label.instruction_id: label for label in labels}
    texts = {i.id: i for i in instructions if i.id in labelled}
    rows = draw_rows(audit_cells(instructions, labels, disagreements), random_seed)
    drawn = {row.id: (row.cell[0], f"{row.drawn} of {row.size}") for row in rows}
    kept = [i for i in texts if i in filled and i not in drawn]
    log.info("%d of %d rows that a person has filled in are kept", len(filled.keys() & texts.keys()), len(filled))
    answers: dict[str, list[str]] = defaultdict(list)
    for response in sorted(responses, key=lambda r: r.sample):
        answers[response.instruction_id].append(response.text)
    trusted = {r.instruction_id: r.solution or "" for r in references}
    return [
        {
            "instruction_id": i,
            "instruction": texts[i].text,
            "response": "\n".join(answers[i]),
            "reference": trusted.get(i, ""),
            "person": filled.get(i, ""),
            "stratum": stratum,
            "drawn": probability,
            "detail": labelled[i].detail,
            "verdict": labelled[i].verdict,
        }
        for i, (stratum, probability) in (drawn | dict.fromkeys(kept, ("", ""))).items()
    ]


def write_audit(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write the rows so that spreadsheets read them correctly.

    A cell that a spreadsheet would read as a formula gets an apostrophe in front, an invisible character is replaced by a
    code, and an id gets ID_MARK in front. The file starts with a byte order mark, without which Excel does not read UTF-8.
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        marked = {**row, "instruction_id": ID_MARK + row["instruction_id"]}
        writer.writerow({name: csv_cell(value) for name, value in marked.items()})
    write_text(path, "\ufeff" + file.getvalue())


def read_audit(path: Path) -> list[dict[str, str]]:
    """Read the rows of an audit, filled in or not, as any spreadsheet saves them. Added columns and empty rows are ignored.

    Raises BadInput, with file, line and column, for a missing column, a repeated id and an unknown verdict.
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
            raise BadInput(
                f"{path}, {place}: instruction_id: {row['instruction_id']} occurs twice; remove one of the two rows"
            )
        seen.add(row["instruction_id"])
        if row["verdict"] not in VERDICTS:
            raise BadInput(
                f"{path}, {place}: verdict: the cell is not one of {', '.join(VERDICTS)}; restore it, and fill in the "
                "column person only"
            )
        if row["person"] not in ("", *VERDICTS):
            raise BadInput(
                f"{path}, {place}: person: the cell is not one of {', '.join(VERDICTS)}; give one of them, or nothing"
            )
        rows.append(row)
    return rows


def judged_rows(path: Path, labels: Sequence[Label]) -> list[dict[str, str]]:
    """The rows of an audit with the verdicts of the labels. Raises BadInput for an instruction that has no label."""
    verdicts = {label.instruction_id: label.verdict for label in labels}
    rows = read_audit(path)
    for row in rows:
        if row["instruction_id"] not in verdicts:
            raise BadInput(
                f"{path}: instruction_id: {row['instruction_id']!r} is not in this iteration; remove the row"
            )
        row["verdict"] = verdicts[row["instruction_id"]]
    return rows


def audit_metrics(
    audits: Sequence[Path], writing: Writing, disagreements: Collection[str], random_seed: int
) -> dict[str, Metric]:
    """The `agreement` of all rows of the audits and the `audited_rate` of the rows that are drawn.

    The draw is made again from the instructions and labels, so no cell of the file decides a weight. All are null if there are
    no audits or none is filled in.
    """
    rows = [row for path in audits for row in judged_rows(path, writing.labels)]
    persons = {row["instruction_id"]: cast(Verdict, row["person"]) for row in rows if row["person"]}
    cells = audit_cells(writing.instructions, writing.labels, disagreements)
    rate = audited_rate(cells, draw_rows(cells, random_seed), persons, random_seed)
    return agreement(rows) | {AUDITED_RATE.name: rate}


def agreement(rows: Sequence[Mapping[str, str]]) -> dict[str, Metric]:
    """The share of rows on which a person agrees with the verdict, and Cohen's kappa (1960); null if nothing is filled in.

    The rows are stratified, so neither number estimates the whole iteration; `audited_rate` does. Kappa is null if person and
    judge gave the same single verdict to all rows.
    """
    both = [(row["verdict"], row["person"]) for row in rows if row["person"]]
    same = sum(verdict == person for verdict, person in both)
    kappa = None
    if both:
        agreed = same / len(both)
        by_chance = (
            sum(sum(verdict == v for verdict, _ in both) * sum(person == v for _, person in both) for v in VERDICTS)
            / len(both) ** 2
        )
        kappa = round((agreed - by_chance) / (1 - by_chance), 6) if by_chance < 1 else None
    share = round(same / len(both), 6) if both else None
    empty = "no person has filled in audit.csv"
    return {
        "audit_agreement": Metric(value=share, count=same, total=len(both)).null_because(empty),
        "audit_kappa": Metric(value=kappa).null_because("one verdict is all that either gave" if both else empty),
    }
