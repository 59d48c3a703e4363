"""The models and data sources of a task, and where each lies: the user's own place, or that of the rule that makes it."""

from __future__ import annotations

from pathlib import Path

from reversegen.config.load import DataSource, Model, Task

DOWNLOADS = Path("resources/downloads")


def task_models(task: Task) -> dict[str, str]:
    """The models of a task by role; one of a transfer by `transfer NAME`. A teacher may be a solver, which is no model."""
    names = {"proposer": task.proposer, "target": task.target, "teacher": task.teacher}
    names |= {"judge": task.judge.model} if task.judge else {}
    names |= {"embedding": task.embedding.model} if task.embedding else {}
    return names | {f"transfer {model}": model for model in task.transfer}


def task_sources(task: Task) -> list[DataSource]:
    """The sources of seeds, tests and the judge's labelled set that a task names."""
    return [*task.data.seeds.values(), *task.data.tests.values(), *([task.data.judge] if task.data.judge else [])]


def model_folder(name: str, model: Model) -> Path | None:
    """The folder of a model; None for an endpoint."""
    if model.endpoint:
        return None
    return model.folder or (Path("results/models") if model.train else DOWNLOADS / "models") / name


def source_file(source: DataSource) -> Path | None:
    """The file of a data source; None for a corpus."""
    if source.url:
        return DOWNLOADS / "files" / source.url.file_name
    return DOWNLOADS / "data" / f"{source.hub.file_name}.jsonl" if source.hub else source.file
