"""Clusters of failing instructions: planted kinds are found, counted by hand, named by their own words, the same each time."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reporting.test_failures import write_iterations

import write_failure_clusters
from reversegen.config.task import KindUse
from reversegen.core.records import Cluster, Failure, Verdict, read_records
from reversegen.reporting.failure_clusters import COUNTS, EXAMPLES, make_failure_clusters, tokens
from reversegen.reporting.failures import JudgedInstructions, read_failures
from reversegen.text.embeddings import Embeddings, write_embeddings

PLANTED = {
    "ships": "the {} ship sails over the stormy sea to harbour {}",
    "bread": "bake a loaf of {} bread in an oven for {} minutes",
    "chess": "move the {} bishop to square {} and give mate",
    "music": "play {} violin sonata number {} in a minor key",
    "stars": "count {} stars of galaxy {} through telescope lenses",
    "taxes": "file {} income tax forms before april {} please",
}
SAFETY = KindUse.model_validate({"name": "safety", "safety": {"refusals": ["sorry"]}})
COLOURS = ("red", "green", "blue", "old", "new", "big", "small", "first", "second", "odd")


def planted(failed: dict[str, int], passed: dict[str, int] | None = None, iterations: int = 2) -> JudgedInstructions:
    """So many failing and passed instructions of each kind, whose id starts with it, dealt to the iterations in turn."""
    rng, judged = (
        random.Random(0),
        JudgedInstructions(
            failed_by_iteration=[[] for _ in range(iterations)], passed_by_iteration=[[] for _ in range(iterations)]
        ),
    )
    for counts, failing in ((failed, True), (passed or {}, False)):
        for kind, count in counts.items():
            for n in range(count):
                identity = f"{kind}{'f' if failing else 'p'}{n}"
                text = PLANTED[kind].format("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)), n)
                place: dict[str, Any] = {"iteration": n % iterations, "group": None, "samples": 1, "detail": "d"}
                texts = {"characters": len(text), "score": None, "text": text, "response": "r", "reference": None}
                if failing:
                    judged.failures[identity] = Failure(instruction_id=identity, cluster=0, **place, **texts)
                    judged.failed_by_iteration[n % iterations].append(identity)
                else:
                    judged.passes[identity] = text
                    judged.passed_by_iteration[n % iterations].append(identity)
    return judged


def kinds_of(failures: list[Failure]) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {}
    for failure in failures:
        found.setdefault(failure.cluster, Counter())[failure.instruction_id[:5]] += 1
    return found


SIZES = {"ships": 60, "bread": 50, "chess": 40, "music": 30, "stars": 20, "taxes": 10}
PASSED = {"ships": 20, "bread": 0, "chess": 120, "music": 30, "stars": 1, "taxes": 90}


def test_planted_kinds_are_found_with_their_size_and_failure_rate() -> None:
    clusters, failures = make_failure_clusters(planted(SIZES, PASSED), None, False, 0)
    pure = kinds_of(failures)
    assert {next(iter(counts)): counts.total() for counts in pure.values()} == SIZES
    assert [c.failed for c in clusters] == sorted(SIZES.values(), reverse=True)
    for cluster in clusters:
        [kind] = pure[cluster.number]
        assert (cluster.failed, cluster.passed) == (SIZES[kind], PASSED[kind])
        assert cluster.failed_by_iteration == [(SIZES[kind] + 1) // 2, SIZES[kind] // 2]
        assert cluster.passed_by_iteration == [(PASSED[kind] + 1) // 2, PASSED[kind] // 2]
        assert set(cluster.terms) <= set(tokens(PLANTED[kind]))
        assert len(cluster.examples) == EXAMPLES
        assert {example[:5] for example in cluster.examples} == {kind}
        assert cluster.label == ", ".join(cluster.terms[:4])
        assert cluster.vectors == "tf-idf"


def test_embeddings_decide_where_the_task_has_them() -> None:
    judged = planted(dict.fromkeys(PLANTED, 30), dict.fromkeys(PLANTED, 5))
    rng, axes = np.random.default_rng(0), np.eye(8, dtype=np.float32)
    ids = [*judged.failures, *judged.passes]
    turned = [axes[int(i[6:]) % 4] + 0.05 * rng.standard_normal(8) for i in ids]  # nothing to do with the words
    vectors = np.array([v / np.linalg.norm(v) for v in turned], np.float32)
    clusters, failures = make_failure_clusters(judged, Embeddings({i: n for n, i in enumerate(ids)}, vectors), False, 0)
    assert {c.vectors for c in clusters} == {"embeddings"}
    own = {f.instruction_id: f.cluster for f in failures}
    assert len(clusters) == 4
    assert len({(own[i], int(i[6:]) % 4) for i in own}) == 4


def test_terms_are_those_of_class_based_tf_idf() -> None:
    """Grootendorst, arXiv 2203.05794: tf of a term in a class times log(1 + A / f), f over all classes, A words a class."""
    judged = planted(SIZES)
    clusters, failures = make_failure_clusters(judged, None, False, 0)
    words: dict[int, list[str]] = {c.number: [] for c in clusters}
    for f in failures:
        words[f.cluster] += [w for w in str(f.text).split() if len(w) > 1 and not w.isdecimal()]
    average = sum(map(len, words.values())) / len(words)
    everywhere = Counter(w for of in words.values() for w in of)
    for cluster in clusters:
        own = Counter(words[cluster.number])
        scores = {w: n / own.total() * math.log(1 + average / everywhere[w]) for w, n in own.items()}
        kept = [w for w in sorted(scores, key=lambda w: (-scores[w], w)) if w in cluster.terms]
        assert kept == cluster.terms
        assert cluster.terms[0] not in ("the", "a", "of", "to", "in")


def test_no_word_of_a_single_text_names_a_cluster_and_harmful_texts_are_left_out() -> None:
    judged = planted(SIZES)
    first = next(iter(judged.failures))
    secret = judged.failures[first].model_copy(update={"text": "xyzzy xyzzy xyzzy xyzzy ship"})
    judged.failures[first] = secret
    clusters, failures = make_failure_clusters(judged, None, True, 0)
    assert "xyzzy" not in " ".join(c.model_dump_json() for c in clusters)
    assert {(f.text, f.response, f.reference) for f in failures} == {(None, None, None)}
    assert {f.characters for f in failures if f.instruction_id == first} == {secret.characters}


@pytest.mark.parametrize("count", [0, 1, 2, 19, 20])
def test_few_failures_make_one_cluster_or_none(count: int) -> None:
    clusters, failures = make_failure_clusters(planted({"ships": count}, {"bread": 3}), None, False, 0)
    assert len(failures) == count
    assert len(clusters) <= max(COUNTS)
    assert sum(c.failed for c in clusters) == count
    assert sum(c.passed for c in clusters) == (3 if count else 0)
    assert len(clusters) == min(count, 1) or count == 20


@pytest.mark.parametrize("text", [" ", "\u202e", "?!", "1 2 3", "数学", "\x00", "a"])
def test_texts_without_a_word_are_clustered_too(text: str) -> None:
    judged = planted({"ships": 30})
    judged.failures = {
        i: f.model_copy(update={"text": text * (n + 1)}) for n, (i, f) in enumerate(judged.failures.items())
    }
    clusters, _ = make_failure_clusters(judged, None, False, 0)
    assert sum(c.failed for c in clusters) == 30
    assert all(c.label for c in clusters)


def test_stages_write_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    verdicts: list[dict[str, Verdict]] = [{}, {}]
    for n in range(240):
        text = PLANTED[list(PLANTED)[n % 6]].format(COLOURS[n % 10], n)
        verdicts[n % 2][text] = "failed" if n % 4 else "passed"
    files = write_iterations(tmp_path, verdicts)
    write_failure_clusters.main(*files, [], tmp_path / "a.jsonl", tmp_path / "a.parquet", KindUse(name="math"), 3)  # type: ignore[arg-type]
    words = []
    for flag, paths in zip(("instructions", "labels", "responses", "references"), files, strict=True):
        words += [f"--{flag}", *map(str, paths)]
    words += [
        "--embeddings",
        "--failure-clusters",
        str(tmp_path / "b.jsonl"),
        "--failures",
        str(tmp_path / "b.parquet"),
    ]
    words += ["--kind", '{"name": "math"}', "--random-seed", "3"]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}  # OPENBLAS_CORETYPE decides rounding
    subprocess.run(
        [sys.executable, str(write_failure_clusters.__file__), *words], check=True, capture_output=True, env=environment
    )
    for name in ("jsonl", "parquet"):
        assert (tmp_path / f"a.{name}").read_bytes() == (tmp_path / f"b.{name}").read_bytes()
    clusters, failures = read_records(tmp_path / "a.jsonl", Cluster), read_failures(tmp_path / "a.parquet")
    assert sum(c.failed for c in clusters) == len(failures) == 180
    assert sum(sum(c.passed_by_iteration) for c in clusters) == 60
    assert {f.text for f in failures} <= {t for of in verdicts for t in of}


def test_a_stage_reads_stored_vectors_and_masks_the_kind_that_is_harmful(tmp_path: Path) -> None:
    verdicts: dict[str, Verdict] = {f"id{n:014}": "failed" for n in range(40)}
    instructions, labels, responses, _ = write_iterations(tmp_path, [verdicts])
    vectors = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    write_embeddings(tmp_path / "embeddings.npy", list(verdicts), vectors)
    places = tmp_path / "failure_clusters.jsonl", tmp_path / "failures.parquet"
    write_failure_clusters.main(instructions, labels, responses, [], [tmp_path / "embeddings.npy"], *places, SAFETY, 0)
    rows = read_failures(places[1])
    assert {(row.text, row.response, row.reference) for row in rows} == {(None, None, None)}
    assert {row.characters for row in rows} == {16}
    assert {c.vectors for c in read_records(places[0], Cluster)} == {"embeddings"}
    assert "said" not in places[0].read_text() + places[1].read_bytes().decode("latin-1")
