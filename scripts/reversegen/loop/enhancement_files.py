"""Reading the files that enhancement rows are selected from, and writing the selected rows."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from reversegen.config.training import Enhancement
from reversegen.core.files import write_json
from reversegen.core.records import (
    Instruction,
    Judgement,
    Label,
    Reference,
    Response,
    Seed,
    Verdict,
    read_records,
    write_records,
)
from reversegen.loop.enhancement import LabelledArm, Selection, margin_warning

log = logging.getLogger("reversegen")


def read_arms(
    instructions: Sequence[Path], labels: Sequence[Path], references: Sequence[Path], judgements: Sequence[Path]
) -> list[LabelledArm]:
    """Read each arm with its trusted references: those that the judge passed, or all if there are no judgements."""
    opinions = _opinions(judgements)
    return [
        LabelledArm(read_records(i, Instruction), read_records(j, Label), _trusted(r, opinions))
        for i, j, r in zip(instructions, labels, references, strict=True)
    ]


def read_answered_seeds(
    drawn_seeds: Path, references: Path, judgements: Sequence[Path], probe: Sequence[Path]
) -> list[tuple[Seed, Reference, Verdict]]:
    """The seeds with a trusted reference, each with this reference and its verdict in the probe, or `failed` without one."""
    references_of = {r.instruction_id: r for r in _trusted(references, _opinions(judgements))}
    verdicts: dict[str, Verdict] = {r.instruction_id: r.verdict for path in probe for r in read_records(path, Label)}
    return [
        (s, references_of[s.id], verdicts.get(s.id, "failed"))
        for s in read_records(drawn_seeds, Seed)
        if s.id in references_of
    ]


def read_responses(paths: Sequence[Path]) -> dict[str, list[Response]]:
    """The target's answers in all arms, by the id of the instruction."""
    responses = defaultdict(list)
    for path in paths:
        for response in read_records(path, Response):
            responses[response.instruction_id].append(response)
    return responses


def write_selection(
    selected: Selection, drawn_seeds: Path, settings: Enhancement, outputs: Mapping[str, Path], selection: Path
) -> None:
    """Write the rows of each source and their counts; log the counts, and a warning if too few seeds were drawn."""
    log.info("selected: %s", selected.summary)
    if warning := margin_warning(selected, len(read_records(drawn_seeds, Seed)), settings):
        log.warning("%s", warning)
    for source, path in outputs.items():
        write_records(path, selected.rows[source])
    write_json(selection, selected.summary)


def _opinions(paths: Sequence[Path]) -> dict[str, Verdict] | None:
    """The judge's verdicts on references, by instruction id; None if the task has no judge."""
    return {j.instruction_id: j.verdict for path in paths for j in read_records(path, Judgement)} if paths else None


def _trusted(path: Path, opinions: Mapping[str, Verdict] | None) -> list[Reference]:
    """The references of a file that the judge passed, or all of them if there are no verdicts."""
    references = read_records(path, Reference)
    return [r for r in references if opinions is None or opinions.get(r.instruction_id) == "passed"]
