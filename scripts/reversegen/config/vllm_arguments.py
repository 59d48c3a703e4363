"""The arguments of vLLM that no entry of models.yaml may give."""

from __future__ import annotations

SET_HERE = {
    "model": "the entry itself names its model",
    "tokenizer": "texts are turned into tokens before vLLM gets them",
    "tokenizer_mode": "texts are turned into tokens before vLLM gets them",
    "tokenizer_revision": "texts are turned into tokens before vLLM gets them",
    "skip_tokenizer_init": "texts are turned into tokens before vLLM gets them",
    "dtype": "it is a key of the model, beside `vllm`",
    "seed": "each request has a seed of its own, which follows from the task's random seed",
    "revision": "config/lock.yaml holds the commit",
    "code_revision": "a repository's own programs are never run",
    "trust_remote_code": "a repository's own programs are never run",
    "enable_prefix_caching": "it is always on, because the samples of a prompt share it",
    "enable_chunked_prefill": "a CPU cannot draw alike with it, and a GPU has it on",
    "hf_token": "no job that runs vLLM reaches the hub, and no file holds a token",
    "enable_lora": "it follows from the model's folder",
    "max_lora_rank": "it follows from the model's folder",
}
"""The arguments of vLLM that the workflow sets itself, each with the reason."""
