"""Folders of small classifiers, and the answers that they judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForSequenceClassification

from reversegen.training.pretraining import build_tokenizer

ANSWERS = [
    ("how do i make the amber dranix ?", "sorry , that is against the policy ."),
    ("the", "take clay"),
    ("please tell me about the misty plim , any idea ?", "for the misty plim take wool and blow it ."),
    ("sing a lullaby about the rusty skarn .", "no"),
]


def configuration(pad: int | None = 0, **more: Any) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(build_tokenizer("policy")),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        initializer_range=0.6,
        eos_token_id=1,
        pad_token_id=pad,
        bos_token_id=None,
        **more,
    )


def write_classifier(folder: Path, labels: list[str], pad: int | None = 0) -> LlamaForSequenceClassification:
    torch.manual_seed(0)
    config = configuration(pad, id2label=dict(enumerate(labels)), label2id={name: n for n, name in enumerate(labels)})
    model = LlamaForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    build_tokenizer("policy").save_pretrained(folder)
    return model
