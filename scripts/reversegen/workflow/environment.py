"""The environment that every job of a run inherits: variables, and a signal that only some processes handle."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
"""The folder of the Snakefile, with envs/, resources/ and scripts/."""
BUDGETED = "REVERSEGEN_BUDGETED"
"""Environment variable that holds config.yaml as Snakemake merged it, where a task has a budget. A job reads the budget when it
starts: as a param, a raised limit would make everything again."""
WARNED = "REVERSEGEN_WARNED"
"""Environment variable that is set once the faults of the configuration were shown: the jobs of a run read it again."""


def prepare_environment() -> None:
    """Set what every job inherits: our `python` first, unless conda puts another before it; no hub but for fetching.

    SIGUSR1, by which SLURM tells all processes of a job that its time is nearly over, is for the one that listens to it.
    """
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}
