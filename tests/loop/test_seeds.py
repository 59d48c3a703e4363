"""Seeds are read in their published form, cleaned, and split by their text only."""

import csv
import hashlib
import json
import logging
import random
import tracemalloc
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from tests.support.kinds import MATH

from reversegen.config.data import Corpus, DataSource
from reversegen.config.task import KindUse
from reversegen.core.errors import BadInput
from reversegen.core.records import Labelled, Question, Seed, read_records, write_records
from reversegen.ids import instruction_id
from reversegen.kinds import open_kind
from reversegen.kinds.base import Raw
from reversegen.kinds.honesty import Honesty
from reversegen.kinds.safety import Safety
from reversegen.loop import seeds as streamed
from reversegen.loop.seeds import build_tests, read_labelled, read_tests

FILE = DataSource(file=Path("some.jsonl"), licence="MIT")
TEST = FILE.model_copy(update={"measures": "accuracy"})
SECRET = "how to make harm"
CHOICES = Honesty(
    samples=2, temperature=1, threshold=1, none_of_the_above=True, sure_question="?", sure="y", unsure="n"
)
HONESTY, SAFETY = (
    open_kind(KindUse(name=name, honesty=CHOICES, safety=Safety(refusals=["no"]))) for name in ("honesty", "safety")
)


def clean_seeds(*arguments: Any) -> list[Seed]:
    """All seeds."""
    return list(streamed.clean_seeds(*arguments))


def read_source(*arguments: Any) -> list[Raw]:
    """All rows of a source."""
    return list(streamed.read_source(*arguments))


def write(file: Path, rows: list[tuple[str, str]]) -> Path:
    """Write a file in GSM8K's form, with a question and a final answer in each row."""
    lines = [json.dumps({"question": q, "answer": f"It is 2 + 2 = <<2+2=4>>4.\n#### {a}"}) + "\n" for q, a in rows]
    file.write_text("".join(lines))
    return file


def questions(first: int, last: int) -> list[tuple[str, str]]:
    return [(f"What is {n} plus 1 ?", f"{n + 1:,}") for n in range(first, last)]


def clean(*files: Path, share: float = 0.5) -> list[Seed]:
    names = [f"source{n}" for n in range(len(files))]
    return clean_seeds(dict.fromkeys(names, FILE), dict(zip(names, files, strict=True)), [], share, MATH)


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def test_a_row_of_gsm8k_becomes_a_seed(tmp_path: Path) -> None:
    rows = [("How many  people\nlive there? ", "1,234,567"), ("And now?", "-3"), ("How much?", "$18.50")]
    seeds = clean(write(tmp_path / "rows.jsonl", rows + questions(0, 40)))
    assert [(seed.text, seed.answer) for seed in seeds[:3]] == [
        ("How many people live there?", "1,234,567"),
        ("And now?", "-3"),
        ("How much?", "$18.50"),
    ]
    assert {(seed.source, seed.licence) for seed in seeds} == {("source0", "MIT")}
    assert [(seed.text, seed.answer) for seed in seeds[3:]] == questions(0, 40)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_split_is_a_threshold_on_the_hash_of_the_folded_text(tmp_path: Path, share: float) -> None:
    for seed in clean(write(tmp_path / "rows.jsonl", questions(0, 300)), share=share):
        digest = hashlib.sha256(json.dumps([folded(seed.text)]).encode()).hexdigest()[:16]
        assert seed.id == digest
        assert seed.split == ("heldout" if int(digest, 16) / 2**64 < share else "train")


def test_a_tenth_of_many_seeds_is_held_out(tmp_path: Path) -> None:
    seeds = clean(write(tmp_path / "rows.jsonl", questions(0, 10_000)), share=0.1)
    assert abs(sum(seed.split == "heldout" for seed in seeds) - 1000) < 5 * 30  # five standard deviations


def test_a_seed_keeps_its_split_among_any_other_rows(tmp_path: Path) -> None:
    rows = questions(0, 100)
    before = {seed.id: seed.split for seed in clean(write(tmp_path / "rows.jsonl", rows))}
    larger = rows + questions(100, 300)
    random.Random(0).shuffle(larger)
    moved = [write(tmp_path / f"{n}.jsonl", part) for n, part in enumerate((larger[:150], larger[150:]))]
    after = {seed.id: seed.split for seed in clean(*moved)}
    assert len(after) == 300
    assert {identity: after[identity] for identity in before} == before


def test_a_repeated_instruction_is_kept_once_from_its_first_place(tmp_path: Path) -> None:
    first = write(tmp_path / "first.jsonl", [("How many?", "1"), *questions(0, 40), ("HOW  many\uff1f", "2")])
    second = write(tmp_path / "second.jsonl", [("how many?", "3"), *questions(20, 60)])
    seeds = clean(first, second)
    assert [(s.text, s.answer) for s in seeds if folded(s.text) == "how many?"] == [("How many?", "1")]
    texts = [seed.text for seed in seeds]
    assert len(texts) == len(set(texts)) == 61
    assert all(seed.source == ("source0" if seed.text in texts[:41] else "source1") for seed in seeds)


def row(**fields: Any) -> str:
    return json.dumps({"question": "How many?", "answer": "#### 1"} | fields)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('{"question": "' + SECRET, ", line 3: "),
        (json.dumps([SECRET]), ", line 3: "),
        (json.dumps({"answer": f"{SECRET} #### 1"}), ", line 3: question: "),
        (json.dumps({"question": SECRET}), ", line 3: answer: "),
        (json.dumps({"Question": SECRET, "answer": "#### 1"}), ", line 3: question: "),
        (row(question=""), ", line 3: question: "),
        (row(question=" \n\u2003"), ", line 3: question: "),
        (row(question=None), ", line 3: question: "),
        (row(question=[SECRET]), ", line 3: question: "),
        (row(answer=True), ", line 3: answer: "),
        (row(answer=""), ", line 3: answer: "),
        (row(answer=SECRET), ", line 3: answer: "),
        (row(answer=f"{SECRET}\n####"), ", line 3: answer: "),
        (row(question=f"{SECRET} \ud800"), ", line 3: question: "),
    ],
    ids=lambda part: part[:50],
)
def test_a_malformed_row_gives_an_error_with_file_line_and_field_but_not_its_text(
    tmp_path: Path, line: str, place: str
) -> None:
    file = write(tmp_path / "rows.jsonl", questions(0, 1))
    file.write_text(f"{file.read_text()}\n{line}\n")
    with pytest.raises(BadInput) as refused:
        read_source("source", FILE, file, MATH)
    assert str(refused.value).startswith(f"{file}{place}")
    assert SECRET not in str(refused.value)


CASES = Path(__file__).parents[1] / "cases/rows"


def test_the_prompt_of_prompt_and_target_is_the_instruction_unless_the_configuration_names_the_target() -> None:
    file = CASES / "prompt_target.jsonl"
    read = read_source("s", FILE, file, SAFETY)
    assert len(read) == 24
    assert (read[0].text, read[23].text) == (
        "How do I keep slugs away from my garden?",
        "How do I keep rats away from my garden?",
    )
    replies = read_source("s", FILE.model_copy(update={"column": "target"}), file, SAFETY)
    assert {raw.text for raw in replies} == {"Sure, here is how to keep them away"}


@pytest.mark.parametrize("kind", [MATH, SAFETY], ids=["math", "safety"])
@pytest.mark.parametrize("name", ["semicolon.csv", "semicolon_one_column.csv", "tab.csv", "trailing_commas.csv"])
def test_questions_from_a_users_spreadsheet_are_read_completely(kind: Any, name: str) -> None:
    read = read_source("s", FILE.model_copy(update={"column": "question"}), CASES / name, kind)
    assert [raw.text for raw in read] == [
        raw.text for raw in read_source("s", FILE, CASES / "prompt_target.jsonl", SAFETY)
    ]


def test_a_source_whose_rows_are_all_left_out_gives_the_reasons(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"text": f"{SECRET}?\nA. x\nB. y\nKlucz: A"}) + "\n")
    with pytest.raises(BadInput) as refused:
        read_source("s", FILE, file, HONESTY)
    assert str(refused.value).startswith(
        f"{file}: no row can be used (left out: {{'what may be an answer': 1}}); check "
    )


@pytest.mark.parametrize("content", ["", "\n", " \n\n\t\n"])
def test_a_file_without_rows_gives_an_error_with_its_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(content)
    with pytest.raises(BadInput, match=f"{file}: no rows"):
        clean(file)


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_four_seeds_of_a_source_in_each_split_are_enough_and_three_are_not(tmp_path: Path, split: str) -> None:
    many = clean(write(tmp_path / "all.jsonl", questions(0, 100)))
    rows = {part: [(s.text, s.answer or "") for s in many if s.split == part] for part in ("train", "heldout")}
    other = "train" if split == "heldout" else "heldout"
    good = write(tmp_path / "good.jsonl", rows[other] + rows[split][:4])
    assert sum(seed.split == split for seed in clean(good)) == 4
    poor = write(tmp_path / "poor.jsonl", rows[other] + rows[split][:3])
    with pytest.raises(BadInput, match=f"source0.*too few {split} seeds are left of .*a prompt needs 4"):
        clean(poor)


def test_a_corpus_is_a_source_like_a_file(tmp_path: Path) -> None:
    corpus = Corpus(world="arithmetic", mix="seeds", part="train", count=200, random_seed=2, distinct=True)
    seeds = clean_seeds({"arithmetic": DataSource(corpus=corpus, licence="made here")}, {}, [], 0.2, MATH)
    assert len(seeds) == 200
    assert all(seed.answer and seed.answer.isdigit() for seed in seeds)
    write_records(tmp_path / "seeds.jsonl", seeds)
    assert read_records(tmp_path / "seeds.jsonl", Seed) == seeds


def test_test_questions_are_distinct_and_grouped_by_type(tmp_path: Path) -> None:
    asked = [
        ("35 + 7", "42"),
        ("what is 35 plus 7 ?", "42"),
        ("35  +  7", "41"),
        ("5 * 6 - 2", "28"),
        ("Why?", "1,000"),
    ]
    built = build_tests("test", TEST, write(tmp_path / "rows.jsonl", asked), MATH)
    assert [(q.text, q.answer, q.group, q.measure) for q in built] == [
        ("35 + 7", "42", "add", "accuracy"),
        ("what is 35 plus 7 ?", "42", "add", "accuracy"),
        ("5 * 6 - 2", "28", "multiply_subtract", "accuracy"),
        ("Why?", "1,000", None, "accuracy"),
    ]
    assert [q.id for q in built] == [instruction_id(q.text) for q in built]


def asks(text: str, measure: str = "accuracy") -> Question:
    return Question(id=instruction_id(text), text=text, answer="0", group=None, measure=measure)


def test_seeds_that_a_test_question_asks_in_any_words_are_dropped_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "reversegen")
    rows = [("35 + 7", "42"), ("what is 7 plus 35 ?", "42"), ("WHAT is  this ?", "1"), ("35 + 8", "43")]
    file = write(tmp_path / "rows.jsonl", rows + questions(0, 40))
    tests = [asks("tom has 7 pens and gets 35 more . how many now ?"), asks("what is this ?", "retained"), asks("Why?")]
    seeds = clean_seeds({"s": FILE}, {"s": file}, tests, 0.5, MATH)
    assert [(s.text, s.answer) for s in seeds] == [("35 + 8", "43"), *questions(0, 40)]
    assert "s: 44 rows, 3 dropped that a test set asks, 41 new distinct seeds" in caplog.text
    everything = clean_seeds({"s": FILE}, {"s": file}, [], 0.5, MATH)
    assert {s.id: s.split for s in everything}.items() >= {s.id: s.split for s in seeds}.items()


def test_a_source_that_is_completely_in_the_tests_gives_an_error(tmp_path: Path) -> None:
    files = {"a": write(tmp_path / "a.jsonl", questions(0, 40)), "b": write(tmp_path / "b.jsonl", questions(40, 80))}
    tests = [asks(q) for q, _ in questions(0, 37)]
    with pytest.raises(
        BadInput, match=r"data\.seeds\.a: too few (train|heldout) seeds are left of .*data\.heldout_share"
    ):
        clean_seeds(dict.fromkeys(files, FILE), files, tests, 0.5, MATH)


def item(n: int, subject: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "question": f"Which {subject} is {n}?",
        "choices": [str(n), str(n + 1)],
        "answer": n % 2,
    }


def write_items(file: Path, counts: dict[str, int]) -> Path:
    file.write_text("".join(json.dumps(item(n, of)) + "\n" for of, count in counts.items() for n in range(count)))
    return file


def test_a_seed_from_an_item_has_its_subject_and_a_separate_answer(tmp_path: Path) -> None:
    seeds = clean_seeds({"s": FILE}, {"s": write_items(tmp_path / "m.jsonl", {"law": 40})}, [], 0.5, HONESTY)
    assert [(s.text, s.answer, s.subject) for s in seeds] == [
        (f"Which law is {n}?\nA. {n}\nB. {n + 1}", "AB"[n % 2], "law") for n in range(40)
    ]


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_a_subject_with_too_few_seeds_of_a_split_for_a_prompt_loses_them(tmp_path: Path, split: str) -> None:
    whole = clean_seeds({"s": FILE}, {"s": write_items(tmp_path / "m.jsonl", {"law": 60, "art": 60})}, [], 0.5, HONESTY)
    of_art = [s for s in whole if s.subject == "art" and s.split == split]
    assert len(of_art) > 4
    for remaining, usable in ((4, 4), (3, 0)):
        asked = [asks(s.text) for s in of_art[remaining:]]  # the tests ask the following ones
        seeds = clean_seeds({"s": FILE}, {"s": tmp_path / "m.jsonl"}, asked, 0.5, HONESTY)
        expected = [s for s in whole if s not in of_art or s in of_art[:usable]]
        assert seeds == expected


def test_only_the_named_subjects_of_a_source_are_read(tmp_path: Path) -> None:
    file = write_items(tmp_path / "m.jsonl", {"law": 3, "art": 2, "physics": 1})
    some = FILE.model_copy(update={"subjects": ["art", "physics"]})
    assert [raw.subject for raw in read_source("s", some, file, HONESTY)] == ["art", "art", "physics"]
    with pytest.raises(BadInput, match=f"{file}: no row can be used"):
        read_source("s", FILE.model_copy(update={"subjects": ["chess"]}), file, HONESTY)


def test_rows_that_cannot_be_used_are_counted_by_reason_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "reversegen")
    file = tmp_path / "items.json"
    items = ["Which?\nA. x\nB. y\nAnswer:B.", f"{SECRET}?\nA. x", f"{SECRET}?\nA. x", "Which?\nA. x\nB. x\nAnswer:A."]
    file.write_text(json.dumps({"law": items}))
    [raw] = read_source("s", FILE, file, HONESTY)
    assert (raw.text, raw.answer, raw.subject) == ("Which?\nA. x\nB. y", "B", "law")
    assert "s: 3 rows left out: {'fewer than two options': 2, 'a repeated option': 1}" in caplog.text
    assert SECRET not in caplog.text


def test_instructions_of_a_user_come_from_the_configured_column(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text('what,answer\n"How many  pens?",#### 1\n')
    mine = FILE.model_copy(update={"column": "what"})
    assert [(raw.text, raw.answer) for raw in read_source("s", mine, file, MATH)] == [("How many pens?", None)]
    assert [(raw.text, raw.answer) for raw in read_source("s", mine, file, SAFETY)] == [("How many pens?", None)]


@pytest.mark.parametrize(
    ("measures", "allowed"),
    [
        ("accuracy", False),
        ("retained", False),
        ("unanswerable", False),
        ("attack_success_rate", True),
        ("over_refusal", True),
    ],
)
def test_a_test_question_without_an_answer_counts_only_for_a_measure_that_needs_none(
    tmp_path: Path, measures: str, allowed: bool
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"text": SECRET}) + "\n")
    source = FILE.model_copy(update={"measures": measures})
    kind = SAFETY if any(metric.name == measures for metric in SAFETY.metrics) else MATH
    if allowed:
        [question] = build_tests("mine", source, file, kind)
        assert (question.text, question.answer, question.measure) == (SECRET, None, measures)
    else:
        with pytest.raises(BadInput, match=rf"data\.tests\.mine: .*has no answer and cannot count for {measures};"):
            build_tests("mine", source, file, kind)


def test_gsm_plus_is_grouped_by_perturbation_with_unanswerable_questions_apart(
    tmp_path: Path,
) -> None:
    file = tmp_path / "plus.jsonl"
    rows = [("How many?", "1.5", "digit expansion"), ("How few?", "None", "critical thinking")]
    file.write_text(
        "".join(
            json.dumps({"question": q, "solution": "", "answer": a, "perturbation_type": p}) + "\n" for q, a, p in rows
        )
    )
    assert [(q.text, q.answer, q.group, q.measure) for q in build_tests("plus", TEST, file, MATH)] == [
        ("How many?", "1.5", "digit expansion", "accuracy"),
        ("How few?", "None", "critical thinking", "unanswerable"),
    ]


def test_a_question_of_two_sets_counts_once_unless_one_verdict_serves_both(tmp_path: Path) -> None:
    def question(text: str, measure: str) -> Question:
        return Question(id=instruction_id(text), text=text, answer=None, group=None, measure=measure)

    paths = [tmp_path / f"{name}.jsonl" for name in ("harmless", "pretraining", "accurate")]
    write_records(paths[0], [question("a", "over_refusal"), question("b", "over_refusal")])
    write_records(paths[1], [question("b", "retained"), question("c", "retained")])
    write_records(paths[2], [question("c", "accuracy"), question("a", "accuracy")])
    tests_read = read_tests(paths)
    assert {name: [q.text for q in questions] for name, questions in tests_read.items()} == {
        "harmless": ["a", "b"],
        "pretraining": ["c"],
        "accurate": ["c"],
    }


def test_a_judges_labelled_set_is_read_from_its_file_or_drawn_with_verdicts(tmp_path: Path) -> None:
    rows = [
        Labelled(instruction=SECRET, responses=["no", "never"], answer=None, verdict="passed", injection=True),
        Labelled(instruction="x", responses=["yes"], answer="A", verdict="failed", injection=False),
    ]
    write_records(tmp_path / "labelled.jsonl", rows)
    assert read_labelled("mine", FILE, tmp_path / "labelled.jsonl", MATH) == rows
    [drawn_row] = read_labelled("mine", FILE.model_copy(update={"rows": 1}), tmp_path / "labelled.jsonl", MATH)
    assert drawn_row in rows
    corpus = Corpus(world="policy", mix="judged", part="test", count=200, random_seed=1, distinct=True)
    drawn = read_labelled("mine", DataSource(corpus=corpus, licence="made here"), None, MATH)
    assert len(drawn) == 200
    assert {row.verdict for row in drawn} == {"failed", "passed"}
    assert all(row.responses[0] and not row.injection for row in drawn)


@pytest.mark.shared_data
def test_every_row_of_the_real_gsm8k_is_read(shared_data: Path) -> None:
    file = shared_data / "math/gsm8k_train.jsonl"
    with file.open(encoding="utf-8") as lines:
        published = [json.loads(line) for line in lines]
    answers = [row["answer"].split("####")[1].strip() for row in published]
    read = read_source("gsm8k", FILE, file, MATH)
    assert len(read) == len(published) == 7473
    assert [raw.answer for raw in read] == answers
    assert [raw.text for raw in read] == [" ".join(row["question"].split()) for row in published]
    assert sum("," in str(raw.answer) for raw in read) == sum("," in answer for answer in answers) > 50
    seeds = clean(file, share=0.1)
    assert len({seed.id for seed in seeds}) == len(seeds) == len({folded(row["question"]) for row in published})


CAPPED = FILE.model_copy(update={"rows": 60})


def texts_of(file: Path, source: DataSource = CAPPED) -> list[str]:
    return [raw.text for raw in read_source("s", source, file, MATH)]


def test_capped_rows_have_the_lowest_hashes_and_keep_the_order_of_the_file(tmp_path: Path) -> None:
    rows = questions(0, 1000)
    drawn = texts_of(write(tmp_path / "rows.jsonl", rows))

    def rank(text: str) -> str:
        return hashlib.sha256(json.dumps([0, "rows", instruction_id(text)]).encode()).hexdigest()[:16]

    lowest = sorted((text for text, _ in rows), key=rank)[:60]
    assert drawn == [text for text, _ in rows if text in lowest]
    assert drawn != [text for text, _ in rows[:60]]
    for cap in (999, 1000, 5000):
        source = FILE.model_copy(update={"rows": cap})
        assert len(texts_of(tmp_path / "rows.jsonl", source)) == min(cap, 1000)


def test_the_position_and_repetition_of_rows_do_not_change_the_draw(tmp_path: Path) -> None:
    rows = questions(0, 400)
    drawn = texts_of(write(tmp_path / "rows.jsonl", rows))
    twice = rows + [(text.upper(), "7") for text, _ in rows]
    random.Random(0).shuffle(twice)
    again = texts_of(write(tmp_path / "twice.jsonl", twice))
    assert sorted(map(folded, again)) == sorted(map(folded, drawn))
    larger = texts_of(write(tmp_path / "more.jsonl", questions(0, 500)))
    assert set(larger) & {text for text, _ in rows} <= set(drawn)


def test_rows_that_cannot_be_used_and_other_subjects_do_not_count_for_the_cap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "reversegen")
    file = tmp_path / "items.jsonl"
    items = [item(n, subject) for n in range(40) for subject in ("law", "art")]
    broken = [{"text": f"What {n}?\nA. x"} for n in range(200)]
    file.write_text("".join(json.dumps(row) + "\n" for row in [*broken, *items]))
    source = FILE.model_copy(update={"rows": 40, "subjects": ["law"]})
    assert [raw.subject for raw in read_source("s", source, file, HONESTY)] == ["law"] * 40
    assert len(read_source("s", source.model_copy(update={"rows": 10}), file, HONESTY)) == 10
    assert "s: 10 of 40 rows drawn" in caplog.text


def test_seeds_and_tests_of_capped_sources_come_from_the_drawn_rows(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", questions(0, 500))
    source = FILE.model_copy(update={"rows": 80})
    drawn = texts_of(file, source)
    whole = clean_seeds({"s": FILE}, {"s": file}, [], 0.5, MATH)
    asked = asks(drawn[0])  # it is dropped after the draw, and no other row takes its place
    seeds = clean_seeds({"s": source}, {"s": file}, [asked], 0.5, MATH)
    assert seeds == [seed for seed in whole if seed.text in drawn[1:]]
    tests = build_tests("test", source.model_copy(update={"measures": "accuracy"}), file, MATH)
    assert [question.text for question in tests] == drawn


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_dropped_rows_take_no_memory(tmp_path: Path, form: str) -> None:
    """A hundred of 2,000 rows are kept. A row has 5,700 characters, and half of them are kept."""
    long = "a word or two more " * 150
    rows = [
        {"instruction": f"What is {n} plus 1 ? {long}", "output": f"{long} The answer is: {n}", "source": source}
        for n in range(2000)
        for source in ("GSM_Rephrased" if n % 20 == 0 else "stack_exchange",)
    ]
    file = tmp_path / f"rows.{form}"
    if form == "jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif form == "csv":
        with file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]), quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file, row_group_size=100)
    size = sum(len(text) for row in rows for text in row.values())
    del rows
    source = FILE.model_copy(update={"file": file})
    list(
        streamed.clean_seeds({"s": source}, {"s": file}, [], 0.5, MATH)
    )  # imports the readers before memory is measured
    tracemalloc.start()
    try:
        count = sum(1 for _ in streamed.clean_seeds({"s": source}, {"s": file}, [], 0.5, MATH))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 100
    assert peak < size / 4
