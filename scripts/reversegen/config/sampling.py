"""Settings of the proposer's prompts and of its samples."""

from __future__ import annotations

from pydantic import Field

from reversegen.config.fields import Number, Positive, Rate, Section


class Prompts(Section):
    """The three-shot prompts of the proposer."""

    header: str = Field(description="Line above the demonstrations. It may hold `{subject}`.")
    train: Positive = Field(description="Number of new prompts in each iteration.")
    heldout: Positive = Field(
        description="Number of held-out prompts, the same in every iteration. The default measures the failure rate "
        "to about 2 points."
    )


class Sampling(Section):
    """How the proposer writes, under the argument names of transformers' `generate`."""

    samples_per_prompt: Positive = Field(
        description="Number of samples of each prompt. Pairs within a prompt need several; the default is the "
        "published number."
    )
    temperature: Rate = Field(description="Sampling temperature. The default is the published one.")
    top_p: Number = Field(gt=0, le=1, description="Top-p (nucleus) limit. The default is that of the published code.")
    max_new_tokens: Positive = Field(
        description="Largest number of tokens of a sample. The default is the published one."
    )
    batch_size: Positive = Field(
        description="Number of sequences generated at once, `samples_per_prompt` for each prompt, rounded down to "
        "whole prompts. A batch's number is part of its random seed, so a change draws other samples. "
        "The default fits an 8B model on an 80 GB GPU."
    )
