"""What a task found, as a data set for others: Parquet files and a card, loadable by `datasets.load_dataset(folder, name)`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pyarrow
import pyarrow.parquet
import yaml

from reversegen.config.load import DataSource
from reversegen.core.files import building_folder
from reversegen.core.metric import Metric
from reversegen.core.records import Instruction, Label, Pair, Reference, Response, Seed, TrainingRow
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.reporting.tables import markdown

Rows = list[dict[str, Any]]

_TEXT, _MESSAGES = (
    pyarrow.string(),
    pyarrow.list_(pyarrow.struct({"role": pyarrow.string(), "content": pyarrow.string()})),
)
SCHEMAS: dict[str, dict[str, pyarrow.DataType]] = {
    "instructions": {
        "id": _TEXT,
        "iteration": pyarrow.int32(),
        "verdict": _TEXT,
        "score": pyarrow.float64(),
        "detail": _TEXT,
        "subject": _TEXT,
        "characters": pyarrow.int32(),
        "instruction": _TEXT,
        "responses": pyarrow.list_(_TEXT),
        "answer": _TEXT,
        "reference": _TEXT,
        "solution": _TEXT,
    },
    "pairs": {
        "iteration": pyarrow.int32(),
        "pairing": _TEXT,
        "chosen_id": _TEXT,
        "rejected_id": _TEXT,
        "prompt": _TEXT,
        "chosen": _TEXT,
        "rejected": _TEXT,
    },
    "enhancement": {"instruction_id": _TEXT, "origin": _TEXT, "prompt": _MESSAGES, "completion": _MESSAGES},
}
"""Columns of each configuration. `pairs` is in TRL's preference format, `enhancement` in its prompt-completion one."""

TEXTS = ("instruction", "responses", "answer", "reference", "solution", "prompt", "chosen", "rejected", "completion")
"""Columns that are null where texts are left out: what people, proposers, targets and teachers wrote."""

LICENCES = {
    *("apache-2.0", "mit", "odbl", "odc-by", "pddl", "unlicense", "cc0-1.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
    *(f"cc-by-{version}" for version in ("2.0", "2.5", "3.0", "4.0")),
    *(f"cc-by-nc-{version}" for version in ("2.0", "3.0", "4.0")),
    *("cc-by-nd-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
}
"""Identifiers that the hub knows (huggingface.co/docs/hub/repositories-licenses); any other is `other` with its name."""

SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
"""The hub's size categories, by the number of rows that they end at."""


@dataclass(frozen=True)
class Arm:
    """What one proposer wrote, and what became of it."""

    instructions: Sequence[Instruction]
    labels: Sequence[Label]
    responses: Sequence[Response]
    references: Sequence[Reference]
    """None where the kind's verdicts need no trusted answer."""
    pairs: Sequence[Pair]
    """None of the last proposer."""


@dataclass(frozen=True)
class Origin:
    """What a card says of where a data set comes from."""

    task: str
    sources: Mapping[str, DataSource]
    """The task's sources of seed instructions."""
    models: Mapping[str, str]
    """What plays each role, in words."""
    configuration: str
    """SHA-256 of the task's configuration."""
    seeds: Sequence[Seed]
    judge: JudgeReport
    evaluations: Sequence[EvalFile]


def write_dataset(
    folder: Path,
    arms: Sequence[Arm],
    enhancement: Mapping[str, Sequence[TrainingRow]],
    origin: Origin,
    *,
    harmful: bool,
    include_text: bool,
) -> dict[str, dict[str, int]]:
    """Write a data set's folder and return its numbers of rows by configuration and split.

    `arms` are those of proposers 0 to N, `enhancement` the rows by source, none for a target that is not enhanced.
    `harmful`: the instructions ask for harm; their texts are left out unless `include_text`, and the card tells of both.
    """
    splits = {
        "instructions": instruction_rows(arms, {row.instruction_id for rows in enhancement.values() for row in rows}),
        "pairs": {"train": [{"iteration": k, **pair.model_dump()} for k, c in enumerate(arms) for pair in c.pairs]},
        "enhancement": {name: [row.model_dump() for row in rows] for name, rows in enhancement.items()},
    }
    splits = {name: found for name, found in splits.items() if found}
    counts = {name: {split: len(rows) for split, rows in found.items()} for name, found in splits.items()}
    masked = harmful and not include_text
    with building_folder(folder) as own:
        for name, found in splits.items():
            (own / name).mkdir()
            for split, rows in found.items():
                pyarrow.parquet.write_table(_table(rows, name, masked=masked), own / name / f"{split}.parquet")
        verdicts = Counter(row["verdict"] for rows in splits["instructions"].values() for row in rows)
        text = card(origin, counts, verdicts, harmful=harmful, masked=masked)
        (own / "README.md").write_text(text, encoding="utf-8")
    return counts


def instruction_rows(arms: Sequence[Arm], taught: Collection[str] = ()) -> dict[str, Rows]:
    """A row for each labelled instruction of each iteration, by split.

    What any iteration wrote for a training prompt, and what enhanced the target (`taught`), is `train` in all of them: no text
    is in both splits, and none of `heldout` trained anything.
    """
    trained = {*taught, *(i.id for arm in arms for i in arm.instructions if "train" in i.splits)}
    splits: dict[str, Rows] = {"train": [], "heldout": []}
    for iteration, arm in enumerate(arms):
        label = {row.instruction_id: row for row in arm.labels}
        reference = {row.instruction_id: row for row in arm.references}
        responses: dict[str, list[str]] = {}
        for row in sorted(arm.responses, key=lambda row: row.sample):
            responses.setdefault(row.instruction_id, []).append(row.text)
        for i in arm.instructions:
            if i.id not in label:
                continue
            trusted = reference.get(i.id)
            splits["train" if i.id in trained else "heldout"].append(
                {
                    "id": i.id,
                    "iteration": iteration,
                    **label[i.id].model_dump(include={"verdict", "score", "detail"}),
                    "subject": i.subject,
                    "characters": len(i.text),
                    "instruction": i.text,
                    "responses": responses.get(i.id, []),
                    "answer": i.answer,
                    "reference": trusted and trusted.answer,
                    "solution": trusted and trusted.solution,
                }
            )
    return splits


def _table(rows: Rows, name: str, *, masked: bool) -> pyarrow.Table:
    """The rows as the schema of `name` wants them; the columns of TEXTS are null where masked."""
    schema = SCHEMAS[name]
    values = {key: [None if masked and key in TEXTS else row[key] for row in rows] for key in schema}
    return pyarrow.table(values, schema=pyarrow.schema(schema))


CARD = Template("""---
$header---

# ReverseGen: what a target fails at, `$task`

Instructions that a trained proposer wrote to make a target model fail, with the target's answers and a verdict on each, and the
preference pairs that trained the proposer. Made by ReverseGen ([arXiv 2410.16736](https://arxiv.org/abs/2410.16736)), a loop
in which a proposer learns from what the target failed at. The target is $target; the kind of the task is $kind.

## Composition

$composition

- `instructions`: a row for each distinct instruction of each iteration that was judged: $verdicts. `failed` means that the
  target failed, `invalid` that no verdict could be had: leave those out of a rate. What was written for
  held-out prompts alone is in `heldout`: no pair and no enhancement row has it. `iteration` is the number of the proposer; 0
  had no preference training.
- `pairs`: TRL's preference format. Both sides are instructions: **`chosen` made the target fail**, `rejected` did not. Pairs
  of iteration k trained proposer k + 1.$enhancement
- Texts are kept as they were written, special tokens of models among them: break those of your own tokenizer before you train.
$masking
    from datasets import load_dataset
    load_dataset("FOLDER OR REPOSITORY", "instructions", split="train")

## Sources and licence

Proposers were shown seed instructions of these sources, and prompts hold three of them word for word:

$sources

What models wrote is also under the terms of the models:

$models

## How it was made

Proposer 0 is the proposer's model, fine-tuned to continue three seed instructions by one more. Of iterations 0 to $iterations,
each samples instructions, drops near-duplicates, asks the target, judges its answers and builds pairs; DPO on the pairs makes
the next proposer. Random seed $random_seed; configuration $configuration.

## Numbers

$numbers

## Intended use

To study what the target gets wrong, to enhance it or models like it, to train proposers, and to check judges. Not as a
benchmark of other models: the instructions were chosen against this one.

## Hazards

- The instructions are those that one model fails at. They are no fair sample of anything; no rate here holds elsewhere.
- Verdicts are automatic, and some are wrong. On its labelled set the judge found $sensitivity of failed and $specificity of
  passed answers.
- Texts of models may be false, offensive or about real people, and nobody has read them all.$harm
""")


def card(
    origin: Origin,
    counts: Mapping[str, Mapping[str, int]],
    verdicts: Mapping[str, int],
    *,
    harmful: bool,
    masked: bool,
) -> str:
    """The content of README.md: the hub's metadata, then what a reader must know before using the data."""
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
        target=_inline(origin.models["target"]),
        task=origin.task,
        kind=last.kind,
        composition=_grid(("configuration", "split", "rows"), sizes),
        verdicts=", ".join(f"{verdicts.get(name, 0):,} {name}" for name in ("failed", "passed", "invalid")),
        enhancement=ENHANCEMENT if "enhancement" in counts else "",
        masking=MASKED if masked else "",
        sources=_grid(("source", "where from", "licence", "seed instructions"), sources),
        models=_grid(("role", "model"), origin.models.items()),
        iterations=last.iteration,
        random_seed=last.provenance["random_seeds"]["task"],
        configuration=origin.configuration,
        numbers=markdown(origin.evaluations).partition("\n")[2].strip().replace("\n## ", "\n### "),
        sensitivity=_percent(origin.judge.sensitivity),
        specificity=_percent(origin.judge.specificity),
        harm=HARM if harmful else "",
    )


ENHANCEMENT = """
- `enhancement`: TRL's prompt-completion format, rows that enhance the target, as many of each source: failures of the trained
  proposers (`reversegen`), valid instructions of proposer 0 (`warmup`), its failures (`warmup_failures`) and seeds. Rows of the
  origin `replay` are answers that the target gave already."""
MASKED = """
Texts are left out: the columns of instructions, responses, prompts and completions are null. `id` is the hash of an
instruction's normalised text, `detail` its category where the judge tells one, `characters` its length. `include_text: true` in
the task's configuration makes the data set with its texts.
"""
HARM = """
- The instructions ask for harm, and answers that failed may give it. The texts can teach a model to attack or to obey
  attacks: keep them from those who should not have them, and train no model on failed answers that others will use."""


def _licence(names: Iterable[str]) -> dict[str, Any]:
    """The card's keys for licences as their publishers state them: identifiers of the hub, or `other` and a name."""
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
    return f"the invented world {source.corpus.world}" if source.corpus else "a file of the maker's own"


def _percent(metric: Metric) -> str:
    return "an unknown share" if metric.value is None else f"{metric.value:.1%} ({metric.count:,} of {metric.total:,})"


def _inline(text: str) -> str:
    """Text of a configuration on one line, which ends no table's cell."""
    return " ".join(text.split()).replace("|", r"\|")


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_inline, line))} |" for line in lines)
