"""Choose equally many rows of every source to enhance the target: results/{task}/enhanced/{source}/train.jsonl

python scripts/select_enhancement.py --help
"""

import logging
from collections import defaultdict
from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.config.training import Enhancement
from reversegen.core.files import write_json
from reversegen.core.records import (
    Instruction,
    Judgement,
    Label,
    Question,
    Reference,
    Response,
    Seed,
    Verdict,
    read_records,
    stream_records,
    write_records,
)
from reversegen.core.sources import SOURCES
from reversegen.kinds import open_kind
from reversegen.loop import enhancement
from reversegen.stage import run

log = logging.getLogger("reversegen")


def main(
    instructions: list[Path],
    labels: list[Path],
    references: list[Path],
    responses: list[Path],
    reference_judgements: list[Path],
    seeds: Path,
    drawn_seeds: Path,
    seed_references: Path,
    seed_judgements: list[Path],
    probe: list[Path],
    tests: list[Path],
    reversegen: Path,
    warmup: Path,
    warmup_failures: Path,
    seed_rows: Path,
    selection: Path,
    kind: KindUse,
    settings: Enhancement,
    system: str | None,
    random_seed: int,
) -> None:
    """Lists are of iteration 0, the control and iterations 1 to N, in this order; `responses` of the first two.

    Judgements of references and the labels of the probe are empty where the task has none. `drawn_seeds` were answered.
    """
    safe = _opinions(reference_judgements)
    found = [
        enhancement.Found(
            read_records(i, Instruction), read_records(j, Label), _judged(read_records(r, Reference), safe)
        )
        for i, j, r in zip(instructions, labels, references, strict=True)
    ]
    checked = _judged(read_records(seed_references, Reference), _opinions(seed_judgements))
    trusted = {r.instruction_id: r for r in checked}
    probed: dict[str, Verdict] = {r.instruction_id: r.verdict for path in probe for r in read_records(path, Label)}
    heldout = [s for s in stream_records(seeds, Seed) if s.split == "heldout"]
    asked = read_records(drawn_seeds, Seed)
    said = defaultdict(list)
    for path in responses:
        for response in read_records(path, Response):
            said[response.instruction_id].append(response)
    selected = enhancement.select_rows(
        trained=found[2:],
        warmup=found[:2],
        seeds=[(s, trusted[s.id], probed.get(s.id, "failed")) for s in asked if s.id in trusted],
        responses=said,
        kept_out=[*(q for path in tests for q in read_records(path, Question)), *heldout],
        enhancement=settings,
        system=system,
        random_seed=random_seed,
        kind=open_kind(kind),
    )
    log.info("selected: %s", selected.summary)
    if warning := enhancement.margin_warning(selected, len(asked), settings):
        log.warning("%s", warning)
    outputs = (reversegen, warmup, warmup_failures, seed_rows)
    for source, path in zip(SOURCES, outputs, strict=True):
        write_records(path, selected.rows[source])
    write_json(selection, selected.summary)


def _opinions(paths: list[Path]) -> dict[str, Verdict] | None:
    """The judge's verdicts on references; None where the task has no judge."""
    return {j.instruction_id: j.verdict for path in paths for j in read_records(path, Judgement)} if paths else None


def _judged(references: list[Reference], opinions: dict[str, Verdict] | None) -> list[Reference]:
    """Without the references that the judge did not pass."""
    return [r for r in references if opinions is None or opinions.get(r.instruction_id) == "passed"]


if __name__ == "__main__":
    run(main)
