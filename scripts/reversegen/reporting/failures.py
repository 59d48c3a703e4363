"""What the target failed on: the distinct failing instructions of all iterations, and `failures.parquet`, which lists them."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.files import write_bytes
from reversegen.core.records import Failure, FailureText, Instruction, Label, Reference, Response, read_records
from reversegen.kinds.base import Kind


@dataclass
class JudgedInstructions:
    """Distinct instructions of all iterations that have a verdict, in order of first appearance."""

    failures: dict[str, Failure] = field(default_factory=dict)
    """By id, with their texts, in no cluster yet."""
    passes: dict[str, str] = field(default_factory=dict)
    """Texts by id; none that failed in another iteration."""
    failed_by_iteration: list[list[str]] = field(default_factory=list)
    """Ids."""
    passed_by_iteration: list[list[str]] = field(default_factory=list)
    """Ids."""


def read_judged_instructions(
    instructions: Sequence[Path],
    labels: Sequence[Path],
    responses: Sequence[Path],
    references: Sequence[Path],
    kind: Kind,
) -> JudgedInstructions:
    """Read the files of iterations 0 to N, in order; `references` is empty if the kind has none.

    One iteration is in memory at a time, but for what failed. Raises BadInput naming file, line and field.
    """
    judged, samples = JudgedInstructions(), Counter[str]()
    for k, path in enumerate(instructions):
        verdicts = {label.instruction_id: label for label in read_records(labels[k], Label)}
        failed = {i for i, label in verdicts.items() if label.verdict == "failed"}
        answers: dict[str, list[str]] = defaultdict(list)
        for response in read_records(responses[k], Response):
            if response.instruction_id in failed:
                answers[response.instruction_id].append(response.text)
        answers_of_teacher = {
            reference.instruction_id: reference.answer
            for file in references[k : k + 1]
            for reference in read_records(file, Reference)
            if reference.instruction_id in failed
        }
        judged.failed_by_iteration.append([])
        judged.passed_by_iteration.append([])
        for instruction in read_records(path, Instruction):
            identity, label = instruction.id, verdicts.get(instruction.id)
            if label is None or label.verdict == "invalid":
                continue
            samples[identity] += len(instruction.samples)
            if label.verdict == "passed":
                judged.passed_by_iteration[k].append(identity)
                judged.passes.setdefault(identity, instruction.text)
                continue
            judged.failed_by_iteration[k].append(identity)
            if identity not in judged.failures:
                judged.failures[identity] = _failure(
                    instruction, label, answers[identity], answers_of_teacher.get(identity), k, kind
                )
    for identity, failure in judged.failures.items():
        judged.passes.pop(identity, None)
        judged.failures[identity] = failure.model_copy(update={"samples": samples[identity]})
    return judged


def _failure(
    instruction: Instruction, label: Label, answers: Sequence[str], reference: str | None, iteration: int, kind: Kind
) -> Failure:
    """A failing instruction, in no cluster yet and of no samples yet."""
    return Failure(
        instruction_id=instruction.id,
        cluster=0,
        iteration=iteration,
        group=kind.group(instruction.text) or instruction.subject,
        samples=0,
        characters=len(instruction.text),
        detail=label.detail,
        score=label.score,
        text=instruction.text,
        response=_one_answer(answers),
        reference=reference,
    )


def _one_answer(texts: Sequence[str]) -> str:
    """One answer as it is; of several, each different one with how often it came, the most frequent first."""
    if len(texts) == 1:
        return texts[0]
    return "\n".join(f"{text} ({count} of {len(texts)})" for text, count in Counter(texts).most_common())


def failure_texts(judged: JudgedInstructions) -> Iterable[FailureText]:
    """What `failures.parquet` masks."""
    for failure in judged.failures.values():
        yield FailureText(
            instruction_id=failure.instruction_id,
            text=str(failure.text),
            response=str(failure.response),
            reference=failure.reference,
        )


def choose_examples(failures: Sequence[Failure], most: int) -> list[Failure]:
    """At most so many, in turns from the clusters, so that small ones are there.

    Within a cluster they are taken in the order of their ids, which are hashes: a draw that needs no seed.
    """
    rank: Counter[int] = Counter()
    turns = []
    for failure in sorted(failures, key=lambda f: f.instruction_id):
        turns.append((rank[failure.cluster], failure.cluster, failure))
        rank[failure.cluster] += 1
    return [failure for *_, failure in sorted(turns, key=lambda turn: turn[:2])[:most]]


def write_failures(path: Path, failures: Sequence[Failure]) -> None:
    """Write `failures.parquet`, a column for each field."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"cluster": pa.int32(), "iteration": pa.int32(), "samples": pa.int32(), "characters": pa.int32()}
    columns = {
        name: pa.array(
            [getattr(failure, name) for failure in failures],
            type=kinds.get(name, pa.float64() if name == "score" else pa.string()),
        )
        for name in Failure.model_fields
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="zstd")
    write_bytes(path, file.getvalue())


def read_failures(path: Path) -> list[Failure]:
    """The rows of `failures.parquet`. Raises BadInput naming the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
        return [Failure.model_validate(row) for row in rows]
    except (OSError, ValueError, pa.ArrowInvalid) as error:  # pydantic's errors are ValueErrors
        raise BadInput(f"{path}: no table of failures: {type(error).__name__}; delete it") from error
