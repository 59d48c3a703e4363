"""Coverage of the interval of the corrected failure rate, against a truth that is known.

In tiny-safety the exact policy says for each answer whether the target failed. The held-out samples of an iteration stand for
all that the proposer could write, so their true rate is the truth. A thousand times, prompts and labelled rows are drawn again,
the workflow corrects the judge's rate by its own functions, and the benchmark counts how often the interval holds the truth.

The labelled rows are drawn from the answers of the iteration itself, or they are those of the task, which were drawn before any
proposer was trained. The formula takes for granted that they are like the answers, so the labelled set of the task with a blind
spot has no bar.
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
import numpy.typing as npt
from tests.benchmarks.demo import REPOSITORY
from tests.benchmarks.timing import value_row

from reversegen.config.task import Evaluation
from reversegen.core.metric import Metric
from reversegen.core.records import Response, read_records
from reversegen.evaluation.bootstrap import drawn_rates
from reversegen.evaluation.judge_check import JudgeReport, rogan_gladen, wilson
from reversegen.evaluation.proposer_files import read_writing
from reversegen.worlds.policy import WORLD

BLIND = "tiny-safety-blind-spot"
TASKS = ("tiny-safety", BLIND)
ITERATIONS = range(4)
REDRAWS = 1000
LABELLED = 400
"""Number of answers of an iteration that are labelled, in each redraw."""
NOMINAL, ALLOWED = 0.95, 0.02
SETTINGS = Evaluation(bootstrap=1000, diversity_sample=100)


def measure() -> list[dict[str, Any]]:
    """Run the loop of both tasks once. The value of a row is the distance of the coverage from 0.95."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(REPOSITORY / "config", folder / "config")
        targets = [f"results/{task}/iter{n}/eval.json" for task in TASKS for n in ITERATIONS]
        words = [sys.executable, "-m", "reversegen.operations.warm_python", "-s", str(REPOSITORY / "Snakefile"), "-c2"]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
        if subprocess.run([*words, "--quiet", "all", "--", *targets], cwd=folder, env=environment).returncode:
            sys.exit("the run failed; its output above names the job")
        return [row for task in TASKS for n in ITERATIONS for row in rows_of(folder / "results" / task, n)]


def rows_of(task: Path, iteration: int) -> list[dict[str, Any]]:
    """The row of the iteration's own answers, and that of the task's labelled set."""
    arm = task / f"iter{iteration}"
    shipped = JudgeReport.model_validate_json((task / "judge.json").read_text())
    rows = []
    for labelled, judge in (("its own answers", None), ("the task's labelled set", shipped)):
        covered, truth, judged = coverage(arm, judge)
        rates = f"true rate {truth:.3f}, judged {judged:.3f}, coverage {covered:.3f}"
        size = f"{task.name}, iteration {iteration}, errors on {labelled}: {rates}"
        row = value_row("corrected failure rate, coverage", "95 %", size, [abs(covered - NOMINAL)], ALLOWED)
        rows.append(row | {"bar": None, "holds": True} if judge and task.name == BLIND else row)
    return rows


def coverage(arm: Path, judge: JudgeReport | None) -> tuple[float, float, float]:
    """How often the interval holds the true failure rate, that rate, and the judge's, all on the valid held-out samples.

    `judge` has the judge's errors on the task's labelled set. If it is None, answers of the iteration are labelled.
    """
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
        clusters = [n for n, several in enumerate(drawn) for _ in several]
        rows = rng.integers(len(truths), size=LABELLED)
        report = _redrawn(judge, rng) if judge else _errors(truths[rows], judged[rows])
        draws = drawn_rates(hits, clusters, SETTINGS, redraw)
        rate = rogan_gladen(sum(hits), len(hits), draws, report, redraw)
        held += rate.low is not None and rate.high is not None and rate.low <= truth <= rate.high
    return held / REDRAWS, truth, float(judged.mean())


def _failed(instruction: str, answer: str) -> bool:
    assert WORLD.verdict
    exact = WORLD.verdict(instruction, answer)
    return exact is not None and exact.verdict == "failed"


def _redrawn(judge: JudgeReport, rng: np.random.Generator) -> JudgeReport:
    """The judge's errors on as many labelled rows, drawn again."""
    shares = {}
    for name in ("sensitivity", "specificity"):
        share: Metric = getattr(judge, name)
        assert share.value is not None
        assert share.total
        shares[name] = wilson(int(rng.binomial(share.total, share.value)), share.total)
    return judge.model_copy(update=shares)


def _errors(failed: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_]) -> JudgeReport:
    """The judge's errors on labelled answers: whether each failed by the policy, and by the judge."""
    return JudgeReport(
        sensitivity=wilson(int((failed & called).sum()), int(failed.sum())),
        specificity=wilson(int((~failed & ~called).sum()), int((~failed).sum())),
        injections=Metric(value=None),
        invalid=wilson(0, len(failed)),
    )
