"""The records of failing instructions and of their clusters, which the report reads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reversegen.core.records import Record


class Failure(Record):
    """A row of `failures.parquet`: one distinct instruction on which the target failed. Texts of a harmful kind are null."""

    instruction_id: str
    cluster: int
    """Number of its cluster in `failure_clusters.jsonl`."""
    iteration: int
    """The first iteration in which the target failed on it."""
    group: str | None
    """Its type, the judge's category of the answer, or its subject: the first that it has."""
    samples: int
    """Number of samples with this text, over all iterations."""
    characters: int
    """Length of the instruction, in characters."""
    detail: str
    """The label's reason, or the categories of a judge model."""
    score: float | None
    """The label's score."""
    text: str | None
    response: str | None
    """The target's answer. If it was asked several times, each different answer with its count."""
    reference: str | None
    """The trusted final answer."""


class Cluster(Record):
    """A row of `failure_clusters.jsonl`: a group of similar failing instructions. The largest cluster comes first."""

    number: int
    """Number of the cluster, from 0."""
    label: str
    """Its first terms, or its number if it has no terms."""
    terms: list[str]
    """Words that distinguish it from the other clusters, best first. Each occurs in at least two failing instructions."""
    vectors: Literal["embeddings", "tf-idf"]
    """The vectors by which the instructions were compared."""
    failed: int
    """Number of distinct failing instructions in it."""
    passed: int
    """Number of distinct passed instructions whose nearest cluster this is."""
    abstained: int
    """Number of these to which the target says that it does not know."""
    failed_by_iteration: list[int]
    """Number of distinct failing instructions in each iteration from 0 to N. A repeated one counts in each iteration."""
    passed_by_iteration: list[int]
    """Number of distinct passed instructions in each iteration from 0 to N."""
    abstained_by_iteration: list[int]
    """Number of these to which the target says that it does not know."""
    examples: list[str]
    """Ids of the failing instructions nearest to its centre."""
    groups: dict[str, int] = Field(default_factory=dict)
    """Number of its distinct failing instructions in each `group`, largest first. Those without a group are not counted."""


class FailureText(Record):
    """A row of `texts.jsonl`: the texts of an instruction that `failures.parquet` masks."""

    instruction_id: str
    text: str
    response: str
    reference: str | None
