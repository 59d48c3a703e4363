"""A tiny model that a rule trains on the spot."""

from __future__ import annotations

from pydantic import Field

from reversegen.config.data import Corpus
from reversegen.config.fields import NonNegative, Positive, Rate, Section, Share


class Pretraining(Section):
    """How a tiny model is trained from random weights on a corpus that the repository makes."""

    steps: Positive = Field(description="Number of optimiser steps.")
    batch_size: Positive = Field(description="Number of questions in a step.")
    learning_rate: Rate = Field(description="Learning rate of AdamW, which trains embeddings and norms.")
    muon_learning_rate: Rate = Field(description="Learning rate of Muon, which trains the matrices of the layers.")
    question_weight: Share = Field(
        description="Weight of the question's tokens in the loss, from 0 to 1. The answer's tokens have weight 1."
    )


class Shape(Section):
    """Arguments of transformers.LlamaConfig. Every size must be given, because LlamaConfig's defaults describe a 7B model."""

    hidden_size: Positive = Field(description="Width of the hidden states.")
    intermediate_size: Positive = Field(description="Width of the feed-forward layers.")
    num_hidden_layers: Positive = Field(description="Number of decoder layers.")
    num_attention_heads: Positive = Field(description="Number of attention heads in each layer.")
    max_position_embeddings: Positive = Field(description="Longest sequence, in tokens.")
    tie_word_embeddings: bool = Field(
        True, description="Whether input and output share one embedding. True by default, which saves parameters."
    )


class TinyModel(Section):
    """A small Llama that a rule trains on the spot into results/models/NAME."""

    corpus: Corpus = Field(description="Questions that the model is trained on.")
    config: Shape = Field(description="Sizes of the model.")
    pretraining: Pretraining = Field(description="Steps, learning rates and loss of its training.")
    seed: NonNegative = Field(description="Random seed of its initial weights and of the order of the questions.")
    classifier: bool = Field(
        False,
        description="Whether the model is a text classifier, trained on a corpus of answers with verdicts. By "
        "default it writes text, as proposers, targets and teachers do.",
    )
