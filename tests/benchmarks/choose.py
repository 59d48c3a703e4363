"""Memory and time of scoring options and of sampling: the engine beside full logits, and beside transformers' sampling."""

from __future__ import annotations

import ctypes
import gc
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tests.benchmarks.timing import interleaved, ratio_row, seconds, value_row
from transformers import LlamaConfig, LlamaForCausalLM

from reversegen.config.models import ModelUse
from reversegen.core.records import Message
from reversegen.engines.base import Decoding, Request
from reversegen.engines.transformers import TransformersEngine
from reversegen.training.pretraining import build_tokenizer

USE = ModelUse(dtype="bfloat16")
SIZES = ((4, 100), (16, 100), (16, 200))
"""Questions of four letters per batch, and words of each question; all logits of the largest take 4 GB."""
VOCABULARY = 32_000
BATCHES = (16, 80, 160)
"""Number of sequences that are sampled at once."""
ROUNDS = 3
M_MMAP_THRESHOLD = -3
"""A constant of glibc's malloc.h."""


def measure() -> list[dict[str, Any]]:
    """Memory (peak, beyond the weights) and time of `choose` over full logits, and time of sampling over transformers'."""
    torch.set_num_threads(1)
    # freed memory goes back to the system at once, so that each peak is measured alone
    ctypes.CDLL("libc.so.6").mallopt(M_MMAP_THRESHOLD, 65536)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = _write_model(Path(folder))
        engine = TransformersEngine(place, USE, Decoding(1), 1)
        for questions, words in SIZES:
            requests, options = _asked(questions, words)
            runs = {
                "options": lambda r=requests, o=options: engine.choose(r, o),
                "all logits": lambda r=requests, o=options: _all_logits(engine, r, o),
            }
            for one, other in zip(*(run() for run in runs.values()), strict=True):
                assert all(abs(one[option] - other[option]) < 0.02 for option in other)  # bfloat16
            size = f"{questions} questions of {words} words"
            peaks = {name: [_peak(run) for _ in range(2)] for name, run in runs.items()}
            ratios = [a / b for a, b in zip(*peaks.values(), strict=True)]
            rows.append(value_row("options, memory", "all logits", size, ratios, 0.1))
            times = interleaved(runs, 2)
            rows.append(ratio_row("options, time", "all logits", size, *times.values(), 0.5))
        for sequences in BATCHES:
            rows.append(_sampling(place, sequences))
    return rows


def _write_model(folder: Path) -> Path:
    """A small Llama with a large model's vocabulary, so that logits take nearly all the memory, as in 8B models."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        initializer_range=0.3, eos_token_id=1, pad_token_id=0, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    build_tokenizer("arithmetic").save_pretrained(folder)
    return folder


def _asked(questions: int, words: int) -> tuple[list[Request], list[list[str]]]:
    rng = random.Random(0)
    texts = [" ".join(str(rng.randint(1, 9)) for _ in range(words - n % 7)) for n in range(questions)]
    requests = [Request(messages=[Message(role="user", content=text)]) for text in texts]
    return requests, [["1", "2", "3", "4"]] * questions


def _all_logits(
    engine: TransformersEngine, requests: Sequence[Request], options: Sequence[Sequence[str]]
) -> list[dict[str, float]]:
    """The earlier way to score options: a row for each option, logits of all its positions, and a cache."""
    conversations, model = engine._conversations, engine._loaded
    rows, heads = [], []
    for request, several in zip(requests, options, strict=True):
        prompt = conversations.prompt(request)
        rows += [conversations.completed(prompt, request, option) for option in several]
        heads += [len(prompt.tokens)] * len(several)
    width = max(map(len, rows))
    tokens, mask = torch.zeros((2, len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        tokens[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
    with torch.inference_mode():
        logits = model(input_ids=tokens, attention_mask=mask).logits
    scores = torch.log_softmax(logits[:, :-1].float(), -1).gather(-1, tokens[:, 1:, None])[..., 0]
    sums = iter(float(scores[i, heads[i] - 1 : len(row) - 1].sum()) for i, row in enumerate(rows))
    probabilities = []
    for several in options:
        shares = torch.softmax(torch.tensor([next(sums) for _ in several], dtype=torch.float64), 0).tolist()
        probabilities.append(dict(zip(several, shares, strict=True)))
    return probabilities


def _peak(run: Callable[[], Any]) -> float:
    """The most megabytes that a run adds to the process's memory, by the kernel's own high-water mark."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _status(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1e3


def _sampling(place: Path, sequences: int) -> dict[str, Any]:
    """Time of 4 steps of a batch with 5 samples per prompt."""
    limits = {"temperature": 0.9, "top_p": 0.95, "max_new_tokens": 4}
    engine = TransformersEngine(place, USE, Decoding(**limits), 1)
    requests = [Request(text=f"{n % 9} + {n % 7}") for n in range(max(1, sequences // 5))]
    tokenizer, model = engine._conversations.tokenizer, engine._loaded
    batch = tokenizer([r.text for r in requests], return_tensors="pt", padding=True, padding_side="left")
    several = sequences // len(requests)

    def theirs() -> None:
        torch.manual_seed(0)
        with torch.inference_mode():
            output = model.generate(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], do_sample=True, top_k=0,
                num_return_sequences=several, eos_token_id=[1], pad_token_id=0, **limits,
            )  # fmt: skip
        for row in output[:, batch["input_ids"].shape[1] :].tolist():
            engine._conversations.continuation(row, [1], engine._conversations.prompt(requests[0]))

    seconds(theirs)
    times = interleaved({"ours": lambda: engine.generate(requests, several, 0), "theirs": theirs}, ROUNDS)
    return ratio_row(
        "sampling in parts", "transformers' own", f"{sequences} sequences", times["ours"], times["theirs"], 1.1
    )
