"""Tiny models: small Llamas that are trained on a corpus of this repository. Importing this imports torch."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from reversegen.config.tiny_model import Pretraining, TinyModel
from reversegen.core.files import building_folder
from reversegen.core.progress import Progress
from reversegen.core.records import Labelled, Message, TrainingRow
from reversegen.judges.judge import conversation_text
from reversegen.worlds import WORLDS

log = logging.getLogger("reversegen")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %} {{ message['content'] }}{{ eos_token }}"
    "{% elif message['role'] == 'system' %}{{ message['content'] }} "
    "{% else %}Q: {{ message['content'] }} A:{% endif %}"
    "{% endfor %}"
)
"""A question is `Q: ... A:`, and its answer follows. A generation prompt adds nothing."""

Document = tuple[tuple[list[int], list[int]], bool | None]
"""The tokens of question and answer; for a classifier also whether the answer failed."""

BUCKET = 16
"""The number of batches whose rows are sorted by length together: they need little padding, and the order stays random."""


def build_tokenizer(world: str) -> PreTrainedTokenizerFast:
    """A tokenizer with one token for each word in the vocabulary of an invented world."""
    words = ["<pad>", "<eos>", "<unk>", *WORLDS[world].vocabulary()]
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
    """Train a model from random weights on conversations, and write it to the folder `output`.

    The loss also counts the tokens of questions, with a lower weight, so that the model can write questions too.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(tiny.seed)
    tokenizer = build_tokenizer(tiny.corpus.world)
    model = LlamaForCausalLM(_configuration(tiny, tokenizer))
    documents = [_tokens(row, tokenizer) for row in rows]

    def loss(batch: list[Document]) -> torch.Tensor:
        return _loss(model, batch, tiny.pretraining.question_weight)

    _learn(model, [(document, None) for document in documents], tiny, loss)
    _save(model, tokenizer, tiny, output, len(rows))


def train_classifier(rows: Sequence[Labelled], tiny: TinyModel, output: Path, threads: int) -> None:
    """Train a classifier of answers from random weights, with the labels passed and failed, and write it to `output`."""
    torch.set_num_threads(threads)
    torch.manual_seed(tiny.seed)
    tokenizer = build_tokenizer(tiny.corpus.world)
    model = LlamaForSequenceClassification(_configuration(tiny, tokenizer, id2label={0: "passed", 1: "failed"}))  # type: ignore[no-untyped-call]
    documents: list[Document] = []
    for row in rows:
        text = conversation_text(tokenizer, row.instruction, row.responses[0])
        tokens = list(tokenizer(text, add_special_tokens=False)["input_ids"])
        documents.append(((tokens, []), row.verdict == "failed"))

    def loss(batch: list[Document]) -> torch.Tensor:
        questions, verdicts = [tokens for (tokens, _), _ in batch], [verdict for _, verdict in batch]
        tokens = torch.full((len(batch), max(map(len, questions))), int(tokenizer.pad_token_id))
        for i, question in enumerate(questions):
            tokens[i, : len(question)] = torch.tensor(question)
        logits = model(input_ids=tokens, attention_mask=(tokens != tokenizer.pad_token_id).long()).logits
        return torch.nn.functional.cross_entropy(logits, torch.tensor(verdicts, dtype=torch.long))

    _learn(model, documents, tiny, loss)
    _save(model, tokenizer, tiny, output, len(rows))


def _configuration(tiny: TinyModel, tokenizer: PreTrainedTokenizerFast, **arguments: Any) -> LlamaConfig:
    return LlamaConfig(
        **tiny.config.model_dump(),
        **arguments,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )


def _learn(
    model: torch.nn.Module,
    documents: list[Document],
    tiny: TinyModel,
    loss_of: Callable[[list[Document]], torch.Tensor],
) -> None:
    """Train the model with a cosine schedule: the matrices of the layers by Muon, all other weights by AdamW.

    Muon is by Jordan et al. 2024 (torch.optim.Muon). On the arithmetic corpus it needed a third of the steps of AdamW.
    """
    settings = tiny.pretraining
    optimisers = _optimisers(model, settings)
    warmup = max(1, settings.steps // 12)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(
            o, lambda s: min(1.0, (s + 1) / warmup) * (1 + math.cos(math.pi * s / settings.steps)) / 2
        )
        for o in optimisers
    ]
    progress = Progress(settings.steps, "steps")
    for step, batch in enumerate(_batches(documents, settings, random.Random(tiny.seed))):
        loss = loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
        if step % 50 == 0 or step == settings.steps - 1:
            log.info("step %d of %d: loss %.3f", step, settings.steps, loss.item())
        progress.advance()
    progress.close()


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, tiny: TinyModel, output: Path, rows: int) -> None:
    facts = {"rows": rows, "steps": tiny.pretraining.steps}
    versions = {name: version(name) for name in ("torch", "transformers")}
    with building_folder(output, **facts, versions=versions) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _tokens(row: TrainingRow, tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """The tokens of question and answer. Both are rendered by the chat template, so that fine-tuning sees the same text."""

    def rendered(messages: Sequence[Message]) -> list[int]:
        text = tokenizer.apply_chat_template([m.model_dump() for m in messages], tokenize=False)
        return list(tokenizer(str(text), add_special_tokens=False)["input_ids"])

    assert not isinstance(row.prompt, str)
    assert not isinstance(row.completion, str)
    return rendered(row.prompt), rendered(row.completion)


def _optimisers(model: torch.nn.Module, settings: Pretraining) -> list[torch.optim.Optimizer]:
    matrices = {id(p) for name, p in model.named_parameters() if p.ndim == 2 and "layers." in name}
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


def _batches(documents: list[Document], settings: Pretraining, rng: random.Random) -> list[list[Document]]:
    """`settings.steps` batches of documents of similar lengths. All documents are used once before any is used again."""
    size = settings.batch_size
    batches: list[list[Document]] = []
    while len(batches) < settings.steps:
        order = rng.sample(documents, len(documents))
        for start in range(0, len(order), size * BUCKET):
            bucket = sorted(order[start : start + size * BUCKET], key=lambda d: len(d[0][0]) + len(d[0][1]))
            parts = [bucket[i : i + size] for i in range(0, len(bucket), size)]
            batches += rng.sample(parts, len(parts))
    return batches[: settings.steps]


def _loss(model: LlamaForCausalLM, batch: list[Document], question_weight: float) -> torch.Tensor:
    """The weighted mean cross-entropy of the next token, in nats. Causal attention ignores the padding on the right."""
    width = max(len(question) + len(answer) for (question, answer), _ in batch)
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    weights = torch.zeros(len(batch), width)
    for i, ((question, answer), _) in enumerate(batch):
        tokens[i, : len(question) + len(answer)] = torch.tensor(question + answer)
        weights[i, : len(question)] = question_weight
        weights[i, len(question) : len(question) + len(answer)] = 1.0
    logits = model(input_ids=tokens).logits[:, :-1]
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    next_weights = weights[:, 1:].flatten()
    return (losses * next_weights).sum() / next_weights.sum()
