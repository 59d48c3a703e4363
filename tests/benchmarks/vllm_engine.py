"""Tokens per second of a stage with the vllm engine, beside a bare `LLM.generate` on the same prompts.

Each side is a separate process of vLLM's own interpreter, and the sides take turns. A stage also splits batches, joins them
and writes each to disk once it is finished. Both sides have the same model, arguments, seeds and token limit.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))
PROMPTS, TOKENS, REPEATS, BAR = 2000, 32, 3, 0.95
TEMPERATURES = {"greedy": 0.0, "sampled": 1.0}
ARGUMENTS: dict[str, Any] = {"max_model_len": 256, "kv_cache_memory_bytes": 2**29, "enforce_eager": True}


def measure() -> list[dict[str, Any]]:
    """One row for greedy answers and one for seeded draws; none, with the reason, if vLLM is not installed."""
    python = os.environ.get("REVERSEGEN_VLLM_PYTHON", "")
    if not Path(python).is_file():
        print("vllm: skipped; REVERSEGEN_VLLM_PYTHON must name an interpreter that has vLLM")
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_model(folder / "model")
        speeds: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
        for _ in range(REPEATS):
            for side, found in speeds.items():
                words = [python, __file__, side, str(folder / "model"), str(folder / "speeds.json")]
                with (folder / "log").open("w") as log:
                    done = subprocess.run(words, stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"})
                if done.returncode:
                    sys.exit(f"the benchmark failed: {(folder / 'log').read_text()[-3000:]}")
                found.append(json.loads((folder / "speeds.json").read_text()))
    return [_row(name, speeds) for name in TEMPERATURES]


def _row(name: str, speeds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    ratios = [ours[name] / bare[name] for ours, bare in zip(speeds["ours"], speeds["bare"], strict=True)]
    ratio = round(median(ratios), 3)
    return {
        "name": f"vllm engine, {name}, tokens per second",
        "against": "LLM.generate",
        "size": f"{PROMPTS} prompts of {TOKENS} new tokens",
        "ratio": ratio,
        "low": round(min(ratios), 3),
        "high": round(max(ratios), 3),
        "bar": BAR,
        "holds": ratio >= BAR,
    }


def _write_model(folder: Path) -> None:
    """A random Llama of 3 million parameters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from reversegen.training.pretraining import build_tokenizer

    tokenizer = build_tokenizer("arithmetic")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 4, "num_attention_heads": 4}
    LlamaForCausalLM(LlamaConfig(**shape, vocab_size=len(tokenizer), eos_token_id=1)).save_pretrained(folder)


def _prompts() -> list[str]:
    return [f"tom has {n % 90} pens and gets {n // 90} more . how many now ? " * (1 + n % 4) for n in range(PROMPTS)]


def _ours(folder: Path, temperature: float, texts: list[str]) -> tuple[float, int]:
    from reversegen.config.models import ModelUse, Vllm
    from reversegen.core.records import Prompt, Sample, read_records
    from reversegen.engines.base import Decoding
    from reversegen.engines.vllm import VllmEngine
    from reversegen.loop.sampling import sample_instructions

    use = ModelUse(dtype="float32", engine="vllm", vllm=Vllm(**ARGUMENTS))
    engine = VllmEngine(folder, use, Decoding(TOKENS, temperature), os.cpu_count() or 1)
    prompts = [Prompt(id=str(n), split="train", text=text, seeds=[], subject=None) for n, text in enumerate(texts)]
    output = folder.parent / "samples.jsonl"
    start = time.perf_counter()
    sample_instructions(output, prompts, engine, 1, 16, (0, "iter0"))
    return time.perf_counter() - start, sum(sample.tokens for sample in read_records(output, Sample))


def _bare(llm: Any, temperature: float, texts: list[str]) -> tuple[float, int]:
    from vllm import SamplingParams

    from reversegen.ids import hashed_seed

    params = [
        SamplingParams(temperature=temperature, max_tokens=TOKENS, seed=hashed_seed(n) % 2**62 if temperature else None)
        for n in range(len(texts))
    ]
    start = time.perf_counter()
    outputs = llm.generate(texts, params, use_tqdm=False)
    return time.perf_counter() - start, sum(len(one.outputs[0].token_ids) for one in outputs)


def _run(side: str, folder: Path, output: Path) -> None:
    """Speeds of one side, after a first call that starts and warms it."""
    if side == "bare":
        from vllm import LLM
        from vllm.platforms import current_platform

        chunked = (
            {"enable_chunked_prefill": False} if current_platform.is_cpu() else {}
        )  # like ours: seeded draws need it there
        llm = LLM(model=str(folder), dtype="float32", **ARGUMENTS, **chunked)
    texts, speeds = _prompts(), {}
    for name, temperature in TEMPERATURES.items():
        for asked in (texts[:64], texts):
            seconds, tokens = _ours(folder, temperature, asked) if side == "ours" else _bare(llm, temperature, asked)
        speeds[name] = tokens / seconds
    output.write_text(json.dumps(speeds))


if __name__ == "__main__":
    _run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
