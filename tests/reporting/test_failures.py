"""The failing instructions of all iterations: each once, joined to its answer, and masked if it may be harmful."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.support.iterations import write_iterations

import write_texts
from reversegen.config.task import KindUse
from reversegen.core.errors import BadInput
from reversegen.core.failure_records import Failure, FailureText
from reversegen.core.records import Label, Verdict, read_records, write_records
from reversegen.kinds import open_kind
from reversegen.reporting.failure_clusters import make_failure_clusters
from reversegen.reporting.failures import (
    JudgedInstructions,
    choose_examples,
    failure_texts,
    read_failures,
    read_judged_instructions,
    write_failures,
)

MATH = open_kind(KindUse(name="math", worlds=("arithmetic",)))


def failure(identity: str, cluster: int = 0, **changes: Any) -> Failure:
    given: dict[str, Any] = {"iteration": 0, "group": None, "samples": 1, "characters": 3, "detail": "d", "score": None}
    given |= {"text": "t", "response": "r", "reference": None} | changes
    return Failure(instruction_id=identity, cluster=cluster, **given)


def test_an_instruction_counts_once_and_failing_once_is_failing(tmp_path: Path) -> None:
    files = write_iterations(
        tmp_path,
        [{"a": "failed", "b": "passed", "c": "invalid"}, {"a": "passed", "b": "failed", "c": "passed", "d": "failed"}],
    )
    judged = read_judged_instructions(*files, MATH)  # type: ignore[arg-type]
    assert list(judged.failures) == ["a", "b", "d"]
    assert judged.passes == {"c": "c"}
    assert judged.failed_by_iteration == [["a"], ["b", "d"]]
    assert judged.passed_by_iteration == [["b"], ["a", "c"]]
    a, b, d = judged.failures.values()
    assert (a.iteration, b.iteration, d.iteration) == (0, 1, 1)
    assert (a.samples, b.samples, d.samples) == (4, 4, 2)
    assert (a.response, b.response) == ("a said 0", "b said 1")
    assert (a.detail, b.detail, b.reference, b.group) == ("failed in 0", "failed in 1", "b right", "s")


def test_abstentions_are_counted_apart_among_what_passed(tmp_path: Path) -> None:
    verdicts: list[dict[str, Verdict]] = [
        {"a": "failed", "b": "passed", "c": "passed", "d": "passed"},
        {"b": "passed", "c": "failed", "d": "passed", "e": "passed"},
    ]
    files = write_iterations(tmp_path, verdicts, abstained=("b", "c", "d1"))
    judged = read_judged_instructions(*files, MATH)  # type: ignore[arg-type]
    assert judged.abstained_by_iteration == [["b", "c"], ["b", "d"]]
    assert judged.abstentions == {"b"}  # c failed later, and d was right when it was first asked
    clusters, _ = make_failure_clusters(judged, None, False, 0)
    assert sum(c.passed for c in clusters) == 3
    assert sum(c.abstained for c in clusters) == 1
    assert [sum(counts) for counts in zip(*(c.abstained_by_iteration for c in clusters), strict=True)] == [1, 2]


def test_several_answers_are_listed_with_their_counts(tmp_path: Path) -> None:
    judged = read_judged_instructions(*write_iterations(tmp_path, [{"a": "failed"}], answers=4), MATH)  # type: ignore[arg-type]
    assert judged.failures["a"].response == "a said 0 (3 of 4)\na odd 0 (1 of 4)"


def test_the_type_is_that_of_the_kind_if_it_has_one(tmp_path: Path) -> None:
    files = write_iterations(tmp_path, [{"what is 3 plus 4 minus 2 ?": "failed"}])
    [failure] = read_judged_instructions(*files, MATH).failures.values()  # type: ignore[arg-type]
    assert failure.group == "add_subtract"


def test_the_category_of_the_label_comes_before_the_subject_and_after_the_type(tmp_path: Path) -> None:
    files = write_iterations(tmp_path, [{"a": "failed", "20 + 3": "failed"}])
    labels = [one.model_copy(update={"category": "S9"}) for one in read_records(files[1][0], Label)]
    write_records(files[1][0], labels)
    judged = read_judged_instructions(*files, MATH)  # type: ignore[arg-type]
    assert {i: failure.group for i, failure in judged.failures.items()} == {"a": "S9", "20 + 3": "add"}


def test_a_kind_without_references_needs_none(tmp_path: Path) -> None:
    files = write_iterations(tmp_path, [{"a": "failed"}])
    assert read_judged_instructions(*files[:3], [], MATH).failures["a"].reference is None


def test_examples_are_taken_in_turns_so_that_small_clusters_are_included() -> None:
    rows = [failure(f"{n:03}", cluster) for cluster, size in enumerate((50, 3, 20)) for n in range(size)]
    chosen = choose_examples(rows, 20)
    assert Counter(f.cluster for f in chosen) == {0: 9, 1: 3, 2: 8}
    assert [f.cluster for f in chosen[:4]] == [0, 1, 2, 0]
    assert choose_examples(list(reversed(rows)), 20) == chosen
    assert len(choose_examples(rows, 100)) == 73
    assert choose_examples([], 5) == []


def test_the_table_is_read_back_and_other_readers_see_its_columns(tmp_path: Path) -> None:
    odd = '"\x00\u202e\n\N{GRINNING FACE}</td>='
    rows = [failure("a", 3, text=odd, group=odd, score=0.1 + 0.2), failure("b", text=None, response=None)]
    write_failures(tmp_path / "failures.parquet", rows)
    assert read_failures(tmp_path / "failures.parquet") == rows
    read = pq.read_table(tmp_path / "failures.parquet")
    assert read.column_names == list(Failure.model_fields)
    assert read.column("text").to_pylist() == [odd, None]
    write_failures(tmp_path / "again.parquet", rows)
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "failures.parquet").read_bytes()
    write_failures(tmp_path / "none.parquet", [])
    assert read_failures(tmp_path / "none.parquet") == []


def test_a_file_that_is_not_a_table_is_refused_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "failures.parquet").write_text("secret")
    with pytest.raises(
        BadInput, match=r"failures.parquet: not a table of failures: ArrowInvalid; delete it"
    ) as refused:
        read_failures(tmp_path / "failures.parquet")
    assert "secret" not in str(refused.value)
    with pytest.raises(BadInput, match="not a table of failures"):
        read_failures(tmp_path / "missing.parquet")


def test_the_texts_are_written_by_the_ids_of_the_masked_table(tmp_path: Path) -> None:
    files = write_iterations(tmp_path, [{"a": "failed", "b": "passed"}, {"c": "failed"}])
    write_texts.main(*files, tmp_path / "texts.jsonl", KindUse(name="math", worlds=("arithmetic",)))  # type: ignore[arg-type]
    assert read_records(tmp_path / "texts.jsonl", FailureText) == [
        FailureText(instruction_id="a", text="a", response="a said 0", reference="a right"),
        FailureText(instruction_id="c", text="c", response="c said 1", reference="c right"),
    ]
    assert list(failure_texts(JudgedInstructions())) == []
