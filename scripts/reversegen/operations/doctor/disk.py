"""Room on the disk for the files that a run writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reversegen.config.paths import model_folder
from reversegen.config.workflow import Configuration
from reversegen.core.sources import SOURCES
from reversegen.operations.doctor.finding import Finding
from reversegen.workflow.stages import models_by_role

STATE_SHARE = 6
"""The state of a full fine-tuning as a multiple of the model folder: float32 weights and two moments, over bfloat16."""


def check_disk(name: str, configuration: Configuration, folder: Path, free: int) -> Iterable[Finding]:
    """Check whether everything fits: downloads, one proposer for each iteration, enhanced targets, and a trainer's state."""
    task, sizes = configuration.task(name), configuration.workflow.sizes
    models = models_by_role(task, configuration)
    written_mb = converted_mb = 0
    origins = {model.hub or model.package or model.gguf: (name, model) for name, model in models.values()}
    for model_name, model in (one for origin, one in origins.items() if origin):
        place = model_folder(model_name, model)
        if place and not (folder / place).is_dir():
            written_mb += sizes[model.size].disk_mb
            converted_mb += sizes[model.size].disk_mb if model.weights == "bin" else 0
    proposers = [f"iter{k}/proposer" for k in range(task.iterations + 1)]
    targets = [] if models["target"][1].endpoint else [f"enhanced/{source}/target" for source in SOURCES]
    state_mb = 0
    for role, parts, sections in (
        ("proposer", proposers, (task.warmup, task.preference)),
        ("target", targets, (task.enhancement,)),
    ):
        folder_mb = sizes[models[role][1].size].disk_mb
        parts_left = [part for part in parts if not (folder / "results" / name / part).is_dir()]
        if role == "proposer" and task.keep is not None:  # a proposer is deleted once the next one exists
            parts_left = parts_left[: max(1, len(task.keep) + 1 - (len(parts) - len(parts_left)))]
        written_mb += folder_mb * len(parts_left)
        if parts and any(section.lora is None for section in sections):
            state_mb = max(state_mb, STATE_SHARE * folder_mb)
    free_mb, written_mb = free // 1_000_000, written_mb + state_mb + converted_mb
    text = f"{written_mb / 1000:,.1f} GB may be written, {free_mb / 1000:,.1f} GB are free in {folder.resolve()}"
    if converted_mb:
        text += f"; {converted_mb / 1000:,.1f} GB of it are .bin weights, which are deleted once they are converted"
    if written_mb > free_mb:
        yield Finding("disk", "stops", text, "free some space, or start in a folder on a larger disk")
    elif written_mb > free_mb / 2:
        yield Finding("disk", "warning", text, "this is more than half of the free space; a quota is not checked")
    else:
        yield Finding("disk", "ok", f"{text}; a quota is not checked")
