"""The memory of a batch, compared with a count by hand and with the library's tensors. The shipped tasks fit their GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file
from tests.support.markdown_tables import rows_of
from tests.support.models import build_model
from tests.support.workflows import REPOSITORY
from transformers import DynamicCache, Gemma3Config, GPT2Config, LlamaConfig, Qwen2Config

from reversegen.config.load import read_yaml
from reversegen.config.workflow import Configuration, Size
from reversegen.core.shards import items_at_once
from reversegen.kinds import kind_use, open_kind
from reversegen.models.memory import Batch, ModelShape, most_sequences, needed, shape_of_folder, shape_of_size
from reversegen.operations.doctor.limits import check_memory
from reversegen.operations.plan import on_gpu, plan, plan_markdown
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.stages import STAGES

CONFIG = REPOSITORY / "config"
LARGE = ("math", "safety", "safety-llama2-chat", "safety-3b-proposer", "honesty", "safety-llama31", "math-qwen3-8b")
LLAMA_2 = LlamaConfig()  # transformers' own defaults are those of Llama-2-7B
LLAMA_3 = LlamaConfig(num_key_value_heads=8, intermediate_size=14336, vocab_size=128256)
QWEN = Qwen2Config(
    hidden_size=3584, num_hidden_layers=28, num_attention_heads=28, num_key_value_heads=4, intermediate_size=18944,
    vocab_size=152064,
)  # fmt: skip
OPEN_LLAMA = LlamaConfig(hidden_size=3200, num_hidden_layers=26, intermediate_size=8640)


def configured(**costs: Any) -> Configuration:
    """The shipped configuration without vLLM, which fits its batches to the memory itself."""
    content = read_yaml(CONFIG / "config.yaml")
    return load_configuration(content | {"engine": "transformers", "costs": content["costs"] | costs}, CONFIG)


def write_config(folder: Path, config: Any, dtype: torch.dtype = torch.bfloat16) -> Path:
    """A folder with a model's config.json and one weight of a million bytes, in that type."""
    folder.mkdir(exist_ok=True)
    config.dtype = dtype
    config.save_pretrained(folder)
    save_file({"weight": torch.zeros(1_000_000 // dtype.itemsize, dtype=dtype)}, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize(
    ("config", "cache", "read", "vocabulary"),
    [
        (LLAMA_2, 2 * 32 * 4096 * 2, 2 * (8 * 4096 + 3 * 11008), 32000),
        (LLAMA_3, 131_072, 2 * (8 * 4096 + 3 * 14336), 128256),
        (QWEN, 2 * 28 * 4 * 128 * 2, 2 * (8 * 3584 + 3 * 18944), 152064),
        (OPEN_LLAMA, 2 * 26 * 3200 * 2, 2 * (8 * 3200 + 3 * 8640), 32000),
        (GPT2Config(), 2 * 12 * 768 * 2, 2 * (8 * 768 + 3 * 4 * 768), 50257),
    ],
    ids=["llama-2-7b", "llama-3-8b", "qwen2.5-math-7b", "open-llama-3b", "gpt2"],
)
def test_a_folder_gives_the_shape_of_its_model(
    tmp_path: Path, config: Any, cache: int, read: int, vocabulary: int
) -> None:
    weights = 1_000_000 + (write_config(tmp_path, config) / "model.safetensors").stat().st_size - 1_000_000
    assert shape_of_folder(tmp_path, "auto") == ModelShape(weights, cache, read, vocabulary)
    assert shape_of_folder(tmp_path, "bfloat16") == ModelShape(weights, cache, read, vocabulary)
    assert shape_of_folder(tmp_path, "float32") == ModelShape(2 * weights, 2 * cache, 2 * read, vocabulary)
    write_config(tmp_path, config, torch.float32)
    assert shape_of_folder(tmp_path, "auto").cache == 2 * cache  # type: ignore[union-attr]
    assert shape_of_folder(tmp_path, "float16").cache == cache  # type: ignore[union-attr]


def test_a_folder_without_facts_has_no_shape(tmp_path: Path) -> None:
    assert shape_of_folder(tmp_path / "absent", "auto") is None
    write_config(tmp_path, LLAMA_2)
    (tmp_path / "config.json").write_text('{"model_type": "own", "vocab_size": 10}')
    assert shape_of_folder(tmp_path, "auto") is None
    text = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64, "head_dim": 32, "vocab_size": 10}
    write_config(tmp_path / "two", Gemma3Config(text_config=text | {"num_key_value_heads": 1}))
    assert shape_of_folder(tmp_path / "two", "auto").cache == 2 * 2 * 1 * 32 * 2  # type: ignore[union-attr]


def test_sizes_describe_the_largest_of_their_models() -> None:
    sizes = configured().workflow.sizes
    for name, configs in (("8b", (LLAMA_2, LLAMA_3, QWEN)), ("3b", (OPEN_LLAMA,))):
        use = sizes[name].footprint
        assert use is not None
        assert use.cache_bytes == max(
            2 * c.num_hidden_layers * c.num_key_value_heads * c.hidden_size // c.num_attention_heads * 2
            for c in configs
        )
        assert use.read_bytes == max(2 * (8 * c.hidden_size + 3 * c.intermediate_size) for c in configs)
        assert use.vocabulary >= max(c.vocab_size for c in configs)
    small = sizes["4b-24gb"].footprint
    assert small is not None
    qwen3_4b = {"layers": 36, "heads": 8, "head": 128, "hidden": 2560, "intermediate": 9728}
    assert small.cache_bytes == 2 * qwen3_4b["layers"] * qwen3_4b["heads"] * qwen3_4b["head"] * 2
    assert small.read_bytes == 2 * (8 * qwen3_4b["hidden"] + 3 * qwen3_4b["intermediate"])
    assert (sizes["tiny"].footprint, sizes["small"].footprint) == (None, None)


def test_the_memory_of_a_batch_equals_a_count_by_hand() -> None:
    """Llama-2-7B, 10 sequences of 100 tokens and 900 new ones; and 10 of 100 that are scored at 3 places."""
    size = configured().workflow.sizes["8b"].model_dump() | {"disk_mb": 13_000}
    size["footprint"] |= {"read_bytes": 131_584, "vocabulary": 32_000}
    shape = shape_of_size(Size(**size), "bfloat16")
    assert shape == ModelShape(13 * 10**9, 524_288, 131_584, 32_000)
    # the copies of a layer's cache are larger here than the activations of such short prompts
    written = 524_288_000 + 32_896_000 + 1_408_000
    assert needed(shape, Batch(10, 100, 900)) == 13 * 10**9 + 10 * written
    long = (900 + 100) * 524_288 + 900 * 131_584 + 1_408_000
    assert needed(shape, Batch(10, 900, 100)) == 13 * 10**9 + 10 * long
    assert needed(shape, Batch(10, 100, scored=3)) == 13 * 10**9 + 10 * (13_158_400 + 960_000)
    assert most_sequences(shape, Batch(10, 100, 900), 13 * 10**9 + 7 * written) == 7
    assert most_sequences(shape, Batch(10, 100, 900), 13 * 10**9 + 7 * written - 1) == 6
    assert most_sequences(shape, Batch(10, 100, 900), 10**9) == 0
    doubled = shape_of_size(Size(**size), "float32")
    assert doubled == ModelShape(26 * 10**9, 2 * 524_288, 2 * 131_584, 32_000)


def test_the_cache_is_that_of_the_library(tmp_path: Path) -> None:
    """The tensors that transformers holds after a generation of 3 sequences."""
    model = build_model()
    model.save_pretrained(tmp_path)
    cache = DynamicCache(config=model.config)
    tokens = torch.randint(2, 100, (3, 11))
    model.generate(tokens, past_key_values=cache, max_new_tokens=9, min_new_tokens=9, pad_token_id=0, do_sample=False)
    held = sum(part.nbytes for layer in cache.layers for part in (layer.keys, layer.values))
    shape = shape_of_folder(tmp_path, "float32")
    assert shape is not None
    assert held == 3 * (11 + 9 - 1) * shape.cache  # the last token is in no cache
    assert held <= needed(shape, Batch(3, 11, 9)) - shape.weights


@pytest.mark.parametrize("name", LARGE)
def test_every_batch_of_the_shipped_tasks_fits_its_gpu_with_a_margin(name: str, tmp_path: Path) -> None:
    """A quarter is left for planned prompts, and something if prompts are twice as long."""
    for question_tokens, share in ((100, 0.75), (200, 1.0)):
        configuration = configured(question_tokens=question_tokens)
        jobs = plan(name, configuration, tmp_path)
        rules = set()
        for job in jobs:
            if found := on_gpu(job, configuration):
                batch, shape, available = found
                rules.add(job.rule)
                assert available == 80 * 10**9
                assert needed(shape, batch) <= share * available, job
                assert needed(shape, batch) > shape.weights + 10**9, job  # the batch is counted
        local = {job.rule for job in jobs if not configuration.models[job.model].endpoint}
        assert rules == {rule for rule in local if not rule.startswith("train_")}
        assert rules <= {rule for rule, stage in STAGES.items() if stage.batch_size}


PARTITIONS = {"tiny-math": (64, 256, 256), "tiny-safety": (64, 256, 256), "tiny-honesty": (64, 256, 2560)}
"""Prompts, instructions and test questions of a batch, by the task that others extend."""


def test_tiny_tasks_draw_in_batches_of_as_many_prompts_as_ever() -> None:
    configuration = configured()
    tiny = {name: task for name, task in configuration.tasks.items() if name.startswith("tiny-")}
    assert len(tiny) >= 9
    for name, task in tiny.items():
        prompts = items_at_once(task.sampling.batch_size, task.sampling.samples_per_prompt)
        several = open_kind(kind_use(task)).decision.samples
        size = task.responses.batch_size
        found = (prompts, items_at_once(size, several), items_at_once(size, 1))
        assert found == PARTITIONS[next(base for base in PARTITIONS if name.startswith(base))]


@pytest.mark.parametrize(
    ("size", "sequences", "items"), [(80, 5, 16), (84, 5, 16), (5, 5, 1), (4, 5, 1), (1, 10, 1), (7, 1, 7)]
)
def test_a_batch_has_whole_items(size: int, sequences: int, items: int) -> None:
    assert items_at_once(size, sequences) == items


def test_a_plan_shows_the_memory_of_each_batch_on_a_gpu(tmp_path: Path) -> None:
    configuration = configured()
    _, _, section = plan_markdown("honesty", configuration, tmp_path).partition("## GPU memory")
    rows = [list(cells.values()) for cells in rows_of(section, 2).values()]
    # weights 17 GB, 12 prompts of 5 samples: 912 x 524,288 + 400 x 171,008 + 44 x 152,064 bytes each
    assert ["sample_instructions", "llama2-7b", "60", "400 + 512", "50", "80"] in rows
    assert ["measure_confidence", "vicuna-7b-v1.5", "320", "148 + 0", "27", "80"] in rows
    assert len(rows) == 5
    assert not any("gpt-4o-mini" in row for row in rows)
    assert "## GPU memory" not in plan_markdown("tiny-math", configuration, tmp_path)


def findings(folder: Path, **changes: Any) -> list[tuple[str, str, str]]:
    """The doctor's findings about the memory of the task honesty with other settings."""
    (folder / "config/tasks").mkdir(parents=True)
    for name in ("config.yaml", "models.yaml", "lock.yaml"):
        (folder / "config" / name).write_bytes((CONFIG / name).read_bytes())
    content = yaml.safe_load((CONFIG / "tasks/honesty.yaml").read_text())
    content |= {key: content.get(key, {}) | value for key, value in changes.items()}
    (folder / "config/tasks/own.yaml").write_text(yaml.safe_dump(content))
    without_vllm = read_yaml(folder / "config/config.yaml") | {"engine": "transformers"}
    configuration = load_configuration(without_vllm, folder / "config")
    return [(one.state, one.text, one.fix) for one in check_memory("own", configuration, folder)]


def test_the_doctor_names_a_batch_that_does_not_fit_and_one_that_would(tmp_path: Path) -> None:
    [(state, text, _)] = findings(tmp_path / "fits")
    assert (state, text) == ("ok", "5 batches fit; the largest takes 63%: sample_instructions 50 GB")
    [*_, (state, text, fix), _] = sorted(findings(tmp_path / "not", sampling={"batch_size": 200}))[::-1]
    assert state == "warning"
    assert text.startswith(
        "sample_instructions: 200 sequences of 912 tokens with llama2-7b (the largest of size 8b) take "
    )
    each = 912 * 524_288 + 400 * 171_008 + 44 * 152_064
    assert fix == f"lower sampling.batch_size to {63 * 10**9 // each}"
    found = findings(tmp_path / "never", responses={"max_new_tokens": 200_000, "batch_size": 1})
    assert {state for state, _, _ in found} == {"ok", "stops"}
    assert all("not even one sequence fits" in text for state, text, _ in found if state == "stops")


def test_the_doctor_reads_the_config_of_a_model_that_is_here(tmp_path: Path) -> None:
    """Llama-3-8B's cache is a quarter: four times as many sequences fit."""
    place = tmp_path / "own/resources/downloads/models"
    place.mkdir(parents=True)
    write_config(place / "llama2-7b", LLAMA_3)
    assert findings(tmp_path / "own", sampling={"batch_size": 200})[-1][0] == "ok"
    [warning] = [one for one in findings(tmp_path / "other", sampling={"batch_size": 200}) if one[0] == "warning"]
    assert "the largest of size 8b" in warning[1]
