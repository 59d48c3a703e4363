"""The configuration with all kinds and worlds of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reversegen.config.load import Extensions, load
from reversegen.config.workflow import Configuration
from reversegen.kinds import check_kind, kind_settings
from reversegen.worlds import SOLVERS, WORLDS

EXTENSIONS = Extensions(kinds=kind_settings(), worlds=WORLDS, solvers=SOLVERS, check=check_kind)


def load_configuration(values: dict[str, Any], folder: Path) -> Configuration:
    """The content of config.yaml, as Snakemake merged it, and the other files of `folder`; raises BadInput as `load` does."""
    return load(values, folder, EXTENSIONS)
