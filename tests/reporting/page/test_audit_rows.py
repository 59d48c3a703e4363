"""The page lists the rows of each audit.csv, with the verdicts of judges, labels and person, and masks harmful texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.page_inputs import (
    HOSTILE,
    JUDGE,
    ParsedPage,
    audit_tables,
    audits,
    content,
    evaluations,
    failures,
    judgement,
)

from reversegen.core.escaping import visible
from reversegen.core.records import Instruction, Label, Record, Reference, Response, Verdict, write_records
from reversegen.evaluation.audit import read_audit, write_audit
from reversegen.reporting.page.content import PageContent, add_audits
from reversegen.reporting.page.examples import HEADS
from reversegen.reporting.page.page import task_page
from write_audit import main as write_audit_main

ANSWER = HEADS[1]
VERDICTS: tuple[Verdict, ...] = ("failed", "passed", "passed", "invalid")
Files = tuple[list[Path], list[Path]]
"""Audits, and judgements of the same iterations."""


def write_iteration(folder: Path, texts: Sequence[str]) -> Files:
    """An iteration with two judges, which disagree on every third instruction; one has no verdict on every fifth."""
    ids = [f"{n:016x}" for n in range(len(texts))]
    pairs = list(zip(ids, texts, strict=True))
    plain: dict[str, Any] = {"answer": None, "subject": None, "samples": ["s"], "splits": ["heldout"]}
    plain |= {"invalid": None, "duplicate_of": None}
    labels = [
        Label(instruction_id=i, verdict=VERDICTS[n % 4], score=None, detail=f"why {n}") for n, i in enumerate(ids)
    ]
    records: dict[str, Sequence[Record]] = {
        "instructions": [Instruction(id=i, text=text, **plain) for i, text in pairs],
        "labels": labels,
        "responses": [
            Response(instruction_id=i, sample=0, text=f"to {text}", tokens=1, finished=True) for i, text in pairs
        ],
        "references": [
            Reference(instruction_id=i, answer="4", solution="2 + 2 = 4", teacher="sum", invalid=None) for i in ids
        ],
        "judgements/guard": [judgement(i, "failed") for i in ids],
        "judgements/held": [judgement(i, "failed" if n % 3 else "passed") for n, i in enumerate(ids) if n % 5],
    }
    files = {name: folder / f"{name}.jsonl" for name in records}
    for name, rows in records.items():
        write_records(files[name], rows)
    instructions, labelled, responses, references, guard, held = files.values()
    audit = folder / "audit.csv"
    write_audit_main(instructions, labelled, responses, [references], [guard], [held], audit, 0)
    return [audit], [guard, held]


def page_with(files: Files, harmful: bool = False) -> str:
    judge = JUDGE.model_copy(update={"holdout": "held"})
    given = PageContent(evaluations(0), run="tiny-math", judge=judge, harmful=harmful)
    return task_page(add_audits(given, *files))


def test_the_page_has_the_rows_of_each_audit_in_its_order_with_all_verdicts(tmp_path: Path) -> None:
    written = [write_iteration(tmp_path / f"iter{k}", [f"text {k} {n}" for n in range(80 - k)]) for k in range(2)]
    audit_files, judgements = ([one for files in written for one in files[n]] for n in range(2))
    rows = [{**row, "person": VERDICTS[n % 4] if n < 7 else ""} for n, row in enumerate(read_audit(audit_files[1]))]
    rows[-1] |= {"stratum": "", "drawn": ""}
    write_audit(audit_files[1], [rows[1], rows[0], *rows[2:]])  # as a person may sort them
    page = page_with((audit_files, judgements))
    tables = audit_tables(page)
    for table, file in zip(tables, audit_files, strict=True):
        assert len(table) == 50
        for line, row in zip(table, read_audit(file), strict=True):
            number = int(row["instruction_id"], 16)
            assert line == {
                "stratum": row["stratum"],
                "id": row["instruction_id"],
                "instruction": row["instruction"],
                ANSWER: row["response"],
                "trusted answer": row["reference"],
                "reason": row["detail"],
                "guard": "failed",
                "held (hold-out)": ("failed" if number % 3 else "passed") if number % 5 else "",
                "verdict": row["verdict"],
                "person": row["person"],
            }
    persons = [line["person"] for line in tables[1]]
    assert persons[:8] == ["passed", "failed", "passed", "invalid", "failed", "passed", "passed", ""]
    summaries = re.findall(r"<summary>(Iteration.*?)</summary>", page)
    assert re.match(r"Iteration 0: 50 rows \(\d+ disagreement, \d+ other\), 0 with a person", summaries[0])
    assert re.match(r"Iteration 1: 50 rows \(.*, 1 earlier draw\), 7 with a person", summaries[1])
    assert summaries[1].endswith("iter1/audit.csv</code>")


@pytest.mark.parametrize("harmful", [False, True])
def test_hostile_text_in_an_audit_is_text(tmp_path: Path, harmful: bool) -> None:
    page = page_with(write_iteration(tmp_path / "iter0", [HOSTILE, "=1+1"]), harmful)
    parsed = ParsedPage(page)
    assert parsed.tags["script"] == 1
    assert "img" not in parsed.tags
    if not harmful:
        assert {line["instruction"] for line in audit_tables(page)[0]} == {visible(HOSTILE), "'=1+1"}


def test_a_harmful_kind_shows_ids_and_verdicts_and_no_text(tmp_path: Path) -> None:
    files = write_iteration(tmp_path / "iter0", [f"secret {n}" for n in range(10)])
    page = page_with(files, harmful=True)
    assert "secret" not in page
    assert "2 + 2" not in page
    [table] = audit_tables(page)
    rows = read_audit(files[0][0])
    assert [(line["id"], line["verdict"]) for line in table] == [(r["instruction_id"], r["verdict"]) for r in rows]
    assert table[0].keys() == {"stratum", "id", "characters", "reason", "guard", "held (hold-out)", "verdict", "person"}
    assert {line["characters"] for line in table} == {"8"}
    assert "audit.csv has them in clear, by id" in page
    assert "has them in clear" not in page_with(files)


def test_long_texts_are_truncated_and_a_kind_without_a_judge_has_no_column_of_one() -> None:
    [_, audit] = audits(failures(30, response="x" * 1000))
    [table] = audit_tables(task_page(replace(content(), audits=[replace(audit, votes={})])))
    assert {line[ANSWER] for line in table} == {f"{'x' * 300} … (1,000 characters)"}
    assert list(table[0])[-3:] == ["reason", "verdict", "person"]


def test_a_page_without_an_audit_has_no_section_of_it_and_an_empty_audit_has_no_rows() -> None:
    assert 'id="audit"' not in task_page(replace(content(), audits=[]))
    [audit, _] = audits([])
    page = task_page(replace(content(), audits=[audit]))
    assert audit_tables(page) == [[]]
    assert "Iteration 0: 0 rows, 0 with a person" in page
