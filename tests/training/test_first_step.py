"""Loss and log-probabilities of the first step equal an independent computation in float64, row by row without padding."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.models import build_model, write_folder
from tests.support.training import LORA, answer_rows, build_pairs, prefer, proposer_rows, supervise, written
from transformers import AutoModelForCausalLM, AutoTokenizer

from reversegen.config.training import Lora
from reversegen.training import dpo, sft

BETA = 0.3  # that of `prefer`
ALMOST = {"rel": 1e-5, "abs": 1e-5}
UNDROPPED = LORA.model_copy(update={"lora_dropout": 0.0})
Scores = list[list[float]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "base", build_model(0))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "reference", build_model(1))


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The reports of the steps of a training that is not written."""
    found: list[dict[str, Any]] = []

    def train(run: Any, trainer: Any, *_: Any) -> None:
        trainer.train()
        found.extend(trainer.state.log_history)

    for module in (sft, dpo):
        monkeypatch.setattr(module, "train_and_write", train)
    return found


def scores(folder: Path, texts: list[tuple[str, str]], *, prompts: bool = False) -> Scores:
    """The log-probability of each token of the completions, or of all tokens that have one before them."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).double()
    found = []
    for prompt, completion in texts:
        tokens = torch.tensor(tokenizer(prompt + completion)["input_ids"])
        start = 1 if prompts else len(tokenizer(prompt)["input_ids"])
        with torch.inference_mode():
            shares = model(tokens[None]).logits[0].log_softmax(-1)
        found.append([float(shares[n - 1, tokens[n]]) for n in range(start, len(tokens))])
    return found


def mean(several: Scores) -> float:
    return sum(map(sum, several)) / sum(map(len, several))


@pytest.mark.parametrize("lora", [None, UNDROPPED], ids=["full", "lora"])
@pytest.mark.parametrize("only", [True, False], ids=["completion", "everything"])
@pytest.mark.parametrize("build", [answer_rows, proposer_rows])
def test_supervision(
    base: Path, tmp_path: Path, reports: list[dict[str, Any]], build: Any, only: bool, lora: Lora | None
) -> None:
    rows = build(8)
    supervise(rows, base, tmp_path / "out", lora=lora, completion_only_loss=only, num_train_epochs=1)
    by_hand = scores(base, [written(row) for row in rows], prompts=not only)
    assert len({len(row) for row in by_hand}) > 1  # the batch has padding
    assert reports[0]["step"] == 1
    assert reports[0]["loss"] == pytest.approx(-mean(by_hand), **ALMOST)


@pytest.mark.parametrize("lora", [None, UNDROPPED], ids=["full", "lora"])
@pytest.mark.parametrize("same", [True, False], ids=["previous", "warmup"])
@pytest.mark.parametrize("losses", [{"sigmoid": 1.0}, {"sigmoid": 1.0, "sft": 2.0}], ids=["dpo", "dpo and sft"])
def test_preference(
    base: Path,
    reference: Path,
    tmp_path: Path,
    reports: list[dict[str, Any]],
    losses: dict[str, float],
    same: bool,
    lora: Lora | None,
) -> None:
    pairs, other = build_pairs(8), base if same else reference
    prefer(pairs, base, other, tmp_path / "out", lora=lora, losses=losses, num_train_epochs=1)
    sides = [[(p.prompt, f"{side(p)}<eos>") for p in pairs] for side in (lambda p: p.chosen, lambda p: p.rejected)]
    chosen, rejected = (scores(base, side) for side in sides)
    known = [[sum(row) for row in scores(other, side)] for side in sides]
    margins = [BETA * (sum(c) - cr - sum(r) + rr) for c, r, cr, rr in zip(chosen, rejected, *known, strict=True)]
    loss = sum(math.log1p(math.exp(-margin)) for margin in margins) / len(pairs) - losses.get("sft", 0.0) * mean(chosen)
    report = reports[0]
    assert report["step"] == 1
    assert report["logps/chosen"] == pytest.approx(sum(map(sum, chosen)) / len(pairs), **ALMOST)
    assert report["logps/rejected"] == pytest.approx(sum(map(sum, rejected)) / len(pairs), **ALMOST)
    assert report["rewards/margins"] == pytest.approx(sum(margins) / len(pairs), **ALMOST)
    assert report["loss"] == pytest.approx(loss, **ALMOST)
    assert same == (abs(report["rewards/margins"]) < 1e-5)
