"""What the target failed on: the distinct failing instructions of all iterations, and `failures.parquet`, which lists them."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.files import write_bytes
from reversegen.core.records import Failure, FailureText, Instruction, Label, Reference, Response, read_records
from reversegen.kinds.base import Kind
from reversegen.loop.turns import in_turns


@dataclass
class Found:
    """Distinct instructions of all iterations that have a verdict, in order of first appearance."""

    failures: dict[str, Failure] = field(default_factory=dict)
    """With their texts, in no cluster yet."""
    passes: dict[str, str] = field(default_factory=dict)
    """Texts by id; none that failed in another iteration."""
    failed_in: list[list[str]] = field(default_factory=list)
    """Ids by iteration."""
    passed_in: list[list[str]] = field(default_factory=list)


def read_found(
    instructions: Sequence[Path],
    labels: Sequence[Path],
    responses: Sequence[Path],
    references: Sequence[Path],
    kind: Kind,
) -> Found:
    """Read the files of iterations 0 to N, in order; `references` is empty where the kind has none.

    One iteration is in memory at a time, but for what failed. Raises BadInput naming file, line and field.
    """
    found, samples = Found(), Counter[str]()
    for k, path in enumerate(instructions):
        own = {label.instruction_id: label for label in read_records(labels[k], Label)}
        failed = {i for i, label in own.items() if label.verdict == "failed"}
        said: dict[str, list[str]] = defaultdict(list)
        for response in read_records(responses[k], Response):
            if response.instruction_id in failed:
                said[response.instruction_id].append(response.text)
        trusted = {
            r.instruction_id: r.answer
            for file in references[k : k + 1]
            for r in read_records(file, Reference)
            if r.instruction_id in failed
        }
        found.failed_in.append([])
        found.passed_in.append([])
        for instruction in read_records(path, Instruction):
            identity, label = instruction.id, own.get(instruction.id)
            if label is None or label.verdict == "invalid":
                continue
            samples[identity] += len(instruction.samples)
            if label.verdict == "passed":
                found.passed_in[k].append(identity)
                found.passes.setdefault(identity, instruction.text)
                continue
            found.failed_in[k].append(identity)
            if identity not in found.failures:
                found.failures[identity] = Failure(
                    instruction_id=identity,
                    cluster=0,
                    iteration=k,
                    group=kind.group(instruction.text) or instruction.subject,
                    samples=0,
                    characters=len(instruction.text),
                    detail=label.detail,
                    score=label.score,
                    text=instruction.text,
                    response=_answers(said[identity]),
                    reference=trusted.get(identity),
                )
    for identity, failure in found.failures.items():
        found.passes.pop(identity, None)
        found.failures[identity] = failure.model_copy(update={"samples": samples[identity]})
    return found


def _answers(texts: Sequence[str]) -> str:
    """One answer as it is; of several, each different one with how often it came, the most frequent first."""
    if len(texts) == 1:
        return texts[0]
    return "\n".join(f"{text} ({count} of {len(texts)})" for text, count in Counter(texts).most_common())


def failure_texts(found: Found) -> Iterable[FailureText]:
    """What `failures.parquet` masks."""
    for failure in found.failures.values():
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
    """The rows of `failures.parquet`. Raises BadInput naming the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
        return [Failure.model_validate(row) for row in rows]
    except (OSError, ValueError, pa.ArrowInvalid) as error:  # pydantic's errors are ValueErrors
        raise BadInput(f"{path}: no table of failures: {type(error).__name__}; delete it") from error
