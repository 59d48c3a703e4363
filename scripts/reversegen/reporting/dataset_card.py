"""The card of a data set: the hub's metadata, then the facts that a reader needs before using the data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

import yaml

from reversegen.config.data import DataSource
from reversegen.core.markdown import markdown_table, plain_cell
from reversegen.core.metric import Metric
from reversegen.core.records import Seed
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.reporting.tables import markdown
from reversegen.worlds import describe

LICENCES = {
    *("apache-2.0", "mit", "odbl", "odc-by", "pddl", "unlicense", "cc0-1.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
    *(f"cc-by-{version}" for version in ("2.0", "2.5", "3.0", "4.0")),
    *(f"cc-by-nc-{version}" for version in ("2.0", "3.0", "4.0")),
    *("cc-by-nd-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
}
"""The identifiers that the hub knows (huggingface.co/docs/hub/repositories-licenses); others become `other`."""

SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
"""The hub's size categories, by the number of rows at which they end."""


@dataclass(frozen=True)
class Origin:
    """The origin of a data set, as its card describes it."""

    task: str
    sources: Mapping[str, DataSource]
    """The task's sources of seed instructions."""
    models: Mapping[str, str]
    """The model of each role, in words."""
    configuration: str
    """SHA-256 of the task's configuration."""
    seeds: Sequence[Seed]
    judge: JudgeReport
    evaluations: Sequence[EvalFile]


CARD = Template("""---
$header---

# ReverseGen: failures of a target, `$task`

Instructions that a trained proposer wrote to make a target model fail, with the target's answers and a verdict on each, and the
preference pairs that trained the proposer. They were made by ReverseGen ([arXiv 2410.16736](https://arxiv.org/abs/2410.16736)),
a loop in which a proposer learns from the failures of the target. The target is $target; the kind of the task is $kind.

## Composition

$composition

- `instructions`: a row for each distinct instruction of each iteration that was judged: $verdicts. `failed` means that the
  target failed.$abstentions `invalid` means that no verdict was possible: leave these rows out of a rate.
  Instructions that were written for held-out prompts only are in `heldout`: no pair and no enhancement row has them.
  `iteration` is the number of the proposer; proposer 0 had no preference training.
- `pairs`: TRL's preference format. Both sides are instructions: **`chosen` made the target fail**, `rejected` did not. Pairs
  of iteration k trained proposer k + 1.$enhancement
- Texts are unchanged and may contain special tokens of models: break up those of your own tokenizer before you train.
$masking
    from datasets import load_dataset
    load_dataset("FOLDER OR REPOSITORY", "instructions", split="train")

## Sources and licence

Proposers were shown seed instructions of these sources, and prompts hold three of them word for word:

$sources

Texts that models wrote are also under the terms of these models:

$models

## How it was made

Proposer 0 is the proposer's model, fine-tuned to continue three seed instructions by one more. Of iterations 0 to $iterations,
each samples instructions, drops near-duplicates, asks the target, judges its answers and builds pairs; DPO on the pairs trains
the next proposer. Random seed $random_seed; configuration $configuration.

## Numbers

$numbers

## Intended use

Use this data set to study the errors of the target, to enhance it or similar models, to train proposers, and to check judges.
Do not use it as a benchmark of other models: the instructions were chosen against this one.

## Hazards

- The instructions are chosen because one model fails on them. They are not a representative sample, so no rate here holds
  elsewhere.
- Verdicts are automatic, and some are wrong. On its labelled set the judge found $sensitivity of failed and $specificity of
  passed answers.
- Texts of models may be false, offensive or about real people. Nobody has read all of them.$harm
""")


def card(
    origin: Origin,
    counts: Mapping[str, Mapping[str, int]],
    verdicts: Mapping[str, int],
    abstentions: int | None,
    *,
    harmful: bool,
    masked: bool,
) -> str:
    """The content of the data set's README.md. `abstentions` of the passed answers abstain; None if they cannot."""
    last = max(origin.evaluations, key=lambda e: -1 if e.iteration is None else e.iteration)
    total = sum(n for splits in counts.values() for n in splits.values())
    header = {
        "pretty_name": f"ReverseGen {origin.task}",
        **_licence(source.licence for source in origin.sources.values()),
        "language": "en",
        "task_categories": ["text-generation"],
        "tags": ["reversegen", "red-teaming", "trl", *(["not-for-all-audiences"] if harmful else [])],
        "size_categories": [next((name for size, name in SIZES.items() if total < size), "n>1M")],
        "configs": [
            {
                "config_name": name,
                "data_files": [{"split": split, "path": f"{name}/{split}.parquet"} for split in splits],
            }
            for name, splits in counts.items()
        ],
    }
    header["configs"][0]["default"] = True
    seeds = Counter(seed.source for seed in origin.seeds)
    sources = [(name, _place(s), s.licence, f"{seeds[name]:,}") for name, s in origin.sources.items()]
    sizes = [(name, split, f"{n:,}") for name, splits in counts.items() for split, n in splits.items()]
    return CARD.substitute(
        header=yaml.safe_dump(header, sort_keys=False, allow_unicode=True),
        target=plain_cell(origin.models["target"]),
        task=origin.task,
        kind=last.kind,
        composition=_table(("configuration", "split", "rows"), sizes),
        verdicts=", ".join(f"{verdicts.get(name, 0):,} {name}" for name in ("failed", "passed", "invalid")),
        abstentions="" if abstentions is None else ABSTENTIONS.format(abstentions),
        enhancement=ENHANCEMENT if "enhancement" in counts else "",
        masking=MASKED if masked else "",
        sources=_table(("source", "where from", "licence", "seed instructions"), sources),
        models=_table(("role", "model"), origin.models.items()),
        iterations=last.iteration,
        random_seed=last.provenance["random_seeds"]["task"],
        configuration=origin.configuration,
        numbers=markdown(origin.evaluations).partition("\n")[2].strip().replace("\n## ", "\n### "),
        sensitivity=_percent(origin.judge.sensitivity),
        specificity=_percent(origin.judge.specificity),
        harm=HARM if harmful else "",
    )


ABSTENTIONS = """
  Of `passed`, {:,} are abstentions: the target says that it does not know, and `abstained` is true. The others are right."""
ENHANCEMENT = """
- `enhancement`: rows that enhance the target, in TRL's prompt-completion format. Each source has equally many: failures of
  the trained proposers (`reversegen`), valid instructions of proposer 0 (`warmup`), its failures (`warmup_failures`) and
  seeds. Rows with the origin `replay` are earlier answers of the target."""
MASKED = """
Texts are left out: the columns of instructions, responses, prompts and completions are null. `id` is the hash of an
instruction's normalised text, `category` that of the target's answer if the judge gives one, `characters` its length.
`include_text: true` in the task's configuration makes the data set with its texts.
"""
HARM = """
- The instructions ask for harm, and failed answers may be harmful. The texts can teach a model to attack or to obey attacks:
  restrict access to them, and do not train a model for other people on failed answers."""


def _licence(names: Iterable[str]) -> dict[str, Any]:
    """The card's keys for the licences that publishers state: identifiers of the hub, or `other` and a name."""
    stated = sorted(set(names))
    known = [re.sub(r"\s+", "-", name.strip().lower()) for name in stated]
    if set(known) <= LICENCES:
        return {"license": known}
    name = "-and-".join(re.sub(r"[^a-z0-9.]+", "-", name).strip("-") for name in known)
    return {"license": "other", "license_name": name}


def _place(source: DataSource) -> str:
    if source.hub:
        return f"{source.hub.repo}, {source.hub.name}, {source.hub.split}"
    if source.url:
        return source.url.address
    if source.package:
        return f"{source.package.path} of the Python package {source.package.requirement}"
    return describe(source.corpus.world) if source.corpus else "a private file"


def _percent(metric: Metric) -> str:
    return "an unknown share" if metric.value is None else f"{metric.value:.1%} ({metric.count:,} of {metric.total:,})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts of the configuration, with numbers as texts too."""
    return markdown_table(head, ([plain_cell(value) for value in row] for row in rows), len(head))
