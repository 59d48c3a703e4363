"""The distinct failing instructions of all iterations, and `failures.parquet`, which lists them."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.failure_records import Failure, FailureText
from reversegen.core.files import write_bytes
from reversegen.core.records import Instruction, Label, Reference, Response, read_records
from reversegen.kinds.base import Kind
from reversegen.loop.turns import in_turns


@dataclass
class JudgedInstructions:
    """Distinct instructions of all iterations that have a verdict, in order of first appearance."""

    failures: dict[str, Failure] = field(default_factory=dict)
    """By id, with their texts, in no cluster yet."""
    passes: dict[str, str] = field(default_factory=dict)
    """Texts by id, without those that failed in another iteration."""
    abstentions: set[str] = field(default_factory=set)
    """Ids of the passed instructions to which the target says that it does not know when it is first asked."""
    failed_by_iteration: list[list[str]] = field(default_factory=list)
    """Ids."""
    passed_by_iteration: list[list[str]] = field(default_factory=list)
    """Ids."""
    abstained_by_iteration: list[list[str]] = field(default_factory=list)
    """Ids of the passed instructions to which the target says that it does not know."""


def read_judged_instructions(
    instructions: Sequence[Path],
    labels: Sequence[Path],
    responses: Sequence[Path],
    references: Sequence[Path],
    kind: Kind,
) -> JudgedInstructions:
    """Read the files of iterations 0 to N, in order; `references` is empty if the kind has none.

    Only one iteration is in memory at a time, except for failing instructions. Raises BadInput with file, line and field if a
    file is malformed.
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
        judged.abstained_by_iteration.append([])
        for instruction in read_records(path, Instruction):
            identity, label = instruction.id, verdicts.get(instruction.id)
            if label is None or label.verdict == "invalid":
                continue
            samples[identity] += len(instruction.samples)
            if label.verdict == "passed":
                judged.passed_by_iteration[k].append(identity)
                if label.abstained:
                    judged.abstained_by_iteration[k].append(identity)
                    if identity not in judged.passes:
                        judged.abstentions.add(identity)
                judged.passes.setdefault(identity, instruction.text)
                continue
            judged.failed_by_iteration[k].append(identity)
            if identity not in judged.failures:
                judged.failures[identity] = _failure(
                    instruction, label, answers[identity], answers_of_teacher.get(identity), k, kind
                )
    for identity, failure in judged.failures.items():
        judged.passes.pop(identity, None)
        judged.abstentions.discard(identity)
        judged.failures[identity] = failure.model_copy(update={"samples": samples[identity]})
    return judged


def _failure(
    instruction: Instruction, label: Label, answers: Sequence[str], reference: str | None, iteration: int, kind: Kind
) -> Failure:
    """A failing instruction, still without its cluster and its number of samples."""
    return Failure(
        instruction_id=instruction.id,
        cluster=0,
        iteration=iteration,
        group=kind.type_of(instruction.text, label.category, instruction.subject),
        samples=0,
        characters=len(instruction.text),
        detail=label.detail,
        score=label.score,
        text=instruction.text,
        response=_one_answer(answers),
        reference=reference,
    )


def _one_answer(texts: Sequence[str]) -> str:
    """A single answer unchanged; of several, each distinct one with its count, the most frequent first."""
    if len(texts) == 1:
        return texts[0]
    return "\n".join(f"{text} ({count} of {len(texts)})" for text, count in Counter(texts).most_common())


def failure_texts(judged: JudgedInstructions) -> Iterable[FailureText]:
    """The texts that `failures.parquet` masks."""
    for failure in judged.failures.values():
        yield FailureText(
            instruction_id=failure.instruction_id,
            text=str(failure.text),
            response=str(failure.response),
            reference=failure.reference,
        )


def choose_examples(failures: Sequence[Failure], most: int) -> list[Failure]:
    """At most `most` failures, taken from the clusters in turns, so that small clusters are included.

    Within a cluster they are in the order of their ids. Ids are hashes, so this is a random draw without a seed.
    """
    by_id = sorted(failures, key=lambda failure: failure.instruction_id)
    return list(islice(in_turns(by_id, lambda failure: failure.cluster), most))


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
    """Read the rows of `failures.parquet`. Raises BadInput with the file if it is malformed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
        return [Failure.model_validate(row) for row in rows]
    except (OSError, ValueError, pa.ArrowInvalid) as error:  # pydantic's errors are ValueErrors
        raise BadInput(
            f"{path}: not a table of failures: {type(error).__name__}; delete it, and run the same command again"
        ) from error
