"""The environment that every job of a run inherits: variables, and how it handles a signal."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
"""The folder of the Snakefile, with envs/, resources/ and scripts/."""
BUDGETED = "REVERSEGEN_BUDGETED"
"""Environment variable with config.yaml as Snakemake merged it, set if a task has a budget. A job reads the budget from it when
it starts. As a param of the rules, a raised limit would rerun everything."""
WARNED = "REVERSEGEN_WARNED"
"""Environment variable that is set once the configuration's faults are shown, so that the jobs of a run do not repeat them."""


VLLM_WARNED = "REVERSEGEN_VLLM_WARNED"
"""Environment variable that is set once a missing vLLM is shown."""


def search_path() -> str:
    """The PATH on which the interpreter of a rule is looked up: the folder of this interpreter first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def prepare_environment() -> None:
    """Set the environment of every job: our `python` comes first in PATH, and the hub is off except for fetching.

    SIGUSR1 is ignored by default. SLURM sends it to all processes of a job shortly before the time limit, and only a process
    that saves its state handles it.
    """
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.environ["PATH"] = search_path()
    os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}
