"""Measure a proposer on the held-out prompts: results/{task}/iter{iteration}/eval.json

python scripts/evaluate_proposer.py --help
"""

from pathlib import Path

from reversegen.config.task import Alarm, Embedding, Evaluation, KindUse
from reversegen.evaluation.audit import audit_metrics
from reversegen.evaluation.judge_check import read_judge_report
from reversegen.evaluation.proposer import evaluate_proposer, write_proposer_file
from reversegen.evaluation.proposer_files import read_known, read_meanings, read_writing
from reversegen.evaluation.provenance import kept_metric, proposer_provenance, provenance
from reversegen.kinds import open_kind
from reversegen.stage import run


def main(
    samples: Path, instructions: Path, labels: Path, judge: Path, audit: list[Path], seeds: Path, earlier: list[Path],
    embeddings: list[Path], seed_embeddings: list[Path], earlier_embeddings: list[Path], pairs: list[Path],
    proposer: Path, target: list[Path], system_texts: Path,
    eval_json: Path,
    task: str, kind: KindUse, arm: str, settings: Evaluation, embedding: Embedding | None, alarm: Alarm,
    configuration: str, random_seed: int,
) -> None:  # fmt: skip
    """`arm` is iter{k}, or untrained for the base model, which has no `audit`. `earlier` are the instructions of the proposers
    before it, `pairs` those that trained it: none for proposer 0. The embeddings are there if the task has a model for them.
    Broken limits of `alarm` stand in `alarms`; check_contamination stops the run for them if the task asks for that."""
    writing = read_writing(samples, instructions, labels)
    known, judged = read_known(seeds, earlier), read_judge_report(judge)
    meanings = read_meanings(embedding, embeddings, seed_embeddings, earlier_embeddings)
    metrics, groups = evaluate_proposer(writing, known, judged, settings, random_seed, open_kind(kind), meanings)
    metrics |= audit_metrics(audit, writing.labels) | (kept_metric(proposer) if arm != "untrained" else {})
    models, data = {"proposer": [proposer], "target": target}, [samples, instructions, labels, seeds, judge]
    origin = provenance(configuration, models, data, random_seed) | proposer_provenance(system_texts, pairs)
    write_proposer_file(eval_json, (task, kind.name, arm), (metrics, groups), writing, alarm, origin)


if __name__ == "__main__":
    run(main)
