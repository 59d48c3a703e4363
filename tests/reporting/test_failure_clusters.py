"""Failure clusters find planted kinds with the right counts, name them by their own words and are the same each time."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tests.support.iterations import write_iterations
from tests.support.planted_failures import PLANTED, SAFETY, kinds_of, planted

import write_failure_clusters
from reversegen.config.task import KindUse
from reversegen.core.failure_records import Cluster
from reversegen.core.records import Verdict, read_records
from reversegen.reporting.failure_clusters import COUNTS, EXAMPLES, make_failure_clusters, tokens
from reversegen.reporting.failures import read_failures
from reversegen.text.embeddings import Embeddings, write_embeddings

COLOURS = ("red", "green", "blue", "old", "new", "big", "small", "first", "second", "odd")


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


def test_a_cluster_counts_its_failures_by_group() -> None:
    judged = planted(SIZES)
    for n, (identity, failure) in enumerate(judged.failures.items()):
        group = None if n % 5 == 0 else "S9" if identity.startswith("ships") and n % 5 < 3 else "S2"
        judged.failures[identity] = failure.model_copy(update={"group": group})
    clusters, failures = make_failure_clusters(judged, None, True, 0)
    for cluster in clusters:
        counts = Counter(f.group for f in failures if f.cluster == cluster.number and f.group)
        assert cluster.groups == counts
        assert list(cluster.groups.values()) == sorted(counts.values(), reverse=True)
    assert [*clusters[0].groups] == ["S2", "S9"]
    assert sum(sum(cluster.groups.values()) for cluster in clusters) == 168  # of 210, of which every fifth has no group


def test_embeddings_decide_the_clusters_if_the_task_has_them() -> None:
    judged = planted(dict.fromkeys(PLANTED, 30), dict.fromkeys(PLANTED, 5))
    rng, axes = np.random.default_rng(0), np.eye(8, dtype=np.float32)
    ids = [*judged.failures, *judged.passes]
    noisy = [axes[int(i[6:]) % 4] + 0.05 * rng.standard_normal(8) for i in ids]  # independent of the words
    vectors = np.array([v / np.linalg.norm(v) for v in noisy], np.float32)
    clusters, failures = make_failure_clusters(judged, Embeddings({i: n for n, i in enumerate(ids)}, vectors), False, 0)
    assert {c.vectors for c in clusters} == {"embeddings"}
    cluster_of = {f.instruction_id: f.cluster for f in failures}
    assert len(clusters) == 4
    assert len({(cluster_of[i], int(i[6:]) % 4) for i in cluster_of}) == 4


def test_terms_follow_class_based_tf_idf() -> None:
    """Grootendorst, arXiv 2203.05794: tf of a term in a class times log(1 + A / f).

    f is the frequency of the term in all classes, A the mean number of words of a class.
    """
    judged = planted(SIZES)
    clusters, failures = make_failure_clusters(judged, None, False, 0)
    words: dict[int, list[str]] = {c.number: [] for c in clusters}
    for f in failures:
        words[f.cluster] += [w for w in str(f.text).split() if len(w) > 1 and not w.isdecimal()]
    average = sum(map(len, words.values())) / len(words)
    everywhere = Counter(w for several in words.values() for w in several)
    for cluster in clusters:
        counts = Counter(words[cluster.number])
        scores = {w: n / counts.total() * math.log(1 + average / everywhere[w]) for w, n in counts.items()}
        terms = [w for w in sorted(scores, key=lambda w: (-scores[w], w)) if w in cluster.terms]
        assert terms == cluster.terms
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
def test_few_failures_make_at_most_one_cluster(count: int) -> None:
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


@pytest.mark.slow
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
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "OMP_NUM_THREADS": "2",
    }  # OPENBLAS_CORETYPE would change the rounding
    subprocess.run(
        [sys.executable, str(write_failure_clusters.__file__), *words], check=True, capture_output=True, env=environment
    )
    for name in ("jsonl", "parquet"):
        assert (tmp_path / f"a.{name}").read_bytes() == (tmp_path / f"b.{name}").read_bytes()
    clusters, failures = read_records(tmp_path / "a.jsonl", Cluster), read_failures(tmp_path / "a.parquet")
    assert sum(c.failed for c in clusters) == len(failures) == 180
    assert sum(sum(c.passed_by_iteration) for c in clusters) == 60
    assert {f.text for f in failures} <= {text for iteration in verdicts for text in iteration}


def test_the_stage_reads_stored_vectors_and_masks_a_harmful_kind(tmp_path: Path) -> None:
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
