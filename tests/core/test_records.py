"""Records are read as they were written, with any text, and a row that does not fit is reported without its text."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reversegen.core import records
from reversegen.core.errors import BadInput
from reversegen.core.failure_records import Cluster, Failure, FailureText
from reversegen.core.files import numbered_lines
from reversegen.core.records import (
    Instruction,
    Label,
    Message,
    Opening,
    Pair,
    Record,
    Sample,
    Seed,
    TrainingRow,
    read_answers,
    read_records,
    write_records,
)
from reversegen.engines.endpoint.calls import Call, EarlierAnswer
from reversegen.worlds.facts.table import Fact

SEPARATORS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
ODD = f'"quoted" \\n \\u2028 {SEPARATORS} \t\0\x7f \ufeff\u200b\u202e e\u0301 \U0001f600 </s> {{"a": 1}}'
SECRET = "how to make harm"

ROWS: list[Record] = [
    Fact(relation="capital", unit="AO", subject=(ODD, "b"), answer=("",), popularity=0.5),
    Seed(id=ODD, text=ODD, split="train", source=ODD, licence=ODD, answer=None, subject=ODD),
    Seed(id="", text="", split="heldout", source="", licence="", answer=ODD, subject=None),
    records.Question(id="q", text=ODD, answer=ODD, group=None, measure="over_refusal"),
    records.Prompt(id="p", split="heldout", text=ODD, seeds=[ODD, "", "c"], subject=ODD),
    Sample(id="s", prompt_id="p", split="train", subject=None, sample=0, text=ODD, tokens=2**40, finished=False),
    Instruction(
        id="i",
        text=ODD,
        answer=ODD,
        subject="",
        samples=[],
        splits=["heldout", "train"],
        invalid=ODD,
        duplicate_of=None,
    ),
    records.Response(instruction_id="i", sample=1, text=ODD, tokens=0, finished=True),
    records.Reference(instruction_id="i", answer=None, solution=ODD, teacher="l", invalid="none"),
    records.Reference(instruction_id="i", answer=ODD, solution=ODD, teacher="l", invalid=None, aliases=[ODD, ""]),
    records.Judgement(instruction_id="i", verdict="failed", score=0.1 + 0.2, detail=ODD, refusal=None),
    records.Judgement(instruction_id="i", verdict="passed", score=None, detail="", refusal=True, categories=[ODD]),
    records.Confidence(question_id="q", option=None, answer=0.0, sure=1e-06),
    records.Frequency(question_id="q", right=None, share=0.1 + 0.2),
    records.Frequency(question_id="q", right=True, share=1.0),
    records.Labelled(instruction=ODD, responses=[ODD, ""], answer=None, verdict="failed", injection=True),
    Opening(answer=ODD, refuses=True, language="en", part="measured"),
    Label(instruction_id="i", verdict="invalid", score=None, detail=ODD),
    Label(instruction_id="i", verdict="failed", score=0.1 + 0.2, detail="", category=ODD),
    Label(instruction_id="i", verdict="passed", score=-1e-300, detail="", abstained=True),
    Failure(
        instruction_id="i",
        cluster=0,
        iteration=3,
        group=ODD,
        samples=1,
        characters=2,
        detail=ODD,
        score=0.1 + 0.2,
        text=ODD,
        response=None,
        reference=ODD,
    ),
    Cluster(
        number=0,
        label=ODD,
        terms=[ODD, ""],
        vectors="tf-idf",
        failed=2,
        passed=2,
        abstained=1,
        failed_by_iteration=[1, 1],
        passed_by_iteration=[0, 2],
        abstained_by_iteration=[0, 1],
        examples=["i"],
        groups={ODD: 1},
    ),
    FailureText(instruction_id="i", text=ODD, response=ODD, reference=None),
    records.ChosenInstruction(id="i", text=ODD, sources=["reversegen", "warmup"]),
    Pair(prompt=ODD, chosen=ODD, rejected=ODD, chosen_id="c", rejected_id="r", pairing="earlier_pass"),
    TrainingRow(prompt=ODD, completion=f" {ODD}", instruction_id="i", origin="seed"),
    TrainingRow(
        prompt=[Message(role="system", content=ODD), Message(role="user", content=ODD)],
        completion=[Message(role="assistant", content=ODD)],
        instruction_id="i",
        origin="replay",
    ),
    Call(
        key="k",
        status=200,
        tokens_in=3,
        tokens_out=5,
        batch=False,
        answers=[EarlierAnswer(text=SECRET, tokens=5, finished=True)],
    ),
]


def test_every_record_class_is_among_the_rows() -> None:
    assert {type(row) for row in ROWS} == set(Record.__subclasses__()) - {EarlierAnswer, Message}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_a_record_comes_back_as_it_was_written(tmp_path: Path, row: Record) -> None:
    file = tmp_path / "rows.jsonl"
    write_records(file, [row, row, row])
    assert read_records(file, type(row)) == [row, row, row]
    lines = file.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == [row.model_dump(mode="json")] * 3


ANSWERED = Label(instruction_id="a", verdict="passed", score=None, detail="")


@pytest.mark.parametrize(
    ("ids", "faults"),
    [
        ("ab", None),
        ("ba", None),
        ("a", "nothing for 1"),
        ("", "nothing for 2"),
        ("abc", "unknown ids: 1"),
        ("aba", "twice: 1"),
        ("aac", "nothing for 1, unknown ids: 1, twice: 1"),
    ],
)
def test_answers_must_be_to_exactly_the_ids_that_were_asked(tmp_path: Path, ids: str, faults: str | None) -> None:
    file = tmp_path / "labels.jsonl"
    rows = [ANSWERED.model_copy(update={"instruction_id": i}) for i in ids]
    write_records(file, rows)
    if faults is None:
        assert read_answers(file, Label, "ab") == rows
        return
    with pytest.raises(BadInput, match=re.escape(f"{file}: does not fit the 2 ids that were asked ({faults})")):
        read_answers(file, Label, "ab")


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    write_records(tmp_path / "rows.jsonl", [])
    assert (tmp_path / "rows.jsonl").read_bytes() == b""
    assert read_records(tmp_path / "rows.jsonl", Seed) == []


SAMPLE = {
    "id": "s", "prompt_id": "p", "split": "train", "subject": None, "sample": 0, "text": SECRET, "tokens": 3,
    "finished": True,
}  # fmt: skip
LABEL = {"instruction_id": "i", "verdict": "failed", "score": 0.5, "detail": SECRET}
PAIR = {"prompt": SECRET, "chosen": SECRET, "rejected": SECRET, "chosen_id": "c", "rejected_id": "r"}
ROW = {"prompt": SECRET, "completion": SECRET, "instruction_id": "i", "origin": "seed"}
JUDGEMENT = {"instruction_id": "i", "verdict": "failed", "score": None, "detail": SECRET, "refusal": False}
LABELLED = {"instruction": SECRET, "responses": [SECRET], "answer": None, "verdict": "failed", "injection": False}
CONFIDENCE = {"question_id": "q", "option": "A", "answer": 0.5, "sure": 0.5}
QUESTION = {"id": "q", "text": SECRET, "answer": None, "group": None, "measure": "accuracy"}
WHOLE = ""


@pytest.mark.parametrize(
    ("record", "line", "field"),
    [
        (Sample, SAMPLE | {"gold": SECRET}, "gold"),
        (Sample, {key: value for key, value in SAMPLE.items() if key != "split"}, "split"),
        (Sample, SAMPLE | {"split": SECRET}, "split"),
        (Sample, SAMPLE | {"tokens": SECRET}, "tokens"),
        (Sample, SAMPLE | {"tokens": "3"}, "tokens"),
        (Sample, SAMPLE | {"tokens": 3.5}, "tokens"),
        (Sample, SAMPLE | {"tokens": True}, "tokens"),
        (Sample, SAMPLE | {"tokens": None}, "tokens"),
        (Sample, SAMPLE | {"finished": 1}, "finished"),
        (Sample, SAMPLE | {"finished": SECRET}, "finished"),
        (Sample, SAMPLE | {"text": 5}, "text"),
        (Sample, SAMPLE | {"text": [SECRET]}, "text"),
        (Label, LABEL | {"verdict": SECRET}, "verdict"),
        (Label, LABEL | {"score": SECRET}, "score"),
        (Pair, PAIR, "pairing"),
        (TrainingRow, ROW | {"prompt": [{"role": SECRET, "content": SECRET}]}, "prompt"),
        (TrainingRow, ROW | {"prompt": {"role": "user", "content": SECRET}}, "prompt"),
        (TrainingRow, ROW | {"completion": [{"role": "user", "content": SECRET, "gold": SECRET}]}, "completion"),
        (Sample, json.dumps(SAMPLE)[:-3], WHOLE),
        (Sample, json.dumps(SAMPLE) + f' "{SECRET}"', WHOLE),
        (Sample, json.dumps(SAMPLE).replace("}", f", {SECRET}}}"), WHOLE),
        (Sample, SECRET, WHOLE),
        (Sample, [SECRET], WHOLE),
        (Sample, json.dumps(SECRET), WHOLE),
        (Sample, "null", WHOLE),
        (Sample, "[" * 100_000, WHOLE),
        (records.Judgement, JUDGEMENT | {"verdict": SECRET}, "verdict"),
        (records.Judgement, JUDGEMENT | {"refusal": SECRET}, "refusal"),
        (records.Labelled, LABELLED | {"responses": SECRET}, "responses"),
        (records.Labelled, LABELLED | {"responses": [SECRET, None]}, "responses"),
        (records.Labelled, LABELLED | {"verdict": "invalid"}, "verdict"),
        (records.Labelled, LABELLED | {"injection": "true"}, "injection"),
        (records.Confidence, CONFIDENCE | {"sure": SECRET}, "sure"),
        (records.Question, {k: v for k, v in QUESTION.items() if k != "measure"}, "measure"),
    ],
    ids=lambda part: part.__name__ if isinstance(part, type) else str(part)[:30],
)
def test_a_row_that_does_not_fit_is_named_with_file_line_and_field_and_without_its_text(
    tmp_path: Path, record: type[Record], line: Any, field: str
) -> None:
    file = tmp_path / "rows.jsonl"
    text = line if isinstance(line, str) else json.dumps(line)
    whole: list[tuple[type[Record], dict[str, Any]]] = [
        (Sample, SAMPLE),
        (Label, LABEL),
        (Pair, PAIR | {"pairing": "same_prompt"}),
        (TrainingRow, ROW),
        (records.Judgement, JUDGEMENT),
        (records.Labelled, LABELLED),
        (records.Confidence, CONFIDENCE),
        (records.Question, QUESTION),
    ]
    good = dict(whole)[record]
    file.write_text(f"{json.dumps(good)}\n \n{text}\n{json.dumps(good)}\n")
    with pytest.raises(BadInput) as refused:
        read_records(file, record)
    message = str(refused.value)
    place = f"{file}, line 3: "
    assert message.startswith((f"{place}{field}: ", f"{place}{field}.") if field else place)
    assert SECRET not in message
    assert len(message.splitlines()) == 1


REFERENCE = {"instruction_id": "i", "answer": "7", "solution": SECRET, "invalid": None}


@pytest.mark.parametrize(
    ("record", "row", "message"),
    [
        (records.Reference, REFERENCE | {"labeller": "l"}, "labeller: is now `teacher`"),
        (
            records.Labelled,
            {k: v for k, v in LABELLED.items() if k != "injection"} | {"canary": False},
            "canary: is now `injection`",
        ),
        (Label, LABEL | {"labeller": "l"}, "labeller: Extra inputs are not permitted"),
    ],
)
def test_a_field_of_an_old_file_is_refused_with_its_new_name(
    tmp_path: Path, record: type[Record], row: dict[str, Any], message: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(BadInput) as refused:
        read_records(tmp_path / "rows.jsonl", record)
    assert str(refused.value) == f"{tmp_path / 'rows.jsonl'}, line 1: {message}"


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    file = tmp_path / "rows.txt"
    file.write_bytes(f"one{SEPARATORS[2:]}one\n\n \t\nfour\r\nfive".encode())
    assert list(numbered_lines(file)) == [(1, f"one{SEPARATORS[2:]}one"), (4, "four"), (5, "five")]


@pytest.mark.parametrize("content", [None, "a folder", b'{"id": "\xff"}\n', '{"id": "x"}\n'.encode("utf-16")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "rows.jsonl"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        file.mkdir()
    with pytest.raises(BadInput, match=str(file)):
        read_records(file, Seed)


@pytest.mark.parametrize(
    ("invalid", "duplicate_of", "splits", "asked"),
    [
        (None, None, ["train"], True),
        (None, None, ["heldout"], True),
        (None, "other", ["train"], False),
        (None, "other", ["heldout", "train"], True),
        ("empty", None, ["train"], False),
        ("empty", None, ["heldout"], False),
        ("empty", "other", ["heldout", "train"], False),
    ],
)
def test_an_instruction_is_asked_if_it_is_well_formed_and_kept_or_held_out(
    invalid: str | None, duplicate_of: str | None, splits: Any, asked: bool
) -> None:
    row = Instruction(
        id="i",
        text="",
        answer=None,
        subject=None,
        samples=[],
        splits=splits,
        invalid=invalid,
        duplicate_of=duplicate_of,
    )
    assert row.asked is asked
