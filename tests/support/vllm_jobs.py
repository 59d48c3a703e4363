"""Jobs in vLLM's environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.workflows import REPOSITORY

from reversegen.config.models import ModelUse, Vllm
from reversegen.core.records import Message

SMALL = Vllm(max_model_len=128, kv_cache_memory_bytes=2**26, enforce_eager=True)


USE = ModelUse(dtype="float32", engine="vllm", vllm=SMALL)


def run(python: str, words: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.run([python, *words], env=environment, capture_output=True, text=True, timeout=300, **more)


def ask(python: str, folder: Path, output: Path, asked: dict[str, Any], use: ModelUse = USE) -> Any:
    """The answers of `vllm_answers`. Requests are given as objects."""
    script = str(REPOSITORY / "tests/support/vllm_answers.py")
    payload = json.dumps(asked, default=lambda one: one.model_dump() if isinstance(one, Message) else vars(one))
    done = run(python, [script, str(folder), use.model_dump_json(), str(output)], input=payload)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(output.read_text())
