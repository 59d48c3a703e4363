"""Files of people are checked before the first job, as their stages check them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.support.wildcards import wild
from tests.support.workflows import Workflow

from reversegen.config.load import read_yaml
from reversegen.core.errors import BadInput
from reversegen.core.records import Label, write_records
from reversegen.evaluation.audit import write_audit
from reversegen.reporting.reported import read_reported
from reversegen.workflow import file_checks
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.file_checks import FileChecks, check_audit

ROW = {"instruction_id": "a", "instruction": "x", "response": "y", "reference": "", "verdict": "passed", "person": ""}
GOOD = [json.dumps({"question": f"What is {n} + 1?", "answer": f"#### {n + 1}"}) for n in range(300)]


@pytest.fixture
def checks(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> FileChecks:
    """The checks of a task `mine`, whose seeds, tests and labelled set are mine.jsonl, asked.jsonl and judged.jsonl."""
    monkeypatch.chdir(workflow.folder)
    source = {"licence": "mine"}
    data = {
        "seeds": {"mine": {"file": "mine.jsonl", **source}},
        "tests": {"asked": {"file": "asked.jsonl", "measures": "accuracy", **source}},
        "judge": {"file": "judged.jsonl", **source},
    }
    workflow.write_task("mine", {"data": data})
    Path("mine.jsonl").write_text("\n".join(GOOD))
    Path("asked.jsonl").write_text(GOOD[0])
    return FileChecks(load_configuration(read_yaml(Path("config/config.yaml")), Path("config")), read_reported)


def fault(checks: FileChecks) -> str:
    with pytest.raises(BadInput) as error:
        checks.check()
    return str(error.value)


def test_the_files_of_stages_are_those_of_their_rules_and_are_checked_once(checks: FileChecks) -> None:
    for name in ("mine", "mine.s1", "mine.s2"):
        assert checks.seed_files(wild(name)) == ["mine.jsonl"]
        assert checks.test_file(wild(name, set="asked")) == ["asked.jsonl"]
        assert checks.labelled_files(wild(name)) == ["judged.jsonl"]  # a file that is missing is Snakemake's to report
        assert checks.audit_file(wild(name, arm="iter2")) == f"results/{name}/iter2/audit.csv"
    assert checks.reported_file(wild(table="math")).endswith("resources/reported.csv")
    assert len(checks.noted) == 2 + 3 + 1
    checks.check()


def test_every_faulty_file_has_a_line(checks: FileChecks) -> None:
    Path("mine.jsonl").write_text("[]")
    Path("asked.jsonl").write_text('{"question": "What is 1 + 1?"}')
    Path("judged.jsonl").write_text("{}")
    checks.seed_files(wild("mine"))
    checks.test_file(wild("mine", set="asked"))
    checks.labelled_files(wild("mine"))
    assert [line.partition(", ")[0] for line in fault(checks).splitlines()] == [
        "mine.jsonl",
        "asked.jsonl",
        "judged.jsonl",
    ]


def test_seeds_are_checked_as_a_whole(checks: FileChecks) -> None:
    Path("mine.jsonl").write_text("\n".join(GOOD[:5]))
    checks.seed_files(wild("mine"))
    assert "data.seeds.mine: too few" in fault(checks)


def test_of_a_large_file_the_first_rows_are_checked(checks: FileChecks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_checks, "LARGEST", 1000)
    monkeypatch.setattr(file_checks, "FIRST_ROWS", 100)
    checks.seed_files(wild("mine"))
    Path("mine.jsonl").write_text("\n".join([*GOOD[:100], "{}"]))
    checks.check()
    Path("mine.jsonl").write_text("\n".join([*GOOD[:99], "{}", *GOOD]))
    assert fault(checks).startswith("mine.jsonl, line 100: ")


def test_an_audit_is_compared_with_the_labels_that_it_was_made_of(tmp_path: Path) -> None:
    audit, labels = tmp_path / "audit.csv", tmp_path / "labels.jsonl"
    check_audit(audit, labels)
    write_audit(audit, [{**ROW, "person": "failed"}])
    check_audit(audit, labels)
    write_records(labels, [Label(instruction_id="b", verdict="passed", score=None, detail="")])
    os.utime(audit, (1, 1))
    check_audit(audit, labels)  # newer labels: the audit is written again
    os.utime(labels, (0, 0))
    with pytest.raises(BadInput, match="'a' is not in this iteration"):
        check_audit(audit, labels)
    write_audit(tmp_path / "audit.before.csv", [{**ROW, "verdict": "perhaps"}])
    with pytest.raises(BadInput, match=r"audit\.before\.csv, line 2: verdict"):
        check_audit(audit, labels)
