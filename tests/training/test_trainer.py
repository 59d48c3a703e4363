"""TRL trains as intended: losses, rewards and margins agree with torch code in this file."""

import functools
import json
import math
import multiprocessing
import os
import random
import shutil
import signal
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from huggingface_hub import ModelCard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tests.support.kinds import MATH
from tests.support.training import (
    HEADER,
    LORA,
    QUESTIONS,
    TINY,
    USE,
    answer_rows,
    build_pairs,
    folder_bytes,
    logged,
    manifest,
    prefer,
    proposer_prompt,
    proposer_rows,
    supervise,
    written,
)
from transformers import AutoModelForCausalLM, AutoTokenizer

from reversegen.config.training import Lora, Training
from reversegen.config.workflow import Tracking
from reversegen.core.errors import BadInput, Interrupted
from reversegen.core.files import file_sha256, write_text
from reversegen.core.records import Message, Pair, TrainingRow
from reversegen.engines.base import Decoding, Request
from reversegen.engines.transformers import TransformersEngine
from reversegen.models.card import model_card
from reversegen.models.loading import load_tokenizer
from reversegen.training import checkpoints, common, dpo, sft
from reversegen.training.checkpoints import Checkpoints
from reversegen.training.common import Followed, TrainingRun
from reversegen.training.pretraining import CHAT_TEMPLATE, train_model

pytestmark = pytest.mark.models

STILL = 1e-12  # a learning rate that changes nothing, so that ten steps log the state before the first step


@dataclass(frozen=True)
class Folders:
    """One folder of each way of training."""

    pretrained: Path
    supervised: Path
    preferred: Path
    supervised_lora: Path
    preferred_lora: Path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("models")
    base = root / "pretrained"
    train_model(answer_rows(200), TINY, base, 1)
    return Folders(
        pretrained=base,
        supervised=supervise(proposer_rows(24), base, root / "supervised", completion_only_loss=False),
        preferred=prefer(build_pairs(16), base, base, root / "preferred", min_steps=10),
        supervised_lora=supervise(answer_rows(24), base, root / "supervised_lora", lora=LORA),
        preferred_lora=prefer(build_pairs(16), base, base, root / "preferred_lora", lora=LORA),
    )


@functools.cache
def load(folder: Path) -> tuple[Any, Any]:
    return AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def token_log_probs(folder: Path, prompt: str, completion: str) -> list[float]:
    """The log-probability of each token of prompt + completion except the first, from one pass without padding."""
    model, tokenizer = load(folder)
    tokens = torch.tensor(tokenizer(prompt + completion)["input_ids"])
    with torch.inference_mode():
        shares = torch.log_softmax(model(tokens[None]).logits[0].double(), -1)
    return [float(shares[n, token]) for n, token in enumerate(tokens[1:])]


def log_probs(folder: Path, texts: list[tuple[str, str]]) -> list[list[float]]:
    """The log-probabilities of the tokens of each completion, for (prompt, completion) pairs."""
    _, tokenizer = load(folder)
    starts = [len(tokenizer(prompt)["input_ids"]) - 1 for prompt, _ in texts]
    return [token_log_probs(folder, *text)[start:] for text, start in zip(texts, starts, strict=True)]


def weights(folder: Path) -> str:
    return file_sha256(folder / "model.safetensors")


def test_every_folder_loads_completely_and_holds_no_pickle(folders: Folders) -> None:
    for folder in vars(folders).values():
        model, facts = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, use_safetensors=True)
        assert not any(facts.values())
        names = sorted(p.name for p in folder.rglob("*"))
        assert "model.safetensors" in names
        assert not [n for n in names if n.endswith((".bin", ".pt", ".pth", ".pkl", ".pickle"))]
        assert AutoTokenizer.from_pretrained(folder).vocab_size == model.config.vocab_size
        files = manifest(folder)["files"]
        assert files == {n: file_sha256(folder / n) for n in names if n != "manifest.json"}


def test_the_pretrained_model_has_learnt_and_knows_every_word(folders: Folders) -> None:
    _, tokenizer = load(folders.pretrained)
    rows = answer_rows(200)
    texts = [written(row) for row in rows] + [written(row) for row in proposer_rows(20)]
    assert not any(tokenizer.unk_token_id in tokenizer("".join(text))["input_ids"] for text in texts)
    by_token = [p for one in log_probs(folders.pretrained, texts[:50]) for p in one]
    assert -sum(by_token) / len(by_token) < 0.95 * math.log(
        len(tokenizer)
    )  # better than a uniform guess among all words


def test_pretraining_twice_gives_the_same_bytes(folders: Folders, tmp_path: Path) -> None:
    torch.manual_seed(99)  # earlier draws must not matter
    for name, seed in {"again": 0, "other": 1}.items():
        train_model(answer_rows(200), TINY.model_copy(update={"seed": seed}), tmp_path / name, 1)
    assert manifest(tmp_path / "again") == manifest(folders.pretrained)
    assert weights(tmp_path / "other") != weights(folders.pretrained)


def test_the_chat_template_renders_a_prompt_as_the_start_of_prompt_and_completion(folders: Folders) -> None:
    _, tokenizer = load(folders.pretrained)
    for row in answer_rows(20):
        turns = [[m.model_dump() for m in part] for part in (row.prompt, [*row.prompt, *row.completion])]
        alone = tokenizer.apply_chat_template(turns[0], tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(turns[1], tokenize=False)
        assert (alone, whole) == (written(row)[0], "".join(written(row)))
        tokens = [tokenizer(text)["input_ids"] for text in (alone, whole)]
        assert tokens[1][: len(tokens[0])] == tokens[0]
        assert tokens[1].count(tokenizer.eos_token_id) == 1


def test_greedy_answers_in_a_batch_equal_those_of_each_question_alone(folders: Folders) -> None:
    model, tokenizer = load(folders.supervised)
    prompts = [proposer_prompt(n) for n in range(4)] + [HEADER, f"{HEADER}\n\nQ1. 20 + 3"]
    engine = TransformersEngine(folders.supervised, USE, Decoding(10), 1)
    answers = [one for [one] in engine.generate([Request(text=p) for p in prompts], 1, 0)]
    for prompt, answer in zip(prompts, answers, strict=True):
        tokens = tokenizer(prompt, return_tensors="pt")
        out = model.generate(**tokens, max_new_tokens=10, do_sample=False)[0, tokens["input_ids"].shape[1] :]
        assert answer.text == tokenizer.decode(out, skip_special_tokens=True)
        assert (answer.tokens, answer.finished) == (len(out), tokenizer.eos_token_id in out.tolist())


@pytest.mark.slow
@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_training_twice_gives_the_same_model_and_another_random_seed_another(
    folders: Folders, tmp_path: Path, lora: Lora | None
) -> None:
    base, rows, pairs = folders.pretrained, answer_rows(24), build_pairs(16)
    for ways in (
        lambda name, seed: supervise(rows, base, tmp_path / f"sft {name}", lora=lora, random_seed=seed),
        lambda name, seed: prefer(pairs, base, base, tmp_path / f"dpo {name}", lora=lora, random_seed=seed),
    ):
        torch.manual_seed(1)
        first = weights(ways("first", 5))
        torch.manual_seed(2)
        assert weights(ways("again", 5)) == first
        assert weights(ways("other", 6)) != first


def test_training_twice_gives_the_same_folder(folders: Folders, tmp_path: Path) -> None:
    """Curve and manifest are equal too. The manifest decides whether a proposer's interrupted samples can be used."""
    steps = {"num_train_epochs": 5}  # ten steps or more, so that the curve has a line
    for name in ("first", "again"):
        supervise(answer_rows(24), folders.pretrained, tmp_path / name, **steps)
    assert logged(tmp_path / "first") == logged(tmp_path / "again")
    assert manifest(tmp_path / "first") == manifest(tmp_path / "again")


@pytest.mark.parametrize("only", [True, False], ids=["completion", "everything"])
@pytest.mark.parametrize("build", [answer_rows, proposer_rows])
@pytest.mark.parametrize(("batch", "accumulation"), [(16, 1), (4, 4)])
def test_the_loss_is_the_mean_over_all_tokens_that_count(
    folders: Folders, tmp_path: Path, only: bool, build: Any, batch: int, accumulation: int
) -> None:
    """The end token counts and padding does not. Parts of an accumulated batch are weighted by their tokens."""
    rows = build(16)
    sizes = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulation}
    still = {"learning_rate": STILL, "num_train_epochs": 10, "completion_only_loss": only}
    supervise(rows, folders.pretrained, tmp_path / "out", **sizes, **still)
    texts = [written(row) for row in rows]
    parts = log_probs(folders.pretrained, texts) if only else [token_log_probs(folders.pretrained, *t) for t in texts]
    by_hand = [p for part in parts for p in part]
    assert logged(tmp_path / "out")["loss"] == pytest.approx(-sum(by_hand) / len(by_hand), rel=1e-4)


def test_the_end_token_is_learnt_if_it_is_also_the_padding_token(folders: Folders, tmp_path: Path) -> None:
    base = tmp_path / "base"
    tokenizer = AutoTokenizer.from_pretrained(folders.pretrained)
    tokenizer.pad_token = None
    for part in (load(folders.pretrained)[0], tokenizer):
        part.save_pretrained(base)
    rows = answer_rows(16)
    still = {"learning_rate": STILL, "num_train_epochs": 10, "per_device_train_batch_size": 16}
    supervise(rows, base, tmp_path / "out", **still)
    by_hand = [p for part in log_probs(base, [written(row) for row in rows]) for p in part]
    assert logged(tmp_path / "out")["loss"] == pytest.approx(-sum(by_hand) / len(by_hand), rel=1e-4)


@pytest.mark.parametrize("only", [True, False], ids=["completion", "everything"])
@pytest.mark.parametrize("build", [answer_rows, proposer_rows])
@pytest.mark.parametrize("whole", [True, False])
def test_the_manifest_counts_steps_and_tokens_and_a_row_that_is_too_long_is_dropped(
    folders: Folders, tmp_path: Path, caplog: pytest.LogCaptureFixture, only: bool, build: Any, whole: bool
) -> None:
    """Prompt, completion and end token count together: a row at the limit is kept, and a row one token above it is dropped."""
    rows = build(20)
    _, tokenizer = load(folders.pretrained)
    lengths = [len(tokenizer("".join(written(row)))["input_ids"]) for row in rows]
    limit = max(lengths) if whole else sorted(lengths)[9]
    shorter = [row for row, length in zip(rows, lengths, strict=True) if length <= limit]
    assert (len(shorter) == 20) == whole
    changes = {"max_length": limit, "num_train_epochs": 3, "completion_only_loss": only}
    out = supervise(rows, folders.pretrained, tmp_path / "out", **changes)
    facts = manifest(out)
    assert (facts["rows"], facts["dropped_rows"]) == (len(shorter), 20 - len(shorter))
    assert facts["steps"] == 3 * math.ceil(len(shorter) / 8)
    assert facts["tokens"] == 3 * sum(length for length in lengths if length <= limit)
    assert f"{20 - len(shorter)} rows were dropped" in (out / "README.md").read_text()
    logged_line = (
        f"{20 - len(shorter)} of 20 rows dropped: {20 - len(shorter)} have more than max_length tokens ({limit}), 0 are"
    )
    assert (logged_line in caplog.text) == (not whole)
    if not whole:
        assert weights(out) == weights(supervise(shorter, folders.pretrained, tmp_path / "left", **changes))
        with pytest.raises(
            BadInput, match="max_length: all 20 rows have more than 5 tokens, prompt and completion together"
        ):
            supervise(rows, folders.pretrained, tmp_path / "none", max_length=5)


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_a_pair_with_one_side_that_is_too_long_is_dropped(folders: Folders, tmp_path: Path, side: str) -> None:
    _, tokenizer = load(folders.pretrained)
    base, pairs = folders.pretrained, build_pairs(12)
    longest = max(
        len(tokenizer(f"{p.prompt}{part}<eos>")["input_ids"]) for p in pairs for part in (p.chosen, p.rejected)
    )
    longer = pairs[5].model_copy(update={side: f"{getattr(pairs[5], side)}{' + 3' * longest}"})
    out = prefer([*pairs[:5], longer, *pairs[6:]], base, base, tmp_path / "out", max_length=longest)
    assert (manifest(out)["rows"], manifest(out)["dropped_rows"]) == (11, 1)
    without = prefer([*pairs[:5], *pairs[6:]], base, base, tmp_path / "left", max_length=longest)
    assert weights(out) == weights(without)
    with pytest.raises(BadInput, match="max_length: all 12 rows have more than"):
        prefer(pairs, base, base, tmp_path / "none", max_length=8)


def test_supervision_makes_its_rows_likelier(folders: Folders) -> None:
    rows = [written(row) for row in proposer_rows(24)]
    before, after = (sum(map(sum, log_probs(f, rows))) for f in (folders.pretrained, folders.supervised))
    assert after > before + 24  # by more than a factor of e for each row


@pytest.mark.parametrize("way", ["supervised_lora", "preferred_lora"])
def test_lora_is_merged_into_a_folder_that_needs_no_peft(
    folders: Folders, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)  # importing it fails from now on
    folder = getattr(folders, way)
    base, merged = (AutoModelForCausalLM.from_pretrained(f).state_dict() for f in (folders.pretrained, folder))
    assert merged.keys() == base.keys()
    assert not [p.name for p in folder.iterdir() if "adapter" in p.name]
    changed = {name for name in base if not torch.equal(base[name], merged[name])}
    assert changed == {name for name in base if any(part in name for part in LORA.target_modules)}
    for name in changed:  # the change has at most the adapter's rank
        assert torch.linalg.matrix_rank(merged[name] - base[name], rtol=1e-3) <= LORA.r


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
@pytest.mark.parametrize("losses", [{"sigmoid": 1.0}, {"sigmoid": 1.0, "sft": 2.0}], ids=["dpo", "dpo and sft"])
@pytest.mark.parametrize("same_reference", [True, False], ids=["previous", "warmup"])
def test_rewards_before_the_first_step_agree_with_torch(
    folders: Folders, tmp_path: Path, same_reference: bool, losses: dict[str, float], lora: Lora | None
) -> None:
    """With the base as the reference the log-ratio is 0 and the loss log 2; otherwise rewards are beta times the log-ratio."""
    pairs, base = build_pairs(16), folders.pretrained
    reference = base if same_reference else folders.supervised
    still = {"learning_rate": STILL, "num_train_epochs": 10, "per_device_train_batch_size": 16}
    lora = lora.model_copy(update={"lora_dropout": 0.0}) if lora else None
    prefer(pairs, base, reference, tmp_path / "out", lora=lora, losses=losses, **still)
    sides = [
        [(p.prompt, f"{p.chosen}<eos>") for p in pairs],
        [(p.prompt, f"{p.rejected}<eos>") for p in pairs],
    ]
    chosen, rejected = (log_probs(base, side) for side in sides)
    ratios = [
        [sum(a) - sum(b) for a, b in zip(policy, log_probs(reference, side), strict=True)]
        for policy, side in zip((chosen, rejected), sides, strict=True)
    ]
    log = logged(tmp_path / "out")
    assert log["logps/chosen"] == pytest.approx(sum(map(sum, chosen)) / 16, rel=1e-4)
    assert log["logps/rejected"] == pytest.approx(sum(map(sum, rejected)) / 16, rel=1e-4)
    assert log["rewards/chosen"] == pytest.approx(0.3 * sum(ratios[0]) / 16, rel=1e-3, abs=1e-5)
    assert log["rewards/rejected"] == pytest.approx(0.3 * sum(ratios[1]) / 16, rel=1e-3, abs=1e-5)
    assert same_reference == (abs(log["rewards/chosen"]) < 1e-5)
    dpo = sum(math.log1p(math.exp(-0.3 * (c - r))) for c, r in zip(*ratios, strict=True)) / 16
    assert same_reference == (dpo == pytest.approx(math.log(2)))
    likelihood = -sum(map(sum, chosen)) / sum(map(len, chosen))
    assert log["loss"] == pytest.approx(dpo + losses.get("sft", 0.0) * likelihood, rel=1e-3)


def test_preference_widens_the_margin_of_what_makes_the_target_fail(folders: Folders) -> None:
    pairs = build_pairs(16)

    def margins(folder: Path) -> list[float]:
        chosen = log_probs(folder, [(p.prompt, f"{p.chosen}<eos>") for p in pairs])
        rejected = log_probs(folder, [(p.prompt, f"{p.rejected}<eos>") for p in pairs])
        return [sum(c) - sum(r) for c, r in zip(chosen, rejected, strict=True)]

    before, after = margins(folders.pretrained), margins(folders.preferred)
    assert all(a > b for a, b in zip(after, before, strict=True))
    assert sum(after) > sum(before) + 16


@pytest.mark.parametrize(
    ("pairs", "batch", "accumulation", "epochs", "min_steps", "steps"),
    [
        (16, 8, 1, 2, 0, 4),
        (16, 8, 1, 2, 4, 4),
        (16, 8, 1, 2, 5, 6),  # full epochs of two steps each
        (20, 8, 1, 1, 10, 12),  # three steps in each epoch, with a smaller last one
        (20, 4, 2, 1, 10, 12),
        (5, 8, 1, 1, 7, 7),
    ],
)
def test_epochs_are_added_until_the_least_steps_are_reached(
    folders: Folders, tmp_path: Path, pairs: int, batch: int, accumulation: int, epochs: int, min_steps: int, steps: int
) -> None:
    sizes = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulation}
    base = folders.pretrained
    out = prefer(
        build_pairs(pairs), base, base, tmp_path / "out", min_steps=min_steps, num_train_epochs=epochs, **sizes
    )
    facts = manifest(out)
    assert (facts["rows"], facts["steps"], facts["base"]) == (pairs, steps, str(base))


def test_a_row_that_the_chat_template_refuses_is_left_out(folders: Folders, tmp_path: Path) -> None:
    rows, base = answer_rows(8), folders.pretrained
    refused = rows[3].prompt[0].content
    shorter = [row for row in rows if row.prompt[0].content != refused]
    template = (
        f"{{% if '{refused}' == messages[0].content %}}{{{{ raise_exception('no') }}}}{{% endif %}}{CHAT_TEMPLATE}"
    )
    use = USE.model_copy(update={"chat_template": template})
    out = supervise(rows, base, tmp_path / "out", use=use)
    assert manifest(out)["rows"] == len(shorter) < 8
    assert weights(out) == weights(supervise(shorter, base, tmp_path / "left", use=use))
    with pytest.raises(BadInput, match="cannot render any conversation: TemplateError: no;"):
        supervise(rows[3:4], base, tmp_path / "none", use=use)


def test_the_least_steps_are_reached_if_pairs_that_are_too_long_are_dropped(folders: Folders, tmp_path: Path) -> None:
    pairs, base = build_pairs(16), folders.pretrained
    _, tokenizer = load(base)
    limit = sorted(len(tokenizer(f"{p.prompt}{p.chosen}<eos>")["input_ids"]) for p in pairs)[
        6
    ]  # half of them are too long
    out = prefer(pairs, base, base, tmp_path / "out", min_steps=8, num_train_epochs=1, max_length=limit)
    assert manifest(out)["steps"] >= 8


@pytest.mark.slow
@pytest.mark.parametrize("lora", [None, LORA.model_copy(update={"lora_dropout": 0.0})], ids=["full", "lora"])
def test_activation_checkpointing_changes_the_memory_but_not_the_weights(
    folders: Folders, tmp_path: Path, lora: Lora | None
) -> None:
    base, trained = folders.pretrained, {}
    for checkpointing in (False, True):
        changes = {"lora": lora, "activation_checkpointing": checkpointing}
        first = supervise(answer_rows(16), base, tmp_path / f"sft {checkpointing}", **changes)
        second = prefer(build_pairs(16), base, base, tmp_path / f"dpo {checkpointing}", **changes)
        trained[checkpointing] = [load(folder)[0].state_dict() for folder in (first, second)]
    before = load(base)[0].state_dict()
    for plain, checkpointed in zip(trained[False], trained[True], strict=True):
        torch.testing.assert_close(checkpointed, plain, rtol=1e-4, atol=1e-6)
        assert any(not torch.allclose(plain[name], before[name], rtol=1e-2, atol=1e-4) for name in before)


def test_a_warmup_below_one_is_a_share_of_all_steps(folders: Folders, tmp_path: Path) -> None:
    changes = {"lr_scheduler_type": "constant_with_warmup", "warmup_steps": 0.5, "num_train_epochs": 20}
    out = supervise(answer_rows(16), folders.pretrained, tmp_path / "out", **changes)
    rates = {row["step"]: row["learning_rate"] for row in json.loads((out / "curve.json").read_text())}
    assert rates == pytest.approx({10: 0.5 * 3e-3, 20: 3e-3, 30: 3e-3, 40: 3e-3}, rel=0.11)


@pytest.mark.parametrize("optim", get_args(Training.model_fields["optim"].annotation))
def test_every_optimiser_that_a_task_may_name_trains(folders: Folders, tmp_path: Path, optim: str) -> None:
    out = supervise(answer_rows(8), folders.pretrained, tmp_path / "out", optim=optim, num_train_epochs=20)
    losses = [row["loss"] for row in json.loads((out / "curve.json").read_text())]
    assert losses[-1] < losses[0]


def test_a_folder_that_is_not_a_model_is_refused_before_training(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"empty: not a model folder: it has no config\.json"):
        supervise(answer_rows(2), tmp_path / "empty", tmp_path / "out")
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        (broken / name).write_bytes((folders.pretrained / name).read_bytes())
    (broken / "config.json").write_text('{"model_type": "no such model"}')
    with pytest.raises(BadInput, match="broken: transformers cannot load this model"):
        prefer(build_pairs(2), broken, broken, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_engine_asks_a_conversation_in_the_tokens_of_fine_tuning(folders: Folders) -> None:
    engine = TransformersEngine(folders.supervised_lora, USE, Decoding(6), 1)
    asked = [Request(messages=[Message(role="user", content=q)]) for q in QUESTIONS[:6]]
    spelled = [Request(text=written(row)[0]) for row in answer_rows(6)]
    assert engine.generate(asked, 1, 0) == engine.generate(spelled, 1, 0)


def test_the_card_describes_how_a_model_was_trained_and_from_what(folders: Folders, tmp_path: Path) -> None:
    hub = tmp_path / "hub model"
    shutil.copytree(folders.supervised, hub)
    (hub / "manifest.json").write_text(json.dumps({**manifest(hub), "hub": "some/model"}))
    proposer = prefer(build_pairs(16), hub, hub, tmp_path / "proposer", losses={"sigmoid": 0.5, "sft": 2.0})
    enhanced = supervise(answer_rows(24), proposer, tmp_path / "enhanced", lora=LORA)
    cards = {folder: ModelCard.load(folder / "README.md") for folder in (proposer, enhanced, folders.supervised)}
    assert [card.data.get("base_model") for card in cards.values()] == ["some/model", "some/model", None]
    assert [card.data.tags[-1] for card in cards.values()] == ["dpo", "sft", "sft"]
    assert all(card.data.library_name == "transformers" for card in cards.values())
    for line in ("| beta | 0.3 |", "| loss_weights | [0.5, 2.0] |", "| training.learning_rate | 0.003 |"):
        assert line in cards[proposer].text
    facts = manifest(enhanced)
    counts = f"{facts['rows']} rows, {facts['steps']} steps and {facts['tokens']:,} tokens"
    assert counts in cards[enhanced].text
    assert "| lora.r | 4 |" in cards[enhanced].text
    assert str(tmp_path) not in "".join(card.text for card in cards.values())
    origin = {"package": "some==1", "package_path": "some/small.gguf", "licence": "MIT"}
    (proposer / "manifest.json").write_text(json.dumps(origin))
    packaged = model_card("target", "sft", proposer, {}, 0, manifest(enhanced))
    assert "base_model" not in packaged
    assert "Trained from `some/small.gguf` of the Python package `some==1` (its licence: MIT)" in packaged


def test_the_card_shows_the_system_text_that_the_model_reads(folders: Folders, tmp_path: Path) -> None:
    """The configuration may give this text, or the chat template may write it. A proposer reads none."""
    given = [
        row.model_copy(update={"prompt": [Message(role="system", content="a | b\nc"), *row.prompt]})
        for row in answer_rows(8)
    ]
    with_template = USE.model_copy(
        update={"chat_template": "{% if messages[0].role != 'system' %}be kind . {% endif %}" + CHAT_TEMPLATE}
    )
    cases = {
        "given": (given, USE),
        "own": (answer_rows(8), with_template),
        "none": (answer_rows(8), USE),
        "text": (proposer_rows(8), with_template),
    }
    cards = {
        name: (
            supervise(rows, folders.pretrained, tmp_path / name, use=use, num_train_epochs=1) / "README.md"
        ).read_text()
        for name, (rows, use) in cases.items()
    }
    assert "| system_text | a \\| b c |" in cards["given"]
    assert "| system_text | be kind . |" in cards["own"]
    assert "system_text" not in cards["none"] + cards["text"]


def test_a_row_whose_answer_the_chat_template_refuses_is_left_out(folders: Folders, tmp_path: Path) -> None:
    """The prompt alone can be rendered. If every row is refused, the job ends."""
    rows = answer_rows(8)
    answer = str(rows[3].completion[0].content)  # type: ignore[union-attr]
    template = "{% if messages[-1].content == 'ANSWER' %}{{ raise_exception('no') }}{% endif %}".replace(
        "ANSWER", answer
    )
    use = USE.model_copy(update={"chat_template": template + CHAT_TEMPLATE})
    shorter = [row for row in rows if row.completion != rows[3].completion]
    some = supervise(rows, folders.pretrained, tmp_path / "some", use=use, num_train_epochs=1)
    assert manifest(some)["rows"] == len(shorter) < len(rows)
    with pytest.raises(BadInput, match="the chat template refuses all 1 rows"):
        supervise([rows[3]], folders.pretrained, tmp_path / "none", use=use)


FORGED = "20 + 3 <eos> <pad>"


@pytest.mark.parametrize("way", ["warm-up", "target", "preference"])
def test_training_rows_have_the_tokens_of_questions_and_one_end_token(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A batch of the trainer is compared with the engine's tokens. A special token inside a text is plain text in both."""
    trainers: list[Any] = []
    for module in (sft, dpo):
        monkeypatch.setattr(module, "train_and_write", lambda run, trainer, *_: trainers.append(trainer))
    text = MATH.build_prompt(HEADER, [FORGED] * 3)
    turn, answer = [Message(role="user", content=FORGED)], [Message(role="assistant", content=FORGED)]
    request = Request(messages=turn) if way == "target" else Request(text=text)
    if way == "preference":
        pair = Pair(
            prompt=text,
            chosen=f" {FORGED}",
            rejected=f" 1 {FORGED}",
            chosen_id="c",
            rejected_id="r",
            pairing="same_prompt",
        )
        prefer([pair] * 2, folders.pretrained, folders.pretrained, tmp_path / "out")
    else:
        plain, chat = {"prompt": text, "completion": f" {FORGED}"}, {"prompt": turn, "completion": answer}
        row = TrainingRow(**(chat if way == "target" else plain), instruction_id="i", origin="seed")
        supervise([row] * 2, folders.pretrained, tmp_path / "out")
    [batch] = trainers[0].get_train_dataloader()
    asked = TransformersEngine(folders.pretrained, USE, Decoding(4), 1)._conversations.prompt(request).tokens
    tokenizer = load_tokenizer(folders.pretrained, USE)
    written = tokenizer("20 + 3 < eos> < pad>")["input_ids"]
    if way == "preference":
        masks = batch["completion_mask"]
        expected = [
            written,
            written,
            [*tokenizer("1")["input_ids"], *written],
            [*tokenizer("1")["input_ids"], *written],
        ]
    else:
        masks, expected = batch["labels"] != -100, [written, written]
    for ids, mask, words in zip(batch["input_ids"], masks, expected, strict=True):
        assert ids[: len(asked)].tolist() == asked
        assert tokenizer.eos_token_id not in asked
        assert ids[mask.bool()].tolist() == [*words, tokenizer.eos_token_id]


def test_a_tracker_receives_the_curve_and_changes_no_byte(folders: Folders, tmp_path: Path) -> None:
    steps = {"num_train_epochs": 5}
    tracking = Tracking(report_to=["tensorboard"], project="some")
    output = tmp_path / "tracked/model"
    supervise(answer_rows(24), folders.pretrained, output, tracking=tracking, **steps)
    supervise(answer_rows(24), folders.pretrained, tmp_path / "untracked", **steps)
    assert manifest(output) == manifest(tmp_path / "untracked")
    assert sorted(path.name for path in output.parent.iterdir()) == ["model", "model.tracking"]
    events = EventAccumulator(str(output.with_name("model.tracking"))).Reload()
    reported = [event.value for event in events.Scalars("train/loss")]
    curve = json.loads((output / "curve.json").read_text())
    steps = common.LOGGING_STEPS
    means = [statistics.mean(reported[start : start + steps]) for start in range(0, len(reported), steps)]
    assert [line["loss"] for line in curve] == [pytest.approx(mean) for mean in means]


def test_a_tracker_that_is_not_installed_gives_an_error_before_training(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # importing it fails from now on
    with pytest.raises(BadInput, match=r"tracking\.report_to: wandb cannot be imported"):
        supervise(
            answer_rows(8), folders.pretrained, tmp_path / "out", tracking=Tracking(report_to=["wandb"], project="some")
        )
    assert not (tmp_path / "out").exists()


STEPS = {"num_train_epochs": 7, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "warmup_steps": 0.2}
"""21 steps on 24 rows in seven epochs. The rate rises and falls, and each epoch draws its batches again."""


@pytest.mark.slow
@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
@pytest.mark.parametrize("way", ["supervised", "preferred"])
def test_a_training_that_is_stopped_and_started_again_writes_the_same_bytes(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, lora: Lora | None
) -> None:
    """Weights, curve and manifest are equal: the order of rows, LoRA's dropout, the moments and the rate are restored."""
    base, pairs = folders.pretrained, build_pairs(24)
    changes = {"lr_scheduler_type": "cosine", "lora": lora, **STEPS}

    def train(name: str) -> Path:
        if way == "supervised":
            return supervise(answer_rows(24), base, tmp_path / name, **changes)
        return prefer(pairs, base, folders.supervised, tmp_path / name, **changes)

    whole = train("whole")
    stops = sorted(random.Random(f"{way} {lora is None}").sample(range(1, 20), 2))
    report = Followed.on_log

    def report_and_stop(self: Any, args: Any, state: Any, *rest: Any, **more: Any) -> None:
        report(self, args, state, *rest, **more)
        if stops and state.global_step == stops[0]:
            os.kill(os.getpid(), signal.SIGUSR1)
            stops.pop(0)

    monkeypatch.setattr(Followed, "on_log", report_and_stop)
    seconds: list[float] = []
    for stop in list(stops):
        with pytest.raises(Interrupted, match=f"stopped by SIGUSR1 at step {stop + 1} of 21"):
            train("broken")
        assert not (tmp_path / "broken").exists()
        assert [p.name for p in (tmp_path / "broken.state").glob("step-*")] == [f"step-{stop + 1}"]
        [kept] = (tmp_path / "broken.state").glob("step-*/work_seconds")
        seconds.append(float(kept.read_text()))
    assert 0 < seconds[0] < seconds[1]
    assert folder_bytes(train("broken")) == folder_bytes(whole)
    assert not (tmp_path / "broken.state").exists()


def test_a_checkpoint_that_cannot_be_put_in_its_place_is_an_error_and_removes_none(tmp_path: Path) -> None:
    state, args = Checkpoints(tmp_path / "model", "key"), SimpleNamespace(device=torch.device("cpu"))

    def save(step: int) -> None:
        write_text(state.own_folder / f"checkpoint-{step}/state", str(step))
        state.on_save(args, SimpleNamespace(global_step=step, max_steps=10), None)

    write_text(state.place / "step-9/state", "of another writer, which is ahead")
    for step in (2, 4, 4):  # the second save of step 4 is like that of another writer
        save(step)
        assert not list(state.own_folder.iterdir())
        assert {path.name for path in state.place.glob("step-*")} == {f"step-{step}", "step-9"}
        assert float((state.place / f"step-{step}/work_seconds").read_text()) > 0
    (state.place / "step-6").write_text("no folder")
    with pytest.raises(NotADirectoryError):
        save(6)
    states = {str(path.relative_to(state.place)) for path in state.place.rglob("state")}
    assert states == {"step-4/state", "step-9/state", f"{state.own_folder.name}/checkpoint-6/state"}


@pytest.mark.slow
def test_a_training_without_a_launcher_uses_one_of_several_gpus(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, arguments = folders.pretrained, TrainingRun.arguments

    def train(name: str) -> list[dict[str, Any]]:
        prefer(build_pairs(16), base, base, tmp_path / name / "preferred")
        supervise(answer_rows(16), base, tmp_path / name / "supervised")
        return [manifest(tmp_path / name / way)["files"] for way in ("preferred", "supervised")]

    one = train("one")
    # transformers sees a machine with two GPUs here, unless it must use the CPU
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(TrainingRun, "arguments", lambda *given: {**arguments(*given), "use_cpu": False})
    assert train("two") == one


@pytest.mark.slow
def test_a_training_that_is_killed_at_any_step_and_started_again_writes_the_same_bytes(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets SIGKILL and leaves a half-written checkpoint. The state of a training on other rows is not used."""
    base, rows = folders.pretrained, answer_rows(24)
    whole = supervise(rows, base, tmp_path / "whole", **STEPS)
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)  # a checkpoint at every step
    killed = multiprocessing.get_context("fork").Process(
        target=supervise, args=(rows, base, tmp_path / "broken"), kwargs=STEPS
    )
    killed.start()
    state = tmp_path / "broken.state"
    while killed.is_alive() and not list(state.glob("step-1?")):
        time.sleep(0.002)
    killed.kill()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert 10 <= max(int(path.name[5:]) for path in state.glob("step-*")) < 21
    torn = state / f".trainer.{os.uname().nodename}.{killed.pid}/checkpoint-20"
    torn.mkdir(parents=True, exist_ok=True)
    (torn / "trainer_state.json").write_text("{")
    monkeypatch.setattr(checkpoints, "SECONDS", 1e9)
    shutil.copytree(state, tmp_path / "other.state")
    assert folder_bytes(supervise(rows, base, tmp_path / "broken", **STEPS)) == folder_bytes(whole)
    other = supervise(rows[:23], base, tmp_path / "other", **STEPS)
    assert manifest(other)["rows"] == 23
    assert manifest(other)["steps"] == 21
    assert weights(other) == weights(supervise(rows[:23], base, tmp_path / "other whole", **STEPS))
