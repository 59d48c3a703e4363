"""Collect what was measured of a task so far, with the outcome of each prompt and question: results/{task}/outcomes.json

python scripts/collect_outcomes.py --help
"""

import logging
from pathlib import Path

from pydantic import ValidationError

from reversegen.artefacts import write_text
from reversegen.configuration import KindUse
from reversegen.errors import BadInput
from reversegen.kinds import open_kind
from reversegen.outcomes import Measured, Run, proposer_counts, target_counts, target_scores
from reversegen.records import Confidence, Instruction, Label, Sample, explain, read_records
from reversegen.seeds import read_tests
from reversegen.stage import run
from reversegen.tables import read_evaluation

log = logging.getLogger("reversegen")


def main(
    evaluations: list[Path],
    tests: list[Path],
    outcomes: Path,
    task: str,
    extends: str,
    kind: KindUse,
    proposer: str,
    target: str,
    state: str,
) -> None:
    """The other files lie beside each of the evaluations; where they are gone, it stands without counts.

    `extends` is empty for a task that extends none. `state` is a hash of the evaluations, so that a new one is collected.
    """
    opened, questions = open_kind(kind), read_tests(tests)
    measured = []
    for path in evaluations:
        evaluation, labels = read_evaluation(path), path.with_name("labels.jsonl")
        of_proposer = evaluation.role == "proposer"
        needed = [path.with_name(f"{name}.jsonl") for name in ("samples", "instructions")] if of_proposer else tests
        counts, scores = {}, None
        if not all(file.is_file() for file in [labels, *needed]) or not needed:
            log.warning("%s: no intervals by prompt, since its labels or what they are of is gone", path)
        elif of_proposer:
            samples, instructions = read_records(needed[0], Sample), read_records(needed[1], Instruction)
            counts = proposer_counts(samples, instructions, read_records(labels, Label))
        else:
            verdicts, sure = read_records(labels, Label), path.with_name("confidences.jsonl")
            counts = target_counts(questions, verdicts, opened)
            confidences = read_records(sure, Confidence) if sure.is_file() else []
            scores = target_scores(questions, verdicts, confidences, opened)
        try:
            measured.append(Measured(evaluation=evaluation, counts=counts, scores=scores))
        except ValidationError as error:
            raise BadInput(f"{path}: {explain(error)}") from error
    result = Run(
        task=task, kind=kind.name, proposer=proposer, target=target, extends=extends or None, measured=measured
    )
    write_text(outcomes, result.model_dump_json() + "\n")
    log.info("%s: %d evaluations", outcomes, len(measured))


if __name__ == "__main__":
    run(main)
