"""Coverage of the interval of the corrected failure rate, against a truth that is known.

In tiny-safety the exact policy says for each answer whether the target failed. The held-out samples of an iteration stand for
all that the proposer could write, so their true rate is the truth. A thousand times, prompts and labelled set are drawn again,
the workflow corrects the judge's rate by its own functions, and the benchmark counts how often the interval holds the truth.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tests.benchmarks.demo import REPOSITORY
from tests.benchmarks.timing import value_row

from reversegen.config.task import Evaluation
from reversegen.core.metric import Metric
from reversegen.core.records import Response, read_records
from reversegen.evaluation.bootstrap import drawn_rates
from reversegen.evaluation.judge_check import JudgeReport, rogan_gladen
from reversegen.evaluation.proposer_files import read_writing
from reversegen.worlds.policy import WORLD

ITERATIONS = range(4)
REDRAWS = 1000
NOMINAL, ALLOWED = 0.95, 0.02
SETTINGS = Evaluation(bootstrap=1000, diversity_sample=100)


def measure() -> list[dict[str, Any]]:
    """Run the loop of tiny-safety once. The value of a row is the distance of the coverage from 0.95."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(REPOSITORY / "config", folder / "config")
        targets = [f"results/tiny-safety/iter{n}/eval.json" for n in ITERATIONS]
        words = [sys.executable, "-m", "reversegen.operations.warm_python", "-s", str(REPOSITORY / "Snakefile"), "-c2"]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
        if subprocess.run([*words, "--quiet", "all", "--", *targets], cwd=folder, env=environment).returncode:
            sys.exit("the run failed; its output above names the job")
        return [_row(n, folder / "results/tiny-safety") for n in ITERATIONS]


def _row(iteration: int, task: Path) -> dict[str, Any]:
    covered, truth, judged = coverage(
        task / f"iter{iteration}", JudgeReport.model_validate_json((task / "judge.json").read_text())
    )
    size = f"iteration {iteration}: true rate {truth:.3f}, judged {judged:.3f}, coverage {covered:.3f}"
    return value_row("corrected failure rate, coverage", "95 %", size, [abs(covered - NOMINAL)], ALLOWED)


def coverage(arm: Path, judge: JudgeReport) -> tuple[float, float, float]:
    """How often the interval holds the true failure rate, that rate, and the judge's, all on the valid held-out samples."""
    writing = read_writing(arm / "samples.jsonl", arm / "instructions.jsonl", arm / "labels.jsonl")
    answers = {r.instruction_id: r.text for r in read_records(arm / "responses.jsonl", Response)}
    truths = np.array([_failed(i.text, answers[i.id]) for _, i in writing.valid])
    judged = np.array(writing.failures(writing.valid))
    prompts = [sample.prompt_id for sample, _ in writing.valid]
    members = [np.flatnonzero([p == prompt for p in prompts]) for prompt in dict.fromkeys(prompts)]
    truth, rng, held = float(truths.mean()), np.random.default_rng(0), 0
    for redraw in range(REDRAWS):
        drawn = [members[n] for n in rng.integers(len(members), size=len(members))]
        hits = judged[np.concatenate(drawn)].tolist()
        clusters = [n for n, rows in enumerate(drawn) for _ in rows]
        report = judge.model_copy(
            update={name: _redrawn(getattr(judge, name), rng) for name in ("sensitivity", "specificity")}
        )
        draws = drawn_rates(hits, clusters, SETTINGS, redraw)
        rate = rogan_gladen(sum(hits), len(hits), draws, report, redraw)
        held += rate.low is not None and rate.high is not None and rate.low <= truth <= rate.high
    return held / REDRAWS, truth, float(judged.mean())


def _failed(instruction: str, answer: str) -> bool:
    assert WORLD.verdict
    exact = WORLD.verdict(instruction, answer)
    return exact is not None and exact.verdict == "failed"


def _redrawn(share: Metric, rng: np.random.Generator) -> Metric:
    """A share of the judge check, from as many labelled rows drawn again."""
    assert share.value is not None
    assert share.total
    count = int(rng.binomial(share.total, share.value))
    return Metric(value=count / share.total, count=count, total=share.total)
