"""What names a held-out unit of a world, such as a country that a test is about, is asked and counted but trains nothing."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.support.facts import place_table
from tests.support.kinds import MATH
from tests.support.wildcards import shipped

from reversegen.config.data import DataSource
from reversegen.config.task import Deduplication, Evaluation, KindUse
from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.core.records import (
    Instruction,
    Label,
    Pair,
    Prompt,
    Question,
    Reference,
    Response,
    Sample,
    Seed,
    TrainingRow,
)
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.evaluation.proposer import evaluate_proposer
from reversegen.evaluation.proposer_files import Writing
from reversegen.ids import instruction_id
from reversegen.kinds import open_kind
from reversegen.kinds.base import Kind
from reversegen.loop.barred import Barred
from reversegen.loop.contamination import HELDOUT, KeptOut, find_contamination, taught
from reversegen.loop.enhancement import LabelledArm, select_rows
from reversegen.loop.instructions import collect_instructions
from reversegen.loop.pairs import judged_instructions
from reversegen.loop.seeds import clean_seeds

GRAMS = Deduplication(ngram=3, threshold=0.999)
ASKED = "What is the capital of Angola?"
"""The test question. Of the other held-out units, such as Jordan, no test question asks."""
NAMING = ["Which currency is used in Angola?", "In which country is Luanda?", "How many kwanza does LOANDA cost?"]
"""Instructions about the same unit, in other words and of other relations."""
FREE = ["What is the capital of Chad?", "What is the capital of Jordan?", "Which currency is used in Japan?"]


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    place_table(tmp_path, monkeypatch)
    return open_kind(KindUse(name="math", worlds=["facts"]))


def question(text: str) -> Question:
    return Question(id=instruction_id(text), text=text, answer="0", group=None, measure="accuracy")


def sample(number: int, text: str, split: Any = "train") -> Sample:
    return Sample(
        id=f"s{number}", prompt_id="p", split=split, subject=None, sample=number, text=text, tokens=5, finished=True
    )


def instruction(number: int, text: str, split: Any = "train") -> Instruction:
    return Instruction(
        id=instruction_id(text),
        text=text,
        answer=None,
        subject=None,
        samples=[f"s{number}"],
        splits=[split],
        invalid=None,
        duplicate_of=None,
    )


def label(text: str, verdict: Any = "failed") -> Label:
    return Label(instruction_id=instruction_id(text), verdict=verdict, score=None, detail="")


def test_a_kind_knows_units_only_if_a_world_of_its_task_has_them(kind: Kind) -> None:
    assert kind.entities is not None
    assert kind.entities("Jordan and Chad") == {"JO"}
    assert MATH.entities is None
    assert open_kind(KindUse(name="math", worlds=["arithmetic", "facts"])).entities is not None


def test_an_instruction_is_barred_if_it_names_what_a_test_question_is_about(kind: Kind) -> None:
    barred = Barred([question(ASKED)], kind)
    assert [barred(instruction_id(text), text) for text in NAMING] == [True] * 3
    assert [barred(instruction_id(text), text) for text in FREE] == [False] * 3
    assert not any(Barred([], kind)(instruction_id(text), text) for text in NAMING)
    assert not Barred([question(ASKED)], MATH)(instruction_id(NAMING[0]), NAMING[0])


def test_no_pair_has_a_side_that_names_a_held_out_unit(kind: Kind) -> None:
    texts = [*NAMING, *FREE]
    judged = judged_instructions(
        [instruction(n, text) for n, text in enumerate(texts)],
        [label(text) for text in texts],
        [sample(n, text) for n, text in enumerate(texts)],
        [Prompt(id="p", split="train", text="the prompt", seeds=[], subject=None)],
        Barred([question(ASKED)], kind),
        kind,
    )
    assert [one.item for one in judged] == FREE
    assert [one.type for one in judged] == ["capital", "capital", "currency"]


def test_no_source_of_enhancement_has_a_row_that_names_a_held_out_unit(kind: Kind) -> None:
    def arm(verdict: str, places: list[int]) -> LabelledArm:
        texts = [text for n in places for text in (NAMING[n], FREE[n])]
        references = [
            Reference(instruction_id=instruction_id(t), answer="1", solution="#### 1", teacher="facts", invalid=None)
            for t in texts
        ]
        rows = [instruction(n, text) for n, text in enumerate(texts)]
        return LabelledArm(rows, [label(text, verdict) for text in texts], references)

    def seed(text: str) -> Seed:
        identity = instruction_id(text)
        return Seed(id=identity, text=text, split="train", source="s", licence="l", answer=None, subject=None)

    warmup = [arm("failed", [0, 1]), arm("passed", [2])]
    responses = {
        i.id: [Response(instruction_id=i.id, sample=0, text="#### 2", tokens=1, finished=True)]
        for one in warmup
        for i in one.instructions
    }
    enhancement = shipped().task("tiny-math").enhancement.model_copy(update={"rows": 50, "replay_rows": 9})
    trusted = Reference(instruction_id="", answer="1", solution="#### 1", teacher="facts", invalid=None)
    selection = select_rows(
        trained=[arm("failed", [0, 1, 2])],
        warmup=warmup,
        seeds=[(seed(text), trusted, "failed") for text in (*NAMING, *FREE)],
        responses=responses,
        barred=Barred([question(ASKED)], kind),
        enhancement=enhancement,
        system=None,
        random_seed=0,
    )
    rows = {name: [text for row in several for _, text in taught(row)] for name, several in selection.rows.items()}
    assert all(texts and not {*texts} & {*NAMING} for texts in rows.values()), rows
    assert {*rows["reversegen"]} - {FREE[2]} <= {*FREE[:2]}
    assert selection.overlaps == {"reversegen": 3, "warmup": 3, "warmup_failures": 2, "seeds": 3}


def test_no_seed_and_so_no_warmup_row_names_a_held_out_unit(kind: Kind, tmp_path: Path) -> None:
    countries = ["Chad", "Georgia", "Japan", "Canada", "France", "Mexico", "Netherlands", "Guinea-Bissau"]
    free = [
        f"{start} {name}?" for name in countries for start in ("Who lives in", "Where is", "Who sings about", "Why")
    ]
    file = tmp_path / "seeds.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in [*NAMING, ASKED, *free]))
    source = DataSource(file=file, column="text", licence="made here")
    seeds = list(clean_seeds({"s": source}, {"s": file}, [question(ASKED)], 0.3, kind))
    assert {seed.text for seed in seeds} == {*free}
    assert {*NAMING} < {seed.text for seed in clean_seeds({"s": source}, {"s": file}, [], 0.3, kind)}


def test_the_gate_counts_rows_that_name_a_held_out_unit_and_refuses_them(kind: Kind) -> None:
    def row(text: str) -> TrainingRow:
        return TrainingRow(prompt="Q4.", completion=f" {text}", instruction_id=instruction_id(text), origin="seed")

    pair = Pair(
        prompt="Q4.",
        chosen=f" {FREE[0]}",
        rejected=f" {NAMING[1]}",
        chosen_id="c",
        rejected_id="r",
        pairing="same_prompt",
    )
    training = {
        "clean": [one for text in FREE for one in taught(row(text))],
        "rows": [one for text in (*NAMING[1:], *FREE) for one in taught(row(text))],
        "pairs": taught(pair),
    }
    kept_out = {"test": KeptOut([ASKED], None), HELDOUT: KeptOut([FREE[0]], frozenset({"other"}))}
    counts = find_contamination(training, kept_out, GRAMS, kind)
    expected = {"clean": {"test": 0, HELDOUT: 0}, "rows": {"test": 2, HELDOUT: 0}, "pairs": {"test": 1, HELDOUT: 0}}
    assert counts.exact == counts.entities == counts.content["entities"] == expected
    with pytest.raises(BadInput, match=r"training rows .*'rows with test': 2"):
        counts.refuse(None, None)
    clean = find_contamination({"clean": training["clean"]}, kept_out, GRAMS, kind)
    clean.refuse(None, None)
    without_units = find_contamination(training, {"test": KeptOut([ASKED], None)}, GRAMS, MATH)
    assert without_units.exact == {name: {"test": 0} for name in training}
    assert without_units.content.keys() == {"exact", "near", "rows", "semantic"}


def test_what_names_a_held_out_unit_is_counted_and_measured(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    texts = [*NAMING[:2], *FREE]
    with caplog.at_level(logging.INFO, logger="reversegen"):
        collected = collect_instructions([sample(n, f" {t}") for n, t in enumerate(texts)], GRAMS, kind)
    assert all(one.invalid is None for one in collected)
    assert "3 of 5 distinct valid instructions name a held-out unit" in caplog.text  # Jordan is held out too
    none = Metric(value=None, reason="not checked")
    judge = JudgeReport(sensitivity=none, specificity=none, injections=none, invalid=none)
    writing = Writing(
        [sample(n, t, "heldout") for n, t in enumerate(texts)],
        [instruction(n, t, "heldout") for n, t in enumerate(texts)],
        [label(text, "failed" if text in NAMING else "passed") for text in texts],
    )
    settings = Evaluation(bootstrap=100, diversity_sample=2)
    metrics, _ = evaluate_proposer(writing, set(), judge, settings, 0, kind)
    assert metrics["names_heldout"].value == 0.6
    assert metrics["failure_rate"].value == 0.4
    assert "names_heldout" not in evaluate_proposer(writing, set(), judge, settings, 0, MATH)[0]
