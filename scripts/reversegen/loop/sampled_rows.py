"""Enhancement rows that depend on several answers of the target: which instructions are asked, and the rows that follow.

The choice of instructions comes first and depends on no answer, so that every source teaches equally many. Then the target
answers each chosen instruction several times, once for all sources that teach it. The kind writes one row from these answers,
whatever they are. So no source loses a row, and one instruction is taught in the same way by every source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.core.records import ChosenInstruction, Response, TrainingRow, read_answers, write_records
from reversegen.kinds.base import Case, Kind
from reversegen.loop.enhancement import Candidate, Selection


def write_chosen(selection: Selection, path: Path) -> None:
    """Write each instruction that a source teaches once, with all its sources, in the order of sources."""
    texts: dict[str, str] = {}
    sources: dict[str, list[str]] = {}
    for source, candidates in selection.chosen.items():
        for identity, candidate in candidates.items():
            texts.setdefault(identity, candidate.text)
            sources.setdefault(identity, []).append(source)
    write_records(path, (ChosenInstruction(id=i, text=text, sources=sources[i]) for i, text in texts.items()))


def read_drawn(path: Path, selection: Selection) -> dict[str, list[Response]]:
    """The answers to the chosen instructions, by id. Raises BadInput if the file does not fit the selection."""
    ids = {identity for candidates in selection.chosen.values() for identity in candidates}
    answers: dict[str, list[Response]] = {}
    for response in sorted(read_answers(path, Response, ids), key=lambda r: r.sample):
        answers.setdefault(response.instruction_id, []).append(response)
    return answers


def with_sampled_rows(
    selection: Selection, answers: Mapping[str, Sequence[Response]], kind: Kind, system: str | None
) -> Selection:
    """The selection with rows that the kind writes from the target's answers; replay rows stay as they are.

    An instruction of several sources has the reference of the first of them. Raises BadInput if the kind writes no such rows.
    """
    if kind.sampled is None:
        raise BadInput("answers: the task's kind writes no rows from several answers; leave them out")
    first: dict[str, Candidate] = {}
    for candidates in selection.chosen.values():
        for identity, candidate in candidates.items():
            first.setdefault(identity, candidate)

    def written(row: TrainingRow) -> TrainingRow:
        if row.origin == "replay":
            return row
        candidate = first[row.instruction_id]
        case = Case(row.instruction_id, candidate.text, answers[row.instruction_id], candidate.reference)
        assert kind.sampled
        prompt, completion = kind.sampled.row(case, system)
        return row.model_copy(update={"prompt": prompt, "completion": completion})

    return replace(selection, rows={source: list(map(written, rows)) for source, rows in selection.rows.items()})
