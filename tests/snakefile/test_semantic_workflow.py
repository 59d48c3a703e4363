"""The semantic step, run by the rules with a real sentence model: embeddings, duplicates, metrics, contamination, alarm."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.workflows import Workflow, new_workflow

from reversegen.core.files import write_json
from reversegen.core.records import Instruction, Pair, Prompt, Question, Sample, Seed, read_records, write_records
from reversegen.evaluation.eval_file import EvalFile
from reversegen.ids import content_id
from reversegen.text.embeddings import read_embeddings
from reversegen.worlds.arithmetic import TYPES, draw_expression, write_question

EMBEDDING = {"model": "real-minilm", "pooling": "sentence", "backend": "torch", "max_length": 64, "batch_size": 32}
SMALL: dict[str, Any] = {
    "embedding": {**EMBEDDING, "eps": 0.05},
    "prompts": {"train": 20, "heldout": 12},
    "data": {"seeds": {"arithmetic": {"corpus": {"count": 1000}}}, "tests": {"test": {"corpus": {"count": 60}}}},
    "warmup": {"rows": 300},
    "evaluation": {"bootstrap": 100, "diversity_sample": 15},
    # no proposer is this diverse: the alarm goes off
    "alarm": {"action": "stop", "semantic_diversity": 0.99},
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, minilm: Path) -> tuple[Workflow, str]:
    """A run that the alarm ends before proposer 1 is trained. The test writes the samples of proposer 0."""
    workflow = new_workflow(tmp_path_factory.mktemp("semantic") / "run")
    (workflow.folder / "results").mkdir()
    (workflow.folder / "results/models").symlink_to(tiny_model)
    workflow.change_models({"real-minilm": {"folder": str(minilm), "size": "tiny", "dtype": "float32"}})
    workflow.write_task("semantic", SMALL, base="micro")
    folder = workflow.folder / "results/semantic/iter0"
    done = workflow.run("results/semantic/iter0/prompts.jsonl", "results/semantic/contamination/warmup.json")
    assert done.returncode == 0, done.stdout
    write_json(folder / "proposer/manifest.json", {"files": {}})
    rng = random.Random(0)
    samples = []
    for prompt in read_records(folder / "prompts.jsonl", Prompt):
        for n in range(5):
            text = f" {write_question(draw_expression(rng.choice(TYPES), rng), rng.choice(['symbols', 'story']), rng)}"
            samples.append(
                Sample(
                    id=content_id(prompt.id, n, text),
                    prompt_id=prompt.id,
                    split=prompt.split,
                    subject=None,
                    sample=n,
                    text=text,
                    tokens=9,
                    finished=True,
                )
            )
    write_records(folder / "samples.jsonl", samples)
    done = workflow.run("results/semantic/contamination/iter0.json")
    assert done.returncode == 1, done.stdout
    return workflow, done.stdout


def test_the_alarm_stops_the_run_before_the_next_proposer_with_the_reason(stopped: tuple[Workflow, str]) -> None:
    workflow, output = stopped
    folder = workflow.folder / "results/semantic"
    evaluation = EvalFile.model_validate_json((folder / "iter0/eval.json").read_text())
    value = evaluation.metrics["semantic_diversity"].value
    reason = f"semantic_diversity is {value}, lower than 0.99"
    assert reason in evaluation.alarms
    assert "results/semantic/iter0/eval.json: the proposer has collapsed" in output
    assert reason in output
    assert (folder / "iter0/pairs.jsonl").exists()
    assert not (folder / "contamination/iter0.json").exists()
    plan = workflow.run("-n", "results/semantic/iter1/proposer").stdout
    assert "check_pairs" in plan  # which stops the run: the proposer waits for it


def test_every_semantic_metric_is_measured(stopped: tuple[Workflow, str]) -> None:
    folder = stopped[0].folder / "results/semantic"
    metrics = EvalFile.model_validate_json((folder / "iter0/eval.json").read_text()).metrics
    names = ("semantic_diversity", "vendi_score", "seed_coverage", "largest_cluster", "semantic_novelty")
    assert all(metrics[name].value is not None for name in names)
    assert 1 <= (metrics["vendi_score"].value or 0) <= 15
    assert metrics["semantic_novelty"].total == metrics["novelty"].total
    assert (metrics["semantic_novelty"].count or 0) <= (metrics["novelty"].count or 0)


def test_survivors_alone_are_embedded_and_duplicates_point_to_what_they_repeat(stopped: tuple[Workflow, str]) -> None:
    folder = stopped[0].folder / "results/semantic/iter0"
    embeddings = read_embeddings([folder / "embeddings.npy"])
    instructions = {i.id: i for i in read_records(folder / "instructions.jsonl", Instruction)}
    assert set(embeddings.rows) <= set(instructions)
    assert all(i.id in embeddings for i in instructions.values() if i.asked)
    marked = [i for i in instructions.values() if i.duplicate_of and i.id in embeddings]
    assert marked
    cosines = (
        embeddings.vectors_of(i.id for i in marked) * embeddings.vectors_of(str(i.duplicate_of) for i in marked)
    ).sum(axis=1)
    assert (cosines > 0.95 - 1e-6).all()
    survivors = [i.id for i in instructions.values() if i.asked and "train" in i.splits and i.duplicate_of is None]
    similar = (vectors := embeddings.vectors_of(survivors)) @ vectors.T > 0.95 + 1e-6
    assert similar.sum() == len(survivors)


def test_the_gate_counts_rows_that_mean_nearly_the_same_as_a_test(stopped: tuple[Workflow, str]) -> None:
    workflow, _ = stopped
    folder = workflow.folder / "results/semantic"
    contamination = json.loads((folder / "contamination/warmup.json").read_text())
    seeds = read_records(folder / "seeds.jsonl", Seed)
    files = [folder / "seeds.embeddings.npy", *(folder / "tests").glob("*.npy")]
    vectors = read_embeddings(files)
    rows = [json.loads(line)["instruction_id"] for line in (folder / "warmup.jsonl").read_text().splitlines()]
    apart = {p.stem: [q.id for q in read_records(p, Question)] for p in (folder / "tests").glob("*.jsonl")}
    apart["heldout seeds"] = [s.id for s in seeds if s.split == "heldout"]
    counted = {
        name: int(((vectors.vectors_of(rows) @ vectors.vectors_of(ids).T).max(axis=1) > 0.95).sum())
        for name, ids in apart.items()
    }
    assert contamination["semantic"] == {"semantic": counted}
    assert sum(counted.values()) > 0
    limited = {"alarm": {"action": "warn"}, "contamination": {"semantic_share": 0.0}}
    workflow.write_task("semantic", {**SMALL, **limited}, base="micro")
    done = workflow.run("results/semantic/contamination/warmup.json")
    assert done.returncode == 1
    message = "contamination.semantic_share: the share of training rows that nearly repeat test questions or held-out seeds is"
    assert f"{message} {{'semantic': " in done.stdout


def test_after_a_warning_the_run_continues_and_embeds_nothing_again(stopped: tuple[Workflow, str]) -> None:
    workflow, _ = stopped
    workflow.write_task("semantic", {**SMALL, "alarm": {**SMALL["alarm"], "action": "warn"}}, base="micro")
    done = workflow.run("results/semantic/contamination/iter0.json", "results/semantic.s1/seeds.embeddings.npy")
    assert done.returncode == 0, done.stdout
    folder = workflow.folder / "results"
    contamination = json.loads((folder / "semantic/contamination/iter0.json").read_text())
    assert contamination["rows"] == {"iter0 pairs": 2 * len(read_records(folder / "semantic/iter0/pairs.jsonl", Pair))}
    assert set(contamination["semantic"]["iter0 pairs"]) == {"test", "pretraining", "heldout seeds"}
    log = (folder / "semantic.s1/logs/embed_seeds.log").read_text()
    assert " embedded 0 distinct texts" in log
    one, two = (read_embeddings([folder / name / "seeds.embeddings.npy"]) for name in ("semantic", "semantic.s1"))
    assert np.array_equal(one.vectors_of(sorted(one.rows)), two.vectors_of(sorted(one.rows)))
    assert Counter(one.rows.keys()) == Counter(two.rows.keys())
