"""A tiny Llama as a GGUF file with quantised weights, and its tensors dequantised by the package gguf."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
from tokenizers.pre_tokenizers import ByteLevel

HIDDEN, HEADS, KEY_HEADS, INTERMEDIATE, LAYERS = 64, 4, 2, 96, 2
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
BYTES = sorted(ByteLevel.alphabet())
MERGES = ["Ċ Ċ", "Ġ a", "h e", "he l", "l o", "hel lo"]
TOKENS = [*SPECIAL, *BYTES, *(merge.replace(" ", "") for merge in MERGES)]
TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}{{ '<|im_start|>system\nHelp.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SHAPES = {
    "attn_q": (HIDDEN, HIDDEN),
    "attn_k": (HIDDEN * KEY_HEADS // HEADS, HIDDEN),
    "attn_v": (HIDDEN * KEY_HEADS // HEADS, HIDDEN),
    "attn_output": (HIDDEN, HIDDEN),
    "ffn_gate": (INTERMEDIATE, HIDDEN),
    "ffn_up": (INTERMEDIATE, HIDDEN),
    "ffn_down": (HIDDEN, INTERMEDIATE),
}


def write_gguf(path: Path, architecture: str = "llama", pre: str = "smollm") -> Path:
    """Write a random Llama of two layers: its embeddings are quantised to 8 bits, its layers to 4, as SmolLM2's are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(LAYERS)
    writer.add_context_length(256)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(TOKENS)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(TOKENS) - len(SPECIAL)))
    writer.add_token_merges(MERGES)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)

    def add(name: str, shape: tuple[int, int], kind: gguf.GGMLQuantizationType) -> None:
        weights = random.normal(0, 0.3, shape).astype(np.float32)
        writer.add_tensor(name, gguf.quantize(weights, kind), raw_dtype=kind)

    add("token_embd.weight", (len(TOKENS), HIDDEN), gguf.GGMLQuantizationType.Q8_0)
    for layer in range(LAYERS):
        for name, shape in SHAPES.items():
            add(f"blk.{layer}.{name}.weight", shape, gguf.GGMLQuantizationType.Q4_1)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", random.normal(1, 0.1, HIDDEN).astype(np.float32))
    writer.add_tensor("output_norm.weight", random.normal(1, 0.1, HIDDEN).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def dequantised(path: Path) -> dict[str, Any]:
    """Tensors of a Llama's GGUF file by transformers' names, as the package gguf dequantises them.

    llama.cpp stores the rows of a head's queries and keys with the two halves of each rotated pair side by side.
    """
    reader = gguf.GGUFReader(path)
    heads = {
        "q": int(reader.get_field("llama.attention.head_count").contents()),
        "k": int(reader.get_field("llama.attention.head_count_kv").contents()),
    }
    tensors = {one.name: gguf.dequantize(one.data, one.tensor_type) for one in reader.tensors}
    found = {
        "model.embed_tokens.weight": tensors["token_embd.weight"],
        "model.norm.weight": tensors["output_norm.weight"],
    }
    for layer in (0, LAYERS - 1):
        start, place = f"blk.{layer}", f"model.layers.{layer}"
        for name in ("gate", "up", "down"):
            found[f"{place}.mlp.{name}_proj.weight"] = tensors[f"{start}.ffn_{name}.weight"]
        for short, name in (("v", "v"), ("output", "o")):
            found[f"{place}.self_attn.{name}_proj.weight"] = tensors[f"{start}.attn_{short}.weight"]
        for name, count in heads.items():
            rows, width = tensors[f"{start}.attn_{name}.weight"].shape
            pairs = tensors[f"{start}.attn_{name}.weight"].reshape(count, rows // count // 2, 2, width)
            found[f"{place}.self_attn.{name}_proj.weight"] = pairs.swapaxes(1, 2).reshape(rows, width)
    return found
