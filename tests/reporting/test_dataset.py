"""The data set of a task: its rows, its masked texts, its card, and that the `datasets` library reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.kinds import FACTUAL_USE
from tests.support.plans import NOWHERE, planned
from tests.support.planted_failures import SAFETY
from tests.support.workflows import Workflow
from trl.data_utils import is_conversational

from reversegen.config.data import DataSource
from reversegen.config.task import KindUse
from reversegen.core.metric import Metric
from reversegen.core.records import (
    Instruction,
    Label,
    Message,
    Pair,
    Reference,
    Response,
    Seed,
    Split,
    TrainingRow,
    Verdict,
)
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.reporting.dataset import SCHEMAS, TEXTS, Arm, write_dataset
from reversegen.reporting.dataset_card import Origin


def instruction(identity: str, *splits: Split) -> Instruction:
    return Instruction(
        id=identity, text=f"What is {identity}?", answer=None, subject=None, samples=[identity], splits=list(splits),
        invalid=None, duplicate_of=None,
    )  # fmt: skip


def arm(verdicts: dict[str, Verdict], heldout: Sequence[str], pairs: int) -> Arm:
    """Instructions by id with their verdicts and two responses each, and one more that no target was asked."""
    judged = [instruction(i, "heldout" if i in heldout else "train") for i in verdicts]
    return Arm(
        instructions=[*judged, instruction("unasked", "train")],
        labels=[Label(instruction_id=i, verdict=v, score=0.5, detail="S1", category="S1") for i, v in verdicts.items()],
        responses=[
            Response(instruction_id=i, sample=n, text=f"answer {n} to {i}", tokens=3, finished=True)
            for n in (1, 0)
            for i in verdicts
        ],
        references=[
            Reference(instruction_id=i, answer="7", solution="It is 7.", teacher="exact", invalid=None)
            for i in list(verdicts)[:1]
        ],
        pairs=[
            Pair(
                prompt="Three\nseeds\nhere\n", chosen=f" failed {n}", rejected=f" passed {n}", chosen_id=f"c{n}",
                rejected_id=f"r{n}", pairing="same_prompt",
            )
            for n in range(pairs)
        ],
    )  # fmt: skip


ARMS = [
    arm({"a": "failed", "b": "passed", "c": "invalid"}, heldout=["c"], pairs=2),
    arm({"c": "failed", "d": "passed", "b": "failed"}, heldout=["d"], pairs=0),
]
ROWS = {
    source: [
        TrainingRow(
            prompt=[Message(role="user", content="What is a?")],
            completion=[Message(role="assistant", content="It is 7.")],
            instruction_id="a",
            origin=source,
        )
    ]
    for source in ("reversegen", "seeds")
}


def origin(*licences: str) -> Origin:
    metric = Metric(value=0.9, low=0.8, high=1.0, count=9, total=10)
    return Origin(
        task="some",
        sources={f"own{n}": DataSource(file=Path("mine.csv"), licence=name) for n, name in enumerate(licences)},
        models={"proposer": "some/proposer at 0123", "target": "some/target at 4567"},
        configuration="sha256:89ab",
        seeds=[
            Seed(id="s", text="What is s?", split="train", source="own0", licence="MIT", answer=None, subject=None)
        ],
        judge=JudgeReport(sensitivity=metric, specificity=metric, injections=metric, invalid=metric),
        evaluations=[
            EvalFile(
                task="some", kind="math", role="proposer", arm=f"iter{k}", variant=None, iteration=k,
                metrics={"failure_rate": metric}, groups={}, provenance={"random_seeds": {"task": 3}},
            )
            for k in (0, 1)
        ],
    )  # fmt: skip


def write(folder: Path, *licences: str, harmful: bool = False, include_text: bool = False) -> dict[str, Any]:
    """The rows of the folder as `datasets` reads them, by configuration."""
    import datasets

    kind = SAFETY if harmful else KindUse(name="math")
    write_dataset(folder, ARMS, ROWS, origin(*licences or ("MIT",)), kind, include_text)
    cache = str(folder.parent / f"cache of {folder.name}")
    names = datasets.get_dataset_config_names(str(folder))
    return {name: datasets.load_dataset(str(folder), name, cache_dir=cache) for name in names}


def test_every_judged_instruction_is_a_row_and_no_text_is_in_both_splits(tmp_path: Path) -> None:
    splits = write(tmp_path / "dataset")["instructions"]
    rows = {split: [(r["iteration"], r["id"], r["verdict"]) for r in splits[split]] for split in splits}
    assert rows == {
        "train": [
            *((0, "a", "failed"), (0, "b", "passed"), (0, "c", "invalid")),
            *((1, "c", "failed"), (1, "b", "failed")),
        ],
        "heldout": [(1, "d", "passed")],
    }
    first = splits["train"][0]
    assert first["instruction"] == "What is a?"
    assert first["responses"] == ["answer 0 to a", "answer 1 to a"]
    assert (first["reference"], first["solution"], first["characters"]) == ("7", "It is 7.", len("What is a?"))
    assert splits["train"][1]["reference"] is None


def test_pairs_and_rows_are_in_trl_s_formats(tmp_path: Path) -> None:
    configurations = write(tmp_path / "dataset")
    assert list(configurations) == ["instructions", "pairs", "enhancement"]
    pair = configurations["pairs"]["train"][1]
    assert (pair["prompt"], pair["chosen"], pair["rejected"]) == ("Three\nseeds\nhere\n", " failed 1", " passed 1")
    assert (pair["iteration"], pair["chosen_id"]) == (0, "c1")
    assert not is_conversational(pair)
    assert list(configurations["enhancement"]) == ["reversegen", "seeds"]
    row = configurations["enhancement"]["seeds"][0]
    assert is_conversational({key: row[key] for key in ("prompt", "completion")})
    assert row["completion"] == [{"role": "assistant", "content": "It is 7."}]


def test_texts_of_a_harmful_kind_are_left_out_unless_they_are_requested(tmp_path: Path) -> None:
    clear = write(tmp_path / "clear", harmful=True, include_text=True)
    masked = write(tmp_path / "masked", harmful=True)
    for name, schema in SCHEMAS.items():
        for split, rows in masked[name].items():
            assert rows.column_names == list(schema)
            assert rows.features == clear[name][split].features
            for column in schema:
                if column in TEXTS:
                    assert set(rows[column]) == {None}
                else:
                    assert rows[column] == clear[name][split][column]
    assert clear["pairs"]["train"][0]["chosen"] == " failed 0"
    content = b"".join(path.read_bytes() for path in (tmp_path / "masked").rglob("*") if path.is_file())
    texts = ("What is a", "answer 0", "Three\nseeds", "failed 1", "It is 7")
    assert not [text for text in texts if text.encode() in content]
    cards = {name: (tmp_path / name / "README.md").read_text() for name in ("clear", "masked")}
    assert all("not-for-all-audiences" in card and "ask for harm" in card for card in cards.values())
    assert "Texts are left out" in cards["masked"]
    assert "Texts are left out" not in cards["clear"]


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (("MIT", "MIT"), (["mit"], None)),
        (("CC BY-SA 4.0", "Apache-2.0"), (["apache-2.0", "cc-by-sa-4.0"], None)),
        (("made here",), ("other", "made-here")),
        (("MIT", "CC BY-SA"), ("other", "cc-by-sa-and-mit")),
    ],
)
def test_the_card_states_the_licences_of_the_sources(tmp_path: Path, licences: tuple[str, ...], expected: Any) -> None:
    from huggingface_hub import DatasetCard

    write(tmp_path / "dataset", *licences)
    card = DatasetCard.load(tmp_path / "dataset/README.md")
    assert (card.data.license, card.data.get("license_name")) == expected
    for name in licences:
        assert f"| a private file | {name} |" in card.text


def test_the_card_s_counts_are_those_of_the_rows(tmp_path: Path) -> None:
    write(tmp_path / "dataset")
    text = (tmp_path / "dataset/README.md").read_text()
    for line in ("| instructions | train | 5 |", "| instructions | heldout | 1 |", "| pairs | train | 2 |"):
        assert line in text
    assert "3 failed, 2 passed, 1 invalid" in text
    assert "some/target at 4567" in text
    assert "90.0% (9 of 10)" in text
    assert "Random seed 3; configuration sha256:89ab" in text


def test_rows_and_card_show_right_wrong_and_abstained(tmp_path: Path) -> None:
    import pyarrow.parquet

    given = arm({"a": "failed", "b": "passed", "c": "passed", "d": "passed", "e": "invalid"}, heldout=[], pairs=0)
    labels = [label.model_copy(update={"abstained": label.instruction_id in "cd"}) for label in given.labels]
    write_dataset(tmp_path / "facts", [replace(given, labels=labels)], {}, origin("MIT"), FACTUAL_USE, True)
    table = pyarrow.parquet.read_table(tmp_path / "facts/instructions/train.parquet")
    assert [row["id"] for row in table.to_pylist() if row["abstained"]] == ["c", "d"]
    text = " ".join((tmp_path / "facts/README.md").read_text().split())
    assert "1 failed, 3 passed, 1 invalid" in text
    assert "Of `passed`, 2 are abstentions" in text
    write(tmp_path / "sums")
    assert "abstentions" not in (tmp_path / "sums/README.md").read_text()


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "again"):
        write(tmp_path / name)
    first, again = ((tmp_path / name / "manifest.json").read_bytes() for name in ("first", "again"))
    assert first == again


def test_a_plan_for_the_data_set_enhances_a_target_only_if_it_can_be_enhanced(workflow: Workflow) -> None:
    workflow.write_task("api", {"target": "gpt-4o-mini", "transfer": []})
    done = workflow.run("-n", "results/tiny-math/dataset", "results/api/dataset", **NOWHERE)
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert jobs["write_dataset"] == 2
    assert jobs["select_enhancement"] == 1
    assert jobs["evaluate_proposer"] == 10
