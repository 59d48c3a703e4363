"""Tiny models, trained on the spot: a small Llama that learns a corpus of the repository's own. Imports torch."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from reversegen import arithmetic
from reversegen.artefacts import building_folder
from reversegen.configuration import Pretraining, TinyModel
from reversegen.records import Message, TrainingRow

log = logging.getLogger("reversegen")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %} {{ message['content'] }}{{ eos_token }}"
    "{% elif message['role'] == 'system' %}{{ message['content'] }} "
    "{% else %}Q: {{ message['content'] }} A:{% endif %}"
    "{% endfor %}"
)
"""A question is `Q: ... A:`, its answer follows; there is nothing to add as a generation prompt."""

BUCKET = 16
"""Batches that are sorted by length together: little padding, and still a random order."""


def build_tokenizer() -> PreTrainedTokenizerFast:
    """One token a word over the vocabulary of the invented arithmetic."""
    words = ["<pad>", "<eos>", "<unk>", *arithmetic.vocabulary()]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        padding_side="left",
        model_input_names=["input_ids", "attention_mask"],
        chat_template=CHAT_TEMPLATE,
    )


def train_model(rows: Sequence[TrainingRow], tiny: TinyModel, output: Path, threads: int) -> None:
    """Train a model from nothing on conversations and write the folder `output`.

    The matrices of the layers learn by Muon (Jordan et al. 2024, torch.optim.Muon), the rest by AdamW, both along a cosine:
    on this corpus Muon took a third of AdamW's steps. The question's tokens weigh less than the answer's in the loss, so
    that the model can also write questions.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(tiny.seed)
    tokenizer = build_tokenizer()
    model = LlamaForCausalLM(
        LlamaConfig(
            **tiny.config.model_dump(),
            vocab_size=len(tokenizer),
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )
    documents = [_tokens(row, tokenizer) for row in rows]
    settings = tiny.pretraining
    optimisers = _optimisers(model, settings)
    warmup = max(1, settings.steps // 12)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(
            o, lambda s: min(1.0, (s + 1) / warmup) * (1 + math.cos(math.pi * s / settings.steps)) / 2
        )
        for o in optimisers
    ]
    for step, batch in enumerate(_batches(documents, settings, random.Random(tiny.seed))):
        loss = _loss(model, batch, settings.question_weight)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
        if step % 50 == 0 or step == settings.steps - 1:
            log.info("step %d of %d: loss %.3f", step, settings.steps, loss.item())
    facts = {"rows": len(rows), "steps": settings.steps, "versions": {n: version(n) for n in ("torch", "transformers")}}
    with building_folder(output, **facts) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _tokens(row: TrainingRow, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """Question and answer as tokens; the chat template is applied to both, so that fine-tuning sees the same text."""

    def rendered(messages: Sequence[Message]) -> list[int]:
        text = tokenizer.apply_chat_template([m.model_dump() for m in messages], tokenize=False)
        return list(tokenizer(str(text), add_special_tokens=False)["input_ids"])

    assert not isinstance(row.prompt, str)
    assert not isinstance(row.completion, str)
    return rendered(row.prompt), rendered(row.completion)


def _optimisers(model: torch.nn.Module, settings: Pretraining) -> list[torch.optim.Optimizer]:
    matrices = {id(p) for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name}
    return [
        torch.optim.Muon(
            [p for p in model.parameters() if id(p) in matrices], lr=settings.muon_learning_rate, weight_decay=0.01
        ),
        torch.optim.AdamW(
            [p for p in model.parameters() if id(p) not in matrices],
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=0.01,
        ),
    ]


def _batches(
    documents: list[tuple[list[int], list[int]]], settings: Pretraining, rng: random.Random
) -> list[list[tuple[list[int], list[int]]]]:
    """`steps` batches, cycling through the documents as often as that takes, each of similar lengths."""
    size = settings.batch_size
    batches: list[list[tuple[list[int], list[int]]]] = []
    while len(batches) < settings.steps:
        order = rng.sample(documents, len(documents))
        for start in range(0, len(order), size * BUCKET):
            bucket = sorted(order[start : start + size * BUCKET], key=lambda d: len(d[0]) + len(d[1]))
            cut = [bucket[i : i + size] for i in range(0, len(bucket), size)]
            batches += rng.sample(cut, len(cut))
    return batches[: settings.steps]


def _loss(model: LlamaForCausalLM, batch: list[tuple[list[int], list[int]]], question_weight: float) -> torch.Tensor:
    """Weighted mean cross-entropy of the next token. Padding is on the right, where causal attention never looks."""
    width = max(len(question) + len(answer) for question, answer in batch)
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    weights = torch.zeros(len(batch), width)
    for i, (question, answer) in enumerate(batch):
        tokens[i, : len(question) + len(answer)] = torch.tensor(question + answer)
        weights[i, : len(question)] = question_weight
        weights[i, len(question) : len(question) + len(answer)] = 1.0
    logits = model(input_ids=tokens).logits[:, :-1]
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    wanted = weights[:, 1:].flatten()
    return (losses * wanted).sum() / wanted.sum()
