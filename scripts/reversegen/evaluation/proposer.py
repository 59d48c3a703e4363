"""Evaluation of a proposer, on what it wrote to the held-out prompts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reversegen.config.task import Alarm, Evaluation
from reversegen.core.metric import Metric, MetricDescription
from reversegen.core.records import Instruction, Sample
from reversegen.evaluation.bootstrap import drawn_rates, proportion, six_decimals
from reversegen.evaluation.eval_file import (
    ABSTAINED_SHARE,
    CATEGORY,
    FAILURE_RATE,
    LABELLED_SET,
    OUTCOME_SHARES,
    RIGHT_SHARE,
    EvalFile,
    Groups,
    count_reasons,
    write_eval_file,
)
from reversegen.evaluation.judge_check import JudgeReport, rogan_gladen
from reversegen.evaluation.proposer_files import Meanings, Writing, WrittenSample
from reversegen.evaluation.votes import VOTE_METRICS, Votes, gap_alarms, measure_votes
from reversegen.kinds.base import Kind
from reversegen.text.diversity import SEMANTIC, alarms, choose_texts, lexical_diversity, semantic_metrics
from reversegen.text.semantic_duplicates import nearest

log = logging.getLogger("reversegen")

PROPOSER_METRICS = (
    FAILURE_RATE,
    *VOTE_METRICS,
    MetricDescription(
        "failure_rate_corrected",
        "the failure rate corrected for the judge's errors on its labelled set (Rogan-Gladen); the correction moves its "
        "interval too, and how unsure these errors are makes it wider than that of failure_rate",
    ),
    *OUTCOME_SHARES,
    MetricDescription("validity", "the share of samples that could be judged"),
    MetricDescription("failure_rate_unique", "the failure rate over distinct instructions"),
    MetricDescription("yield", "distinct failures in 1,000 samples", number_format=".1f"),
    MetricDescription("unique_share", "the share of distinct texts in a sample of texts of fixed size"),
    MetricDescription(
        "distinct_3", "the share of distinct ones among all runs of 3 words in a sample of texts of fixed size"
    ),
    MetricDescription("self_bleu", "how much of each text the other texts repeat, less is more diverse"),
    MetricDescription("semantic_diversity", "the mean cosine distance of two texts"),
    MetricDescription("vendi_score", "how many texts without any resemblance would be as diverse as these"),
    MetricDescription("type_entropy", "the entropy of the types of the instructions, in nats, more is more diverse"),
    MetricDescription("novelty", "the share of distinct instructions that no seed and no earlier proposer says"),
)
"""The metrics that tables show, in the order in which tables explain them."""
UNTRAINED = "untrained"
"""The arm of the base model, which had no training."""
NOTHING_KNOWN = Metric(value=None, reason="there is no seed and no earlier instruction that could be repeated")
NO_MODEL = Metric(value=None, reason="the task has no embedding model")


def evaluate_proposer(
    writing: Writing,
    known: set[str],
    judge: JudgeReport,
    settings: Evaluation,
    random_seed: int,
    kind: Kind,
    meanings: Meanings | None = None,
) -> tuple[dict[str, Metric], Groups]:
    """Metrics of a proposer on its held-out samples, its failure rate by type, subject and category, the judge's errors by set.

    If answers may abstain, the shares of right answers and of abstentions stand beside each failure rate.

    `known` holds the ids of the seeds and of the instructions of earlier proposers in any split. `failure_rate` counts every
    sample, and `failure_rate_unique` every distinct instruction once. Invalid samples are in neither rate; `validity` is
    the share of the others. If the task's worlds hold out units, `names_heldout` is the share of valid samples that name
    one; these count in all other metrics too. `semantic_novelty` is the share of distinct
    instructions that mean nearly the same as no seed and no earlier instruction. Without `meanings` the semantic metrics
    are null. Diversity is measured on `settings.diversity_sample` valid samples and is null if there are fewer. Novelty is
    null if `known` is empty. Every null has a reason.
    """
    held, valid, unique, verdicts = writing.heldout, writing.valid, writing.distinct, writing.verdicts

    def share(hits: list[bool], rows: Sequence[WrittenSample]) -> Metric:
        none = "no held-out sample is valid" if held else "there is no held-out sample"
        return proportion(hits, [s.prompt_id for s, _ in rows], settings, random_seed).null_because(none)

    failed, failed_unique = writing.failures(valid), writing.failures(unique)
    prompts: list[Hashable] = [s.prompt_id for s, _ in valid]
    draws = drawn_rates(failed, prompts, settings, random_seed) if valid else None
    metrics = {
        **_rates(valid, writing, kind, share),
        "failure_rate_unique": share(failed_unique, unique),
        "yield": Metric(value=six_decimals(1000 * sum(failed_unique) / len(held))) if held else share([], []),
        "failure_rate_corrected": rogan_gladen(sum(failed), len(failed), draws, judge, random_seed),
        "judge_sensitivity": judge.sensitivity.null_because("no failed row of the judge's set got a verdict"),
        "judge_specificity": judge.specificity.null_because("no passed row of the judge's set got a verdict"),
        "validity": share([verdicts[i.id] != "invalid" for _, i in held], held),
        "novelty": share([i.id not in known for _, i in unique], unique) if known else NOTHING_KNOWN,
        "semantic_novelty": NO_MODEL if known else NOTHING_KNOWN,
    }
    if kind.entities:
        metrics["names_heldout"] = share([bool(kind.entities(i.text)) for _, i in valid], valid)
    if meanings and known:
        metrics["semantic_novelty"] = share(_new_in_meaning(unique, meanings), unique)
    metrics |= _diversity([i for _, i in valid], settings, random_seed, kind, meanings)
    groups: Groups = {
        dimension: {group: _rates(rows, writing, kind, share) for group, rows in members.items()}
        for dimension, members in _by_group(valid, kind).items()
    }
    return metrics, groups | _judge_groups(writing, judge, share)


def _judge_groups(
    writing: Writing, judge: JudgeReport, share: Callable[[list[bool], Sequence[WrittenSample]], Metric]
) -> Groups:
    """The share of failures of each category that the judge may report, and its errors on each of several labelled sets."""
    valid = writing.valid
    groups: Groups = {}
    if judge.categories:
        groups[CATEGORY] = {
            name: {"failure_rate": share([writing.categories.get(i.id) == name for _, i in valid], valid)}
            for name in judge.categories
        }
    if len(judge.sets) > 1:
        groups[LABELLED_SET] = {
            name: {"judge_sensitivity": errors.sensitivity, "judge_specificity": errors.specificity}
            for name, errors in judge.sets.items()
        }
    return groups


def _rates(
    rows: Sequence[WrittenSample],
    writing: Writing,
    kind: Kind,
    share: Callable[[list[bool], Sequence[WrittenSample]], Metric],
) -> dict[str, Metric]:
    """The failure rate of samples and, if answers may abstain, the shares of right answers and of abstentions."""
    rates = {FAILURE_RATE.name: share(writing.failures(rows), rows)}
    if kind.abstains:
        outcomes = writing.outcomes(rows)
        rates[RIGHT_SHARE.name] = share([one == "right" for one in outcomes], rows)
        rates[ABSTAINED_SHARE.name] = share([one == "abstained" for one in outcomes], rows)
    return rates


def measure_proposer(
    writing: Writing,
    votes: Votes,
    known: set[str],
    judge: JudgeReport,
    settings: Evaluation,
    random_seed: int,
    kind: Kind,
    meanings: Meanings | None,
) -> tuple[dict[str, Metric], Groups]:
    """What `evaluate_proposer` gives, and what `measure_votes` gives for the held-out samples."""
    metrics, groups = evaluate_proposer(writing, known, judge, settings, random_seed, kind, meanings)
    asked = [(i.id, s.prompt_id) for s, i in writing.heldout]
    voted, by_judge = measure_votes(votes, asked, writing.verdicts, settings, random_seed, judge)
    return metrics | voted, groups | by_judge


def _by_group(valid: Sequence[WrittenSample], kind: Kind) -> dict[str, dict[str, list[WrittenSample]]]:
    """The samples of each type and of each subject, sorted by its name. A dimension that no sample has is left out."""
    divided: dict[str, Callable[[Sample, Instruction], str | None]] = {
        "type": lambda _, i: kind.group(i.text),
        "subject": lambda s, _: s.subject,
    }
    members: dict[str, dict[str, list[WrittenSample]]] = {}
    for dimension, group_of in divided.items():
        for sample, instruction in valid:
            if group := group_of(sample, instruction):
                members.setdefault(dimension, {}).setdefault(group, []).append((sample, instruction))
    return {dimension: dict(sorted(groups.items())) for dimension, groups in members.items()}


def _new_in_meaning(rows: Sequence[WrittenSample], meanings: Meanings) -> list[bool]:
    """For each instruction, whether no seed and no earlier instruction means nearly the same."""
    texts = meanings.written.vectors_of(i.id for _, i in rows)
    closest = np.maximum(nearest(texts, meanings.seeds.vectors), nearest(texts, meanings.earlier.vectors))
    return [bool(c <= 1 - meanings.eps) for c in closest]


def _diversity(
    valid: Sequence[Instruction], settings: Evaluation, random_seed: int, kind: Kind, meanings: Meanings | None
) -> dict[str, Metric]:
    """Metrics of diversity, by words and by meaning, on a draw of the valid instructions."""
    size = settings.diversity_sample
    chosen = [valid[n] for n in choose_texts(len(valid), size, random_seed)]
    metrics = lexical_diversity([i.text for i in chosen], kind)
    if meanings:
        ids = sorted(meanings.seeds.rows)
        seed_vectors = meanings.seeds.vectors_of(ids[n] for n in choose_texts(len(ids), size, random_seed))
        metrics |= semantic_metrics(meanings.written.vectors_of(i.id for i in chosen), seed_vectors, meanings.eps)
        if len(ids) < size:
            few = f"{len(ids)} seeds, fewer than evaluation.diversity_sample: {size}"
            metrics["seed_coverage"] = metrics["seed_coverage"].null_because(few)
    if not chosen:
        few = f"{len(valid)} valid held-out samples, fewer than evaluation.diversity_sample: {size}"
        metrics = {name: metric.null_because(few) for name, metric in metrics.items()}
    return metrics if meanings else metrics | dict.fromkeys(SEMANTIC, NO_MODEL)


def invalid_samples(writing: Writing) -> dict[str, int]:
    """Counts of the reasons why held-out samples have no verdict: their instruction is invalid, or its label is."""
    reasons = {i.id: i.invalid for i in writing.instructions}
    reasons |= {label.instruction_id: label.detail for label in writing.labels if label.verdict == "invalid"}
    return count_reasons(reasons[i.id] for _, i in writing.heldout)


def write_proposer_file(
    path: Path,
    identity: tuple[str, str, str],
    measured: tuple[Mapping[str, Metric], Groups],
    writing: Writing,
    alarm: Alarm,
    provenance: dict[str, Any],
) -> None:
    """Write the `eval.json` of a proposer. `identity` is its task, kind and arm.

    Broken limits of `alarm` are logged and written. The arm `untrained` has no limits, and iteration 0 no growth of the gap.
    """
    task, kind, arm = identity
    metrics, groups = measured
    broken = alarms(metrics, alarm) if arm != UNTRAINED else []
    for reason in broken:
        log.warning("collapse: %s", reason)
    exploited = gap_alarms(metrics, alarm.judge_gap)
    for reason in exploited:
        log.warning("judges: %s", reason)
    content = EvalFile(
        task=task,
        kind=kind,
        role="proposer",
        arm=arm,
        variant=None,
        iteration=int(arm.removeprefix("iter")) if arm != UNTRAINED else None,
        metrics=dict(metrics),
        groups=groups,
        invalid=invalid_samples(writing),
        alarms=broken,
        judge_alarms=exploited,
        provenance=provenance,
    )
    write_eval_file(path, content)
