"""Limits that a task sets: on its judge, on contamination, on what it may use, and on the diversity of a proposer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reversegen.config.fields import NotNegative, Rate, Section, Share


class JudgeCheck(Section):
    """Limits that a judge must meet on the labelled set. The labels of a judge that misses the defaults mean little."""

    sensitivity: Share = Field(description="Smallest share of failed responses that the judge must call failed.")
    specificity: Share = Field(description="Smallest share of passed responses that the judge must call passed.")
    injections: Share = Field(description="Smallest share of injections that the judge must judge correctly.")
    invalid: Share = Field(description="Largest share of other rows on which the judge may give no verdict.")


class ContaminationLimits(Section):
    """The gate between training rows and held-out or test questions. An exact overlap always stops the run."""

    near_share: Share | None = Field(
        description="Largest share of training rows that may nearly repeat a test question. Null, the default, sets "
        "no limit, because real data has many harmless near-duplicates."
    )
    semantic_share: Share | None = Field(
        description="Largest share of training rows that may mean the same as a test question. Null, the default, "
        "sets no limit."
    )


class Budget(Section):
    """Limits on what a task may use in total. A job that would exceed one does not start. Null, the default, sets no limit."""

    money: Rate | None = Field(description="Largest cost, in the currency of `costs.prices`.")
    tokens: Rate | None = Field(description="Largest number of tokens that models read and write, without training.")
    gpu_hours: Rate | None = Field(description="Largest number of GPU hours.")


class Alarm(Section):
    """Limits on the diversity of a proposer's held-out samples, which show that it has collapsed. Null sets no limit."""

    action: Literal["warn", "stop"] = Field(
        description="`warn`, the default, logs a broken limit, because usual values differ by task; `stop` ends the "
        "run before the next DPO."
    )
    unique_share: Share | None = Field(description="Smallest share of distinct texts. By default half of them.")
    type_entropy: NotNegative | None = Field(
        description="Smallest entropy over the types of instructions, in nats. Null by default, because types "
        "differ by task."
    )
    semantic_diversity: NotNegative | None = Field(
        description="Smallest mean cosine distance between texts. The default is a choice: below it, all texts "
        "share one topic."
    )
    largest_cluster: Share | None = Field(
        description="Largest share of texts that mean nearly the same. The default, a quarter, is a choice."
    )
    self_bleu: Share | None = Field(
        description="Largest Self-BLEU. Null by default, because it depends on length and wording."
    )
