"""`eval.json`: metrics of a proposer on the held-out prompts and of a target on the test sets, with 95 % intervals."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from reversegen.artefacts import read_json
from reversegen.configuration import Evaluation as Settings
from reversegen.hashing import file_sha256, hashed_seed, normalise
from reversegen.kind import Kind
from reversegen.records import Instruction, Label, Question, Sample, Verdict


class Metric(BaseModel):
    """One number. A proportion has count and total; another metric, or one that could not be measured, has null."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None = None
    """Lower end of the 95 % interval, by bootstrap over prompts or questions."""
    high: float | None = None
    count: int | None = None
    total: int | None = None


class Evaluation(BaseModel):
    """The content of `eval.json`, the same everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    kind: str
    role: Literal["proposer", "target"]
    iteration: int | None
    source: str | None
    metrics: dict[str, Metric]
    groups: dict[str, dict[str, dict[str, Metric]]]
    provenance: dict[str, Any]


def proportion(hits: Sequence[bool], clusters: Sequence[Hashable], settings: Settings, random_seed: int) -> Metric:
    """The share of hits with the percentile bootstrap interval over clusters (Efron and Tibshirani 1993, chapter 13).

    Whole clusters are drawn with replacement, since the samples of one prompt are correlated. Null for no trials.
    """
    if not hits:
        return Metric(value=None, count=0, total=0)
    counted: dict[Hashable, list[int]] = defaultdict(lambda: [0, 0])
    for hit, cluster in zip(hits, clusters, strict=True):
        counted[cluster][0] += hit
        counted[cluster][1] += 1
    counts, totals = np.array(list(counted.values()), dtype=np.int64).T
    rng = np.random.default_rng(hashed_seed(random_seed, "bootstrap"))
    rates = np.empty(settings.bootstrap)
    for i in range(settings.bootstrap):
        drawn = rng.integers(len(counts), size=len(counts))
        rates[i] = counts[drawn].sum() / totals[drawn].sum()
    low, high = np.quantile(rates, [0.025, 0.975])
    count, total = int(counts.sum()), int(totals.sum())
    return Metric(value=_round(count / total), low=_round(low), high=_round(high), count=count, total=total)


def evaluate_proposer(
    samples: Sequence[Sample],
    instructions: Sequence[Instruction],
    labels: Sequence[Label],
    known: set[str],
    settings: Settings,
    random_seed: int,
    kind: Kind,
) -> tuple[dict[str, Metric], dict[str, dict[str, dict[str, Metric]]]]:
    """Metrics of a proposer on its held-out samples, and its failure rate by type.

    `known` holds the ids of the seeds and of what earlier proposers wrote in any split. Duplicates count in `failure_rate`,
    `failure_rate_unique` is over distinct instructions. An invalid sample is in neither; `validity` tells their share.
    """
    verdicts = {label.instruction_id: label.verdict for label in labels}
    by_sample = {sample: i for i in instructions for sample in i.samples}
    held = [(s, by_sample[s.id]) for s in samples if s.split == "heldout"]
    verdict: dict[str, Verdict] = {i.id: verdicts.get(i.id, "invalid") for _, i in held}
    valid = [(s, i) for s, i in held if verdict[i.id] != "invalid"]
    distinct = {i.id: (s, i) for s, i in reversed(valid)}
    failures = {identity for identity in distinct if verdict[identity] == "failed"}

    def share(hits: list[bool], rows: Sequence[tuple[Sample, Instruction]]) -> Metric:
        return proportion(hits, [s.prompt_id for s, _ in rows], settings, random_seed)

    unique = list(distinct.values())
    metrics = {
        "failure_rate": share([verdict[i.id] == "failed" for _, i in valid], valid),
        "failure_rate_unique": share([verdict[i.id] == "failed" for _, i in unique], unique),
        "yield": Metric(value=_round(1000 * len(failures) / len(held)) if held else None),
        "failure_rate_corrected": Metric(value=None),
        "judge_sensitivity": Metric(value=None),
        "judge_specificity": Metric(value=None),
        "validity": share([verdict[i.id] != "invalid" for _, i in held], held),
        "novelty": share([i.id not in known for _, i in unique], unique),
        **diversity([i.text for _, i in valid], settings, random_seed, kind),
    }
    by_type = defaultdict(list)
    for sample, instruction in valid:
        by_type[kind.group(instruction.text)].append((sample, instruction))
    groups = {
        str(name): {"failure_rate": share([verdict[i.id] == "failed" for _, i in rows], rows)}
        for name, rows in sorted(by_type.items(), key=lambda item: str(item[0]))
        if name is not None
    }
    return metrics, {"type": groups} if groups else {}


def diversity(texts: Sequence[str], settings: Settings, random_seed: int, kind: Kind) -> dict[str, Metric]:
    """Diversity of valid samples, measured on a seeded sample of fixed size, since it depends on how many there are.

    `unique_share` is distinct texts over texts, `distinct_n` distinct word n-grams over word n-grams (Li et al., arXiv
    1510.03055), `type_entropy` in nats over types. All are null where there are fewer texts than the fixed size.
    """
    names = ["unique_share", "distinct_1", "distinct_2", "distinct_3", "distinct_4", "self_bleu", "semantic_diversity"]
    metrics = {name: Metric(value=None) for name in [*names, "type_entropy"]}
    if len(texts) < settings.diversity_sample:
        return metrics
    drawn = random.Random(hashed_seed(random_seed, "diversity")).sample(list(texts), settings.diversity_sample)
    metrics["unique_share"] = Metric(
        value=_round(len(set(map(normalise, drawn))) / len(drawn)),
        count=len(set(map(normalise, drawn))),
        total=len(drawn),
    )
    for n in range(1, 5):
        grams = [tuple(words[i : i + n]) for words in map(str.split, drawn) for i in range(len(words) - n + 1)]
        if grams:
            value = len(set(grams)) / len(grams)
            metrics[f"distinct_{n}"] = Metric(value=_round(value), count=len(set(grams)), total=len(grams))
    types = Counter(group for text in drawn if (group := kind.group(text)))
    if types:
        shares = [count / types.total() for count in types.values()]
        metrics["type_entropy"] = Metric(value=_round(-sum(p * math.log(p) for p in shares)))
    return metrics


def evaluate_target(
    tests: Mapping[str, Sequence[Question]],
    measures: Mapping[str, str],
    labels: Sequence[Label],
    settings: Settings,
    random_seed: int,
    kind: Kind,
) -> tuple[dict[str, Metric], dict[str, dict[str, dict[str, Metric]]]]:
    """Metrics of a target on its test sets, with accuracy by set and by type.

    A set counts for the metric that `measures` names. A response that cannot be judged is no correct answer: the total is
    all questions, and `invalid_share` tells how many there were. Intervals are over canonical questions.
    """
    verdicts = {label.instruction_id: label.verdict for label in labels}

    def correct(questions: Sequence[Question]) -> Metric:
        hits = [verdicts[q.id] == "passed" for q in questions]
        return proportion(hits, [kind.canonical(q.text) for q in questions], settings, random_seed)

    def measured(metric: str) -> list[Question]:
        return [q for name, questions in tests.items() if measures[name] == metric for q in questions]

    everything = [q for questions in tests.values() for q in questions]
    invalid = [verdicts[q.id] == "invalid" for q in everything]
    metrics = {
        "accuracy": correct(measured("accuracy")),
        "retained": correct(measured("retained")),
        "invalid_share": proportion(invalid, [kind.canonical(q.text) for q in everything], settings, random_seed),
    }
    by_type = defaultdict(list)
    for question in measured("accuracy"):
        if question.group:
            by_type[question.group].append(question)
    groups = {
        "set": {name: {"accuracy": correct(questions)} for name, questions in tests.items()},
        "type": {name: {"accuracy": correct(questions)} for name, questions in sorted(by_type.items())},
    }
    return metrics, {name: group for name, group in groups.items() if group}


def provenance(
    configuration: str, models: Mapping[str, Path], data: Sequence[Path], random_seed: int
) -> dict[str, Any]:
    """Where numbers come from: hashes of the configuration, of the models' manifests and of the data files; versions."""
    manifests = {
        name: folder / "manifest.json" for name, folder in models.items() if (folder / "manifest.json").is_file()
    }
    return {
        "configuration": configuration,
        "models": {
            name: {"manifest": file_sha256(file), "versions": read_json(file).get("versions", {})}
            for name, file in manifests.items()
        },
        "data": {str(path): file_sha256(path) for path in data},
        "random_seeds": {"task": random_seed},
        "versions": {name: _version(name) for name in ("datasketch", "math-verify", "numpy", "snakemake")},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _round(value: float) -> float:
    return round(float(value), 6)
