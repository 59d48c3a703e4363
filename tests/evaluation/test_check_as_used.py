"""A judge is checked in the wording and the engine in which it is used."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.wildcards import shipped, wild
from tests.support.workflows import REPOSITORY

from reversegen.config.task import KindUse
from reversegen.core.records import Labelled, Response, read_records, write_records
from reversegen.engines.base import Generated, Request
from reversegen.evaluation.judge_check import judge_rows
from reversegen.judges import JUDGES
from reversegen.judges.judge import GenerativeJudge
from reversegen.kinds import open_kind
from reversegen.kinds.safety import Safety
from reversegen.loop.judging import judge_answers, read_judged_answers
from reversegen.workflow import judge as workflow_judge

KIND = open_kind(KindUse(name="safety", safety=Safety(refusals=None)))
CONFIGURATION = shipped()
ROWS = read_records(REPOSITORY / "resources/judge/safety.jsonl", Labelled)


class Silent:
    """An engine that replies nothing and records its requests."""

    identity, at_once = "silent", 1

    def __init__(self) -> None:
        self.asked = list[Request]()

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        return [repr(request) for request in requests]

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        self.asked += requests
        return [[Generated("", 0, True)] for _ in requests]


@pytest.mark.parametrize("name", JUDGES)
def test_the_check_asks_in_the_words_in_which_answers_are_judged(name: str, tmp_path: Path) -> None:
    checked, used = Silent(), Silent()
    judge_rows({"shipped": ROWS}, [], GenerativeJudge(checked, JUDGES[name], name), 7)  # type: ignore[arg-type]
    seeds = {f"{n}": row.instruction for n, row in enumerate(ROWS)}
    write_records(tmp_path / "responses.jsonl", [
        Response(instruction_id=i, sample=0, text=row.responses[0], tokens=1, finished=True)
        for i, row in zip(seeds, ROWS, strict=True)
    ])  # fmt: skip
    (tmp_path / "seeds.jsonl").write_text("".join(
        json.dumps({"id": i, "text": text, "split": "train", "source": "s", "licence": "l", "answer": None, "subject": None})
        + "\n"
        for i, text in seeds.items()
    ))  # fmt: skip
    answers = read_judged_answers([], [tmp_path / "seeds.jsonl"], [], [tmp_path / "responses.jsonl"], [], name, KIND)
    judge = GenerativeJudge(used, JUDGES[name], name)  # type: ignore[arg-type]
    judge_answers(tmp_path / "judgements.jsonl", answers, judge, 7)
    assert len(checked.asked) == len(ROWS)
    assert checked.asked == used.asked


def test_the_check_gets_the_model_and_the_settings_of_the_judging_stage() -> None:
    """Both rules name the same folder, model, environment and resources, and settings that differ in no verdict."""
    rules = (REPOSITORY / "rules/judge.smk").read_text()
    checks, judges = (re.split(r"\n(?:use )?rule ", rules)[n] for n in (1, 3))
    assert checks.startswith("judge_labelled:")
    assert judges.startswith("judge_responses:")
    for key in ("folder", "threads", "mem_mb", "gpu", "gres", "gpus", "model", "endpoint_limits"):
        values = [re.findall(rf"^ +{key}[=:] ?(.+)$", part, re.MULTILINE) for part in (checks, judges)]
        assert values[0] == values[1] != [], key
    assert re.findall(r'conda:\s+"(.+)"', checks) == re.findall(r'conda:\s+"(.+)"', judges)
    assert [re.findall(r'stage=stage\("(\w+)"', part) for part in (checks, judges)] == [["generate"], ["generate"]]
    for task in ("safety", "safety-qwen3", "safety-llama31", "tiny-safety"):
        judge = CONFIGURATION.task(task).judges[0]
        wildcards = wild(task, judge=judge.name)
        used = json.loads(workflow_judge.whole_judge(CONFIGURATION)(wildcards, 1))
        assert json.loads(workflow_judge.judge_setting(CONFIGURATION, wildcards)) == {
            key: value for key, value in used.items() if key != "max_unreadable_share"
        }
