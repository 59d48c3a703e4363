"""Measure a proposer on the held-out prompts: results/{task}/iter{iteration}/eval.json

python scripts/evaluate_proposer.py --help
"""

from pathlib import Path

from reversegen import evaluation
from reversegen.artefacts import write_text
from reversegen.configuration import Evaluation
from reversegen.kinds import KINDS
from reversegen.pairs import pair_statistics
from reversegen.records import Instruction, Label, Pair, Sample, Seed, read_records
from reversegen.stage import run


def main(
    samples: Path,
    instructions: Path,
    labels: Path,
    seeds: Path,
    earlier: list[Path],
    pairs: list[Path],
    proposer: Path,
    target: list[Path],
    eval_json: Path,
    task: str,
    kind: str,
    iteration: int,
    settings: Evaluation,
    configuration: str,
    random_seed: int,
) -> None:
    """`earlier` are the instructions of the proposers before it, `pairs` those that trained it: none for proposer 0."""
    known = {s.id for s in read_records(seeds, Seed)}
    known |= {i.id for path in earlier for i in read_records(path, Instruction)}
    metrics, groups = evaluation.evaluate_proposer(
        read_records(samples, Sample),
        read_records(instructions, Instruction),
        read_records(labels, Label),
        known,
        settings,
        random_seed,
        KINDS[kind],
    )
    models = {"proposer": proposer} | ({"target": target[0]} if target else {})
    origin = evaluation.provenance(configuration, models, [samples, instructions, labels, seeds], random_seed)
    origin["pairs"] = pair_statistics(read_records(pairs[0], Pair)) if pairs else None
    result = evaluation.Evaluation(
        task=task,
        kind=kind,
        role="proposer",
        iteration=iteration,
        source=None,
        metrics=metrics,
        groups=groups,
        provenance=origin,
    )
    write_text(eval_json, result.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    run(main)
