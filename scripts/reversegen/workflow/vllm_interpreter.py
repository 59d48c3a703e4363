"""Whether the interpreter of the environment `generate` has vLLM, asked before anything is spent."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Iterable

from reversegen.config.workflow import Configuration
from reversegen.workflow.environment import search_path

PROBE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
PATIENCE = 30.0
"""Seconds that an interpreter has to answer: much longer than it takes to start, even from a slow disk."""


def vllm_models(names: Iterable[str], configuration: Configuration) -> list[str]:
    """Those of the named models that vLLM runs, once each."""
    models = {name: configuration.models.get(name) for name in names}
    return [name for name, model in models.items() if model and model.engine == "vllm"]


def missing_vllm(names: Iterable[str], configuration: Configuration) -> tuple[str, str] | None:
    """What is missing and how to fix it if one of the named models needs vLLM and no interpreter has it; otherwise None.

    Both are parts of one line. Conda, which may deploy vLLM, is not considered here.
    """
    models = vllm_models(names, configuration)
    python = configuration.workflow.python["generate"]
    if not models or _has_vllm(python):
        return None
    what = f"{', '.join(models)}: `engine: vllm`, but the interpreter python.generate ({python}) has no vLLM"
    fix = (
        "name one that has it (--config 'python={generate: PYTHON}', docs/models-and-engines.md), or go without: "
        "--config engine=transformers, which is slower"
    )
    return what, fix


@functools.cache
def _has_vllm(python: str) -> bool:
    """Whether an interpreter finds the package vllm, which is not imported."""
    program = shutil.which(python, path=search_path())
    if program is None:
        return False
    try:
        return subprocess.run([program, "-c", PROBE], capture_output=True, timeout=PATIENCE).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
