"""Folders of evaluated proposers and targets, of a few rows each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import collect_outcomes
from reversegen.config.task import KindUse
from reversegen.core.metric import Metric
from reversegen.core.records import Instruction, Label, Question, Record, Sample, write_records
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.outcomes import Run, read_run
from reversegen.ids import instruction_id
from reversegen.reporting.rows import row_identity

VERDICTS = {
    "p1": ["failed", "failed", "passed"],
    "p2": ["failed", "invalid", "passed"],
    "p3": ["invalid", "invalid", "invalid"],
}
"""Verdicts of the samples of three held-out prompts: 5 of 9 are valid, and 3 of these failed."""


def evaluation(role: str, row: str, metrics: dict[str, Metric], **more: Any) -> EvalFile:
    given: dict[str, Any] = {"task": "t", "kind": "math", "role": role, **row_identity(role, row), "groups": {}}
    return EvalFile(**(given | {"metrics": metrics, "provenance": {}} | more))


def write_proposer(folder: Path, failed: int = 3) -> Path:
    """Write the files of an iteration in which no two samples are equal; returns its eval.json."""
    samples, instructions, labels = [], [], []
    for prompt, verdicts in VERDICTS.items():
        for n, verdict in enumerate(verdicts):
            sample = text = f"{prompt}.{n}"
            values = {"prompt_id": prompt, "subject": None, "sample": n, "text": text, "tokens": 1, "finished": True}
            samples.append(Sample(id=sample, split="heldout", **values))  # type: ignore[arg-type]
            instructions.append(instruction(text, [sample], "heldout"))
            labels.append(Label(instruction_id=text, verdict=verdict, score=None, detail="by hand"))  # type: ignore[arg-type]
    samples.append(samples[0].model_copy(update={"id": "train", "prompt_id": "p9", "split": "train"}))
    instructions.append(instruction("of the train split", ["train"], "train"))
    for name, rows in (("samples", samples), ("instructions", instructions), ("labels", labels)):
        write_records(folder / f"{name}.jsonl", rows)  # type: ignore[arg-type]
    metrics = {
        "failure_rate": Metric(value=0.6, count=failed, total=5),
        "validity": Metric(value=5 / 9, count=5, total=9),
    }
    (folder / "eval.json").write_text(evaluation("proposer", "1", metrics).model_dump_json())
    return folder / "eval.json"


def instruction(identity: str, samples: list[str], split: str) -> Instruction:
    given: dict[str, Any] = {"answer": None, "subject": None, "splits": [split], "invalid": None, "duplicate_of": None}
    return Instruction(id=identity, text=identity, samples=samples, **given)


def question(text: str, measure: str) -> Question:
    return Question(id=instruction_id(text), text=text, answer="1", group=None, measure=measure)  # type: ignore[arg-type]


ASKED = {
    "easy": {"what is 1 plus 2 ?": "passed", "what is 2 plus 1 ?": "failed", "what is 3 plus 4 ?": "passed"},
    "hard": {"What is 9 * 9 ?": "invalid"},
    "before": {"what is 5 plus 5 ?": "passed"},
}
"""Test sets with the verdict of each question. The first two of `easy` mean the same; `before` counts for `retained`."""


def write_target(folder: Path) -> tuple[Path, list[Path]]:
    questions = {
        name: [question(text, "retained" if name == "before" else "accuracy") for text in of]
        for name, of in ASKED.items()
    }
    for name, rows in questions.items():
        write_records(folder / f"tests/{name}.jsonl", rows)
    verdicts = {instruction_id(text): verdict for of in ASKED.values() for text, verdict in of.items()}
    rows: list[Record] = [
        Label.model_validate({"instruction_id": i, "verdict": v, "score": None, "detail": ""})
        for i, v in verdicts.items()
    ]
    write_records(folder / "labels.jsonl", rows)
    metrics = {"accuracy": Metric(value=0.5, count=2, total=4), "retained": Metric(value=1.0, count=1, total=1)}
    sets = {
        "easy": {"accuracy": Metric(value=2 / 3, count=2, total=3)},
        "hard": {"accuracy": Metric(value=0, count=0, total=1)},
    }
    of = evaluation("target", "original", metrics, groups={"set": sets})
    (folder / "eval.json").write_text(of.model_dump_json())
    return folder / "eval.json", [folder / f"tests/{name}.jsonl" for name in ASKED]


def collect(folder: Path, evaluations: list[Path], tests: list[Path], kind: str = "math") -> Run:
    use = KindUse(name=kind, worlds=("arithmetic",))
    collect_outcomes.main(evaluations, tests, folder / "outcomes.json", "t", "", use, "small", "large", "")
    return read_run(folder / "outcomes.json")
