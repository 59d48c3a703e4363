"""Reading the files that enhancement rows are selected from, and writing the selected rows."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from reversegen.config.judge_settings import Decision
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
from reversegen.judges.panel import decide, panel_votes
from reversegen.loop.enhancement import LabelledArm, Selection, margin_warning

log = logging.getLogger("reversegen")


def read_arms(
    instructions: Sequence[Path],
    labels: Sequence[Path],
    references: Sequence[Path],
    judgements: Sequence[Path],
    decision: Decision,
) -> list[LabelledArm]:
    """Read each arm with its trusted references: those that the judges passed, or all if there are no judgements."""
    opinions = _opinions(judgements, decision)
    return [
        LabelledArm(read_records(i, Instruction), read_records(j, Label), _trusted(r, opinions))
        for i, j, r in zip(instructions, labels, references, strict=True)
    ]


def read_answered_seeds(
    drawn_seeds: Path, references: Path, judgements: Sequence[Path], decision: Decision, probe: Sequence[Path]
) -> list[tuple[Seed, Reference, Verdict]]:
    """The seeds with a trusted reference, each with this reference and its verdict in the probe, or `failed` without one."""
    references_of = {r.instruction_id: r for r in _trusted(references, _opinions(judgements, decision))}
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


def _opinions(paths: Sequence[Path], decision: Decision) -> dict[str, Verdict] | None:
    """The judges' verdict on each reference, by instruction id; None if the task has no judge.

    The files of one judge are of several arms. An arm that repeats an instruction of another has the same reference, so the
    last judgement of a judge counts.
    """
    rows: dict[str, dict[str, Judgement]] = defaultdict(dict)
    for path in paths:
        rows[path.stem] |= {j.instruction_id: j for j in read_records(path, Judgement)}
    votes = panel_votes([list(judged.values()) for judged in rows.values()])
    return {i: decide([vote.verdict for vote in several], decision) for i, several in votes.items()} if paths else None


def _trusted(path: Path, opinions: Mapping[str, Verdict] | None) -> list[Reference]:
    """The references of a file that the judges passed, or all of them if there are no verdicts."""
    references = read_records(path, Reference)
    return [r for r in references if opinions is None or opinions.get(r.instruction_id) == "passed"]
