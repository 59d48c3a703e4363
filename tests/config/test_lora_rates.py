"""LoRA's first steps depend on rate times alpha and not on the rank. The settings of the 8B tasks rely on that."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from reversegen.config.load import read_yaml
from reversegen.workflow.configuration import load_configuration

CONFIG = Path(__file__).parents[2] / "config"
STEPS, BETA, ASKED = 10, 0.1, 8


def margin(rank: int, alpha: int, rate: float) -> float:
    """The gain of DPO on one batch over the initial model, in nats a pair."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=200, initializer_range=0.08, **sizes))
    chosen, rejected = torch.randint(0, 200, (2, 8, ASKED + 6), generator=torch.Generator().manual_seed(1))
    rejected[:, :ASKED] = chosen[:, :ASKED]

    def log_probability(rows: torch.Tensor) -> torch.Tensor:
        shares = torch.log_softmax(model(rows).logits[:, :-1], -1).gather(-1, rows[:, 1:, None])[..., 0]
        return shares[:, ASKED - 1 :].sum(1)

    with torch.no_grad():
        before = log_probability(chosen) - log_probability(rejected)
    torch.manual_seed(2)
    layers = ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "gate_proj", "down_proj"]
    model = get_peft_model(model, LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=layers))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=0)
    for _ in range(STEPS):
        gained = log_probability(chosen) - log_probability(rejected) - before
        optimizer.zero_grad()
        (-torch.nn.functional.logsigmoid(BETA * gained).mean()).backward()
        optimizer.step()
    with torch.no_grad():
        return float((log_probability(chosen) - log_probability(rejected) - before).mean())


def test_rate_times_alpha_decides_and_the_rank_does_not() -> None:
    published = margin(64, 16, 1e-5)
    assert published > 0.01
    assert margin(16, 16, 1e-5) == pytest.approx(published, rel=0.1)
    shipped = margin(64, 64, 1e-5)
    assert shipped == pytest.approx(4 * published, rel=0.1)
    assert margin(128, 128, 5e-6) == pytest.approx(shipped, rel=0.1)  # the alignment handbook's recipe
    assert margin(32, 16, 5e-6) == pytest.approx(published / 2, rel=0.1)  # the example of TRL's script


@pytest.mark.parametrize("name", ["math", "safety", "honesty"])
def test_the_tasks_with_8b_models_have_the_usual_products(name: str) -> None:
    task = load_configuration(read_yaml(CONFIG / "config.yaml"), CONFIG).task(name)
    for part, usual in ((task.warmup, 3.2e-3), (task.preference, 6.4e-4), (task.enhancement, 3.2e-3)):
        assert part.lora
        assert (part.lora.r, part.training.learning_rate * part.lora.lora_alpha) == (64, pytest.approx(usual))
