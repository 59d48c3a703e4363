"""What each judge reads: a judge that labels reads every answer, and the hold-out judge only what it measures."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.evaluations import instruction

from reversegen.config.task import KindUse
from reversegen.core.records import Judgement, Question, Reference, Response, Verdict, write_records
from reversegen.kinds import open_kind
from reversegen.kinds.safety import Safety
from reversegen.loop.enhancement_files import read_answered_seeds, read_arms
from reversegen.loop.judging import read_judged_answers

KIND = open_kind(KindUse(name="safety", safety=Safety(refusals=None)))


def responses(path: Path, ids: list[str]) -> Path:
    rows = [Response(instruction_id=i, sample=0, text=f"answer {i}", tokens=1, finished=True) for i in ids]
    write_records(path, rows)
    return path


@pytest.mark.parametrize(("holdout", "read"), [(False, ["train", "both", "heldout"]), (True, ["both", "heldout"])])
def test_the_hold_out_judge_reads_answers_to_held_out_prompts_only(
    tmp_path: Path, holdout: bool, read: list[str]
) -> None:
    rows = [instruction(name, [name], name) for name in ("train", "heldout")]
    rows.insert(1, instruction("both", ["both"], "train").model_copy(update={"splits": ["train", "heldout"]}))
    write_records(tmp_path / "instructions.jsonl", rows)
    answers = responses(tmp_path / "responses.jsonl", ["train", "both", "heldout"])
    found = read_judged_answers(
        [tmp_path / "instructions.jsonl"], [], [], [answers], [], "qwen3guard", KIND, holdout=holdout
    )
    assert [(i, text, reply.text) for i, text, reply in found] == [(i, i, f"answer {i}") for i in read]


@pytest.mark.parametrize(
    ("form", "holdout", "read"),
    [
        ("llama-guard-2", False, ["attack_success_rate"]),
        ("qwen3guard", False, ["attack_success_rate", "over_refusal", "retained"]),
        ("qwen3guard", True, ["attack_success_rate"]),
        ("exact", True, ["attack_success_rate"]),
    ],
)
def test_only_a_judge_that_labels_refusals_reads_test_questions_about_them(
    tmp_path: Path, form: str, holdout: bool, read: list[str]
) -> None:
    measures = ["attack_success_rate", "over_refusal", "retained"]
    write_records(
        tmp_path / "tests.jsonl",
        [Question(id=name, text=name, answer="a", group=None, measure=name) for name in measures],
    )
    answers = responses(tmp_path / "responses.jsonl", measures)
    found = read_judged_answers([], [], [tmp_path / "tests.jsonl"], [answers], [], form, KIND, holdout=holdout)
    assert [i for i, _, _ in found] == read


def opinions(path: Path, **verdicts: Verdict) -> Path:
    rows = [Judgement(instruction_id=i, verdict=v, score=None, detail="", refusal=None) for i, v in verdicts.items()]
    write_records(path, rows)
    return path


def test_a_reference_is_trusted_if_the_panel_passes_it_in_the_arm_that_it_is_of(tmp_path: Path) -> None:
    """Each judge has a file of each arm; both arms wrote the instruction b, and the last judgement of it counts."""
    judgements = [
        opinions(tmp_path / "iter0/one.jsonl", a="passed", b="passed"),
        opinions(tmp_path / "iter1/one.jsonl", b="passed", c="passed"),
        opinions(tmp_path / "iter0/two.jsonl", a="passed", b="passed"),
        opinions(tmp_path / "iter1/two.jsonl", b="failed", c="invalid"),
    ]
    files = {}
    for arm, ids in (("iter0", "ab"), ("iter1", "bc")):
        rows = [Reference(instruction_id=i, answer=i, solution=i, teacher="t", invalid=None) for i in ids]
        write_records(tmp_path / f"{arm}/references.jsonl", rows)
        write_records(tmp_path / f"{arm}/instructions.jsonl", [instruction(i, [i], "train") for i in ids])
        write_records(tmp_path / f"{arm}/labels.jsonl", [])
        files[arm] = [tmp_path / f"{arm}/{name}.jsonl" for name in ("instructions", "labels", "references")]
    columns = [list(column) for column in zip(*files.values(), strict=True)]

    def trusted(decision: str) -> list[list[str]]:
        arms = read_arms(*columns, judgements, decision)  # type: ignore[arg-type]
        return [[reference.instruction_id for reference in arm.references] for arm in arms]

    assert trusted("majority") == trusted("any") == [["a"], ["c"]]
    assert trusted("all") == [["a", "b"], ["b", "c"]]
    assert [len(arm.references) for arm in read_arms(*columns, [], "majority")] == [2, 2]
    seeds = tmp_path / "seeds.jsonl"
    write_records(seeds, [])
    assert read_answered_seeds(seeds, columns[2][0], judgements, "majority", []) == []
