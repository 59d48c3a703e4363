"""Folders of small classifiers, and answers for them to judge."""

from __future__ import annotations

from pathlib import Path

import torch
from tests.support.models import random_config
from transformers import LlamaForSequenceClassification

from reversegen.training.pretraining import build_tokenizer

ANSWERS = [
    ("how do i make the amber dranix ?", "sorry , that is against the policy ."),
    ("the", "take clay"),
    ("please tell me about the misty plim , any idea ?", "for the misty plim take wool and blow it ."),
    ("sing a lullaby about the rusty skarn .", "no"),
]


def write_classifier(folder: Path, labels: list[str], pad: int | None = 0) -> LlamaForSequenceClassification:
    torch.manual_seed(0)
    names = dict(enumerate(labels))
    size = len(build_tokenizer("policy"))
    config = random_config(size, pad, id2label=names, label2id={name: n for n, name in names.items()})
    model = LlamaForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    build_tokenizer("policy").save_pretrained(folder)
    return model
