"""Measure a proposer on the held-out prompts: results/{task}/iter{iteration}/eval.json

python scripts/evaluate_proposer.py --help
"""

import logging
from pathlib import Path

from reversegen.config.task import Alarm, Embedding, Evaluation, KindUse
from reversegen.core.files import read_json, write_text
from reversegen.core.records import Instruction, Label, Pair, Sample, Seed, read_answers, read_records
from reversegen.evaluation import evaluation
from reversegen.evaluation.audit import agreement, judged_rows
from reversegen.evaluation.judge_check import read_judge_report
from reversegen.kinds import open_kind
from reversegen.loop.pairs import pair_statistics
from reversegen.stage import run
from reversegen.text.diversity import alarms
from reversegen.text.embeddings import read_embeddings
from reversegen.text.words import WORDS


def main(
    samples: Path,
    instructions: Path,
    labels: Path,
    judge: Path,
    audit: list[Path],
    seeds: Path,
    earlier: list[Path],
    embeddings: list[Path],
    seed_embeddings: list[Path],
    earlier_embeddings: list[Path],
    pairs: list[Path],
    proposer: Path,
    target: list[Path],
    system_texts: Path,
    eval_json: Path,
    task: str,
    kind: KindUse,
    arm: str,
    settings: Evaluation,
    embedding: Embedding | None,
    alarm: Alarm,
    configuration: str,
    random_seed: int,
) -> None:
    """`arm` is iter{k}, or untrained for the base model, which has no `audit`.

    `earlier` are the instructions of the proposers before it, `pairs` those that trained it: none for proposer 0. The
    three of embeddings are there where the task has a model for them.

    Diversity below or above a limit of `alarm` stands in `alarms`; check_contamination stops the run for it if the
    task asks for that.
    """
    known = {s.id for s in read_records(seeds, Seed)}
    known |= {i.id for path in earlier for i in read_records(path, Instruction)}
    meanings = embedding and evaluation.Meanings(
        own=read_embeddings(embeddings),
        seeds=read_embeddings(seed_embeddings),
        earlier=read_embeddings(earlier_embeddings),
        eps=embedding.eps,
    )
    written = read_records(instructions, Instruction)
    labelled = read_answers(labels, Label, [i.id for i in written if i.asked])
    sampled = read_records(samples, Sample)
    metrics, groups = evaluation.evaluate_proposer(
        sampled,
        written,
        labelled,
        known,
        read_judge_report(judge),
        settings,
        random_seed,
        open_kind(kind),
        meanings,
    )
    broken = alarms(metrics, alarm) if arm != "untrained" else []
    for reason in broken:
        logging.getLogger("reversegen").warning("collapse: %s", reason)
    metrics |= agreement([row for path in audit for row in judged_rows(path, labelled)])
    metrics |= evaluation.kept_metric(proposer) if arm != "untrained" else {}
    models = {"proposer": proposer} | ({"target": target[0]} if target else {})
    origin = evaluation.provenance(configuration, models, [samples, instructions, labels, seeds, judge], random_seed)
    origin["system_texts"] = read_json(system_texts)
    origin["words"] = WORDS
    origin["pairs"] = pair_statistics(read_records(pairs[0], Pair)) if pairs else None
    result = evaluation.EvaluationReport(
        task=task,
        kind=kind.name,
        role="proposer",
        arm=arm,
        variant=None,
        iteration=int(arm.removeprefix("iter")) if arm != "untrained" else None,
        metrics=metrics,
        groups=groups,
        invalid=evaluation.invalid_samples(sampled, written, labelled),
        alarms=broken,
        provenance=origin,
    )
    write_text(eval_json, result.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    run(main)
