"""An audit shows every verdict, keeps a person's verdicts, and has the same agreement as scikit-learn."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from reversegen.core.errors import BadInput
from reversegen.core.escaping import visible
from reversegen.core.metric import Metric
from reversegen.core.records import Instruction, Judgement, Label, Reference, Response, write_records
from reversegen.evaluation.audit import (
    COLUMNS,
    agreement,
    audit_metrics,
    choose_rows,
    judged_rows,
    read_audit,
    write_audit,
)
from reversegen.evaluation.audit_draw import ROWS, VERDICTS
from reversegen.evaluation.proposer_files import Writing
from write_audit import main as write_audit_main


def world(counts: dict[tuple[str, str | None], int]) -> tuple[list[Instruction], list[Label]]:
    """The given numbers of instructions of each verdict and subject."""
    instructions, labels = [], []
    for (verdict, subject), count in counts.items():
        for n in range(count):
            identity = f"{verdict}-{subject}-{n}"
            instructions.append(
                Instruction(
                    id=identity,
                    text=f"text of {identity}",
                    answer=None,
                    subject=subject,
                    samples=["s"],
                    splits=["heldout"],
                    invalid=None,
                    duplicate_of=None,
                )
            )
            labels.append(Label(instruction_id=identity, verdict=verdict, score=None, detail=""))
    return instructions, labels


def verdicts(rows: Sequence[dict[str, str]]) -> Counter[str]:
    return Counter(row["verdict"] for row in rows)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({("failed", None): 2, ("passed", None): 900, ("invalid", None): 1}, {"failed": 2, "passed": 47, "invalid": 1}),
        (
            {("failed", None): 400, ("passed", None): 900, ("invalid", None): 99},
            {"failed": 17, "passed": 17, "invalid": 16},
        ),
        ({("failed", None): 3, ("passed", None): 4}, {"failed": 3, "passed": 4}),
        ({("passed", None): 70}, {"passed": 50}),
        ({}, {}),
    ],
)
def test_rows_are_taken_in_turns_from_the_verdicts(
    counts: dict[tuple[str, str | None], int], expected: dict[str, int]
) -> None:
    instructions, labels = world(counts)
    rows = choose_rows(instructions, labels, [], [], {}, (), 0)
    assert verdicts(rows) == expected
    assert len({row["instruction_id"] for row in rows}) == len(rows) <= ROWS
    assert all(row["instruction_id"].startswith(row["verdict"]) for row in rows)


@pytest.mark.parametrize(
    "subjects",
    [
        1,
        5,
        16,
        (28),
    ],
)
def test_every_verdict_is_among_the_rows_for_any_subjects(subjects: int) -> None:
    instructions, labels = world({(v, f"s{n}"): 9 for v in VERDICTS for n in range(subjects)})
    rows = choose_rows(instructions, labels, [], [], {}, (), 0)
    assert len(rows) == min(ROWS, len(labels))
    assert min(verdicts(rows)[v] for v in VERDICTS) >= min(9 * subjects, 15)
    for verdict in VERDICTS:  # of 16 or 17 rows at equal distances, no two are of one subject before all have one
        shown = {row["instruction_id"].split("-")[1] for row in rows if row["verdict"] == verdict}
        assert len(shown) >= min(subjects, 16)


def test_abstentions_have_turns_of_their_own_and_their_reason_is_beside_the_verdict() -> None:
    instructions, labels = world({("failed", None): 60, ("passed", None): 900})
    rare = {f"passed-None-{n}" for n in range(100, 110)}
    for n, label in enumerate(labels):
        if label.instruction_id in rare:
            labels[n] = label.model_copy(update={"abstained": True, "detail": "says that it does not know"})
    rows = choose_rows(instructions, labels, [], [], {}, (), 0)
    assert verdicts(rows) == {"failed": 20, "passed": 30}
    assert {row["instruction_id"] for row in rows if row["detail"]} == rare


def test_only_labelled_instructions_are_chosen_and_the_seed_decides_and_not_their_order() -> None:
    instructions, labels = world({("failed", None): 100, ("passed", "s"): 100})
    unlabelled = world({("invalid", None): 20})[0]
    rng = random.Random(0)
    chosen = choose_rows(instructions + unlabelled, labels, [], [], {}, (), 0)
    assert verdicts(chosen) == {"failed": 25, "passed": 25}
    mixed = [rng.sample(list(rows), len(rows)) for rows in (instructions + unlabelled, labels)]
    assert choose_rows(*mixed, [], [], {}, (), 0) == chosen
    assert choose_rows(instructions, labels, [], [], {}, (), 1) != chosen


def test_a_row_shows_all_answers_and_the_reference() -> None:
    instructions, labels = world({("failed", None): 2})
    first, second = (i.id for i in instructions)
    responses = [
        Response(instruction_id=first, sample=n, text=f"answer {n}", tokens=1, finished=True) for n in range(3)
    ]
    references = [Reference(instruction_id=first, answer="7", solution="it is 7", teacher="x", invalid=None)]
    rows = {row["instruction_id"]: row for row in choose_rows(instructions, labels, responses, references, {}, (), 0)}
    assert rows[first] == {
        "instruction_id": first,
        "instruction": f"text of {first}",
        "response": "answer 0\nanswer 1\nanswer 2",
        "reference": "it is 7",
        "person": "",
        "stratum": "other",
        "drawn": "2 of 2",
        "detail": "",
        "verdict": "failed",
    }
    assert (rows[second]["response"], rows[second]["reference"]) == ("", "")


def row(identity: str, verdict: str = "failed", response: str = "so", person: str = "") -> dict[str, str]:
    return {
        "instruction_id": identity,
        "instruction": "how ?",
        "response": response,
        "reference": "",
        "person": person,
        "stratum": "",
        "drawn": "",
        "detail": "",
        "verdict": verdict,
    }


def cells_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill(
    path: Path, verdict_of: dict[str, str], *, encoding: str = "utf-8", newline: str = "\n", delimiter: str = ","
) -> None:
    """Fill in verdicts as a person does in a spreadsheet."""
    rows = cells_of(path)
    with path.open("w", encoding=encoding, errors="replace", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, "", ""], lineterminator=newline, delimiter=delimiter)
        writer.writerow({name: name for name in COLUMNS})
        for n, one in enumerate(reversed(rows)):
            identity = one["instruction_id"].removeprefix("id-")
            writer.writerow({**one, "person": verdict_of.get(identity, one["person"])})
            if n % 9 == 0:
                writer.writerow({})


SAVED = [
    ("utf-8", "\n", ","),
    ("utf-8-sig", "\r\n", ","),
    ("utf-8-sig", "\r\n", ";"),  # Excel with a decimal comma
    ("cp1252", "\r\n", ";"),
    ("utf-16", "\r\n", "\t"),  # Excel's Unicode text
    ("mac_roman", "\r", ";"),
]


@pytest.mark.parametrize(("encoding", "newline", "delimiter"), SAVED)
def test_a_persons_verdict_is_kept_if_the_verdict_of_the_run_changes(
    tmp_path: Path, encoding: str, newline: str, delimiter: str
) -> None:
    path = tmp_path / "audit.csv"
    instructions, labels = world({("failed", None): 80, ("passed", None): 80})
    instructions = [i.model_copy(update={"text": f'Gr\u00fc\u00dfe; \u8c01, {i.id}\n"?"'}) for i in instructions]
    write_audit(path, choose_rows(instructions, labels, [], [], {}, (), 0))
    chosen = [one["instruction_id"] for one in read_audit(path)]
    filled_in = {chosen[0]: "failed", chosen[1]: " Passed ", chosen[2]: "INVALID"}
    fill(path, filled_in, encoding=encoding, newline=newline, delimiter=delimiter)
    filled = {one["instruction_id"]: one["person"] for one in read_audit(path) if one["person"]}
    assert filled == {identity: verdict.strip().lower() for identity, verdict in filled_in.items()}
    turned = [label.model_copy(update={"verdict": "passed"}) for label in labels]
    write_audit(
        path, choose_rows(instructions, turned, [], [], filled, (), 1)
    )  # a different draw and different verdicts
    again = read_audit(path)
    kept = [one["instruction_id"] for one in again if not one["drawn"]]
    assert len(again) == 50 + len(kept)
    assert {*kept} <= {*filled}
    assert [one["instruction_id"] for one in again[50:]] == kept
    assert {(one["stratum"], one["drawn"]) for one in again[:50]} == {("other", "50 of 160")}
    assert {one["instruction_id"]: one["person"] for one in again if one["person"]} == filled
    assert verdicts(again) == {"passed": len(again)}


NUMBERS = ["1234567890123456", "12e4567890123456", "00001e1000000000", "0000000000000012", "1e00000000000000"]


@pytest.mark.parametrize("identity", [*NUMBERS, "abcdef0123456789", "invalid-0000000000000012"])
def test_no_spreadsheet_reads_an_id_as_a_number(tmp_path: Path, identity: str) -> None:
    path = tmp_path / "audit.csv"
    write_audit(path, [row(identity)])
    [cells] = cells_of(path)
    with pytest.raises(ValueError, match="could not convert"):
        float(cells["instruction_id"])
    assert cells["instruction_id"][0].isalpha()
    [one] = read_audit(path)
    assert one["instruction_id"] == identity


def test_an_audit_from_before_ids_had_a_prefix_is_read(tmp_path: Path) -> None:
    path = tmp_path / "audit.csv"
    path.write_text(
        f"instruction_id,instruction,response,reference,verdict,person\n{NUMBERS[1]},how?,so,,failed,passed\n"
    )
    assert [(one["instruction_id"], one["person"]) for one in read_audit(path)] == [(NUMBERS[1], "passed")]


def test_a_file_that_libreoffice_saved_is_read() -> None:
    """LibreOffice 7.4 saved this `audit.csv` of eight rows with semicolons, and turned the text 3/4 into a date."""
    rows = read_audit(Path(__file__).parents[1] / "cases/audit_libreoffice.csv")
    assert [one["instruction_id"] for one in rows] == [
        "1234567890123456", "12e4567890123456", "00001e1000000000", "0000000000000012", "abcdef0123456789",
        "1e00000000000000", "9999999999999999", "123456789012345e",
    ]  # fmt: skip
    assert [one["person"] for one in rows] == ["", "passed"] * 4
    assert rows[4]["instruction"] == 'Gr\u00fc\u00dfe; \u00e4\u00f6\u00fc, "quoted"\nsecond line'


def test_columns_that_a_person_added_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "audit.csv"
    write_audit(path, [row("a")])
    path.write_text("note," + path.read_text(encoding="utf-8-sig").replace("\n", "\nwhy?,", 1))
    assert [list(one) for one in read_audit(path)] == [list(COLUMNS)]
    write_audit(path, read_audit(path))


@pytest.mark.parametrize(
    "response",
    [
        "",
        " ",
        "1,2;3\t4",
        'say "x"',
        "1\n\n2\r\n3",
        "\ufeff",
        "\x00",
        "\u2028",
        "x" * 100_000,
        ("1\r2"),
        ("x" * 131_073),
    ],
)
def test_a_written_audit_is_read_unchanged(tmp_path: Path, response: str) -> None:
    path = tmp_path / "audit.csv"
    write_audit(path, [row("a", response=response), row("b")])
    read = read_audit(path)
    assert [one["instruction_id"] for one in read] == ["a", "b"]
    assert read[0]["response"] == visible(response)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("x")',
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        ("\r=1"),
        ("\n=1"),
        ("\uff1d1+1"),
    ],
)
def test_formulas_are_defused_in_every_column(tmp_path: Path, text: str) -> None:
    path = tmp_path / "audit.csv"
    write_audit(path, [{**row(text, response=text), "instruction": text, "reference": text}])
    [cells] = cells_of(path)
    shown = text.replace("\r", "[U+000D]")  # no spreadsheet reads this as a formula
    texts = [cells[name] for name in ("instruction", "response", "reference")]
    assert texts == [shown if shown != text else f"'{text}"] * 3
    assert cells["instruction_id"].startswith("id-")


def test_a_plain_text_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "audit.csv"
    write_audit(path, [row("a", response="1 = 1, a-b, 'x' @ y")])
    assert read_audit(path)[0]["response"] == "1 = 1, a-b, 'x' @ y"


@pytest.mark.parametrize("seed", range(20))
def test_agreement_and_kappa_equal_those_of_scikit_learn(seed: int) -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = random.Random(seed)
    rows = [row(f"{n}", rng.choice(VERDICTS)) for n in range(rng.choice([2, 9, 50]))]
    for one in rows:
        one["person"] = rng.choices([one["verdict"], rng.choice(VERDICTS), ""], [5, 3, 2])[0]
    both = [(one["verdict"], one["person"]) for one in rows if one["person"]]
    metrics = agreement(rows)
    if not both:
        empty = Metric(value=None, reason="no person has filled in audit.csv")
        counted = empty.model_copy(update={"count": 0, "total": 0})
        assert metrics == {"audit_agreement": counted, "audit_kappa": empty}
        return
    same = sum(a == b for a, b in both)
    assert (metrics["audit_agreement"].count, metrics["audit_agreement"].total) == (same, len(both))
    assert metrics["audit_agreement"].value == pytest.approx(same / len(both), abs=1e-6)
    theirs = cohen_kappa_score(*zip(*both, strict=True)) if len({v for pair in both for v in pair}) > 1 else None
    assert metrics["audit_kappa"].value == (None if theirs is None else pytest.approx(theirs, abs=1e-6))


def test_kappa_by_hand() -> None:
    """A table of 50 rows: 20 + 15 agree and 5 + 10 do not. The agreement is 0.7, and 0.5 by chance."""
    pairs = [("failed", "failed", 20), ("failed", "passed", 5), ("passed", "failed", 10), ("passed", "passed", 15)]
    rows = [row("x", verdict, person=person) for verdict, person, n in pairs for _ in range(n)]
    metrics = agreement(rows)
    assert metrics["audit_agreement"] == Metric(value=0.7, count=35, total=50)
    assert metrics["audit_kappa"] == Metric(value=0.4)
    one = agreement([row("x", person="failed")] * 3)["audit_kappa"]
    assert one == Metric(value=None, reason="one verdict is all that either gave")
    assert agreement([row("x")])["audit_agreement"].value is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "instruction_id,verdict,person\na,failed,fail\n",
            "line 2: person: the cell is not one of failed, passed, invalid; give one",
        ),
        ("instruction_id,verdict,person\na,failed,\nb,failed,yes\n", "line 3: person: the cell is not one of"),
        ("instruction_id,verdict\na,failed\n", "line 1: no column 'person' among 2"),
        ("", "no column 'instruction_id', 'person', 'verdict' among 0"),
        (
            "instruction_id;verdict;person\na;failed;fail\n",
            "line 2: person: the cell is not one of failed, passed, invalid; give one",
        ),
        ("instruction_id|verdict|person\na|failed|passed\n", "no column 'instruction_id', 'person', 'verdict' among 1"),
        ('instruction_id,verdict,person\na,failed,"\nb,failed,\n', "line 2: a quotation mark is not closed"),
        ("instruction_id,verdict,person\na,oops,failed\n", "line 2: verdict"),
        ("instruction_id,verdict,person\na,failed\n", "line 2"),
        (
            "instruction_id,verdict,person\na,failed,\na,failed,passed\n",
            "line 3: instruction_id: a occurs twice; remove",
        ),
    ],
)
def test_faults_name_file_line_and_column(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "audit.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as fault:
        read_audit(path)
    assert str(fault.value).startswith(str(path))
    assert message in str(fault.value)


def test_verdicts_come_from_the_labels_and_only_labelled_instructions_count(tmp_path: Path) -> None:
    path = tmp_path / "audit.csv"
    _, labels = world({("failed", None): 2})
    edited = "instruction_id,verdict,person\n,,\nfailed-None-0,passed,passed\nfailed-None-1,failed,failed\n"
    path.write_text(edited)
    metrics = agreement(judged_rows(path, labels))
    assert metrics["audit_agreement"] == Metric(value=0.5, count=1, total=2)
    path.write_text(edited + "zzz,failed,failed\n")
    with pytest.raises(BadInput, match="instruction_id: 'zzz' is not in this iteration; remove"):
        judged_rows(path, labels)


def test_a_persons_verdicts_are_set_aside_if_the_iteration_has_other_texts(tmp_path: Path) -> None:
    path, (instructions, labels) = tmp_path / "audit.csv", world({("failed", None): 60})
    for name, records in {"instructions": instructions, "labels": labels}.items():
        write_records(tmp_path / f"{name}.jsonl", records)
    (tmp_path / "none.jsonl").touch()
    gone = [row(f"before-{n}", person="passed") for n in range(3)]
    for some in (gone[:2], gone[1:]):  # twice, since rows that were set aside before must stay
        write_audit(path, some)
        files = (tmp_path / f"{name}.jsonl" for name in ("instructions", "labels", "none"))
        write_audit_main(*files, [], [], [], path, 0)
        assert {one["instruction_id"] for one in read_audit(path)} <= {i.id for i in instructions}
    assert [one["instruction_id"] for one in read_audit(tmp_path / "audit.before.csv")] == [
        f"before-{n}" for n in range(3)
    ]


def test_the_first_rows_are_those_on_which_judges_disagree(tmp_path: Path) -> None:
    """Answers that failed by one judge of three and passed by another. A judge that gave no verdict disagrees with nobody."""
    instructions, labels = world({("failed", None): 30, ("passed", None): 90})
    ids = [one.id for one in instructions]
    votes = {
        "one": dict.fromkeys(ids[:60], "failed"),
        "two": {ids[3]: "passed", ids[4]: "invalid"},
        "held": {ids[4]: "failed", ids[70]: "failed"},
    }
    for name, given in votes.items():
        write_records(
            tmp_path / f"{name}.jsonl",
            [
                Judgement(instruction_id=i, verdict=given.get(i, "passed"), score=None, detail="", refusal=None)
                for i in ids[:80]
            ],
        )
    files = {name: tmp_path / f"{name}.jsonl" for name in ("instructions", "labels", "responses", *votes)}
    write_records(files["instructions"], instructions)
    write_records(files["labels"], labels)
    write_records(files["responses"], list[Response]())
    audit = tmp_path / "audit.csv"
    write_audit_main(files["instructions"], files["labels"], files["responses"], [], [files["one"]], [], audit, 0)
    assert {row["stratum"] for row in read_audit(audit)} == {"other"}
    write_audit_main(
        files["instructions"],
        files["labels"],
        files["responses"],
        [],
        [files["one"], files["two"]],
        [files["held"]],
        audit,
        0,
    )
    rows = read_audit(audit)
    apart = [row for row in rows if row["stratum"] == "disagreement"]
    assert [row["stratum"] for row in rows[:2]] == ["disagreement", "disagreement"]
    assert {row["instruction_id"] for row in apart} <= {*ids[:60], ids[70]} - {ids[4]}
    # 30 failed by the labels, without the one on which the readable votes agree; 30 passed, and the one of the hold-out judge
    assert {(row["verdict"], row["drawn"].partition(" of ")[2]) for row in apart} == {
        ("failed", "29"),
        ("passed", "31"),
    }


def test_the_failure_rate_is_corrected_by_the_drawn_rows_alone(tmp_path: Path) -> None:
    instructions, labels = world({("failed", None): 30, ("passed", None): 90})
    path, writing = tmp_path / "audit.csv", Writing([], instructions, labels)
    rows = choose_rows(instructions, labels, [], [], {}, (), 0)
    assert {(one["verdict"], one["drawn"]) for one in rows} == {("failed", "25 of 30"), ("passed", "25 of 90")}
    write_audit(path, rows)
    empty = audit_metrics([path], writing, (), 0)["failure_rate_audited"]
    assert empty == Metric(value=None, reason="no person has filled in audit.csv")
    failed = [one["instruction_id"] for one in rows if one["verdict"] == "failed"][:20]
    passed = [one["instruction_id"] for one in rows if one["verdict"] == "passed"][:2]
    left = {one.id for one in instructions} - {one["instruction_id"] for one in rows}
    kept = {**row(max(left), "passed"), "person": "failed"}  # from an earlier draw: it decides no rate
    persons = dict.fromkeys([*failed, *passed], "failed")
    write_audit(path, [*({**one, "person": persons.get(one["instruction_id"], "passed")} for one in rows), kept])
    metrics = audit_metrics([path], writing, (), 0)
    # 20 of 25 stand for 24 of 30, and 2 of 25 for 7.2 of 90
    assert metrics["failure_rate_audited"].value == pytest.approx(31.2 / 120)
    assert metrics["failure_rate_audited"].count is None
    assert (metrics["audit_agreement"].count, metrics["audit_agreement"].total) == (43, 51)


def test_a_missing_file_is_an_error_to_read_but_not_to_write(tmp_path: Path) -> None:
    path = tmp_path / "deeper/audit.csv"
    with pytest.raises(BadInput, match="not a readable file"):
        read_audit(path)
    write_audit(path, [])
    assert path.read_text(encoding="utf-8-sig") == ",".join(f'"{name}"' for name in COLUMNS) + "\n"
    assert read_audit(path) == []
