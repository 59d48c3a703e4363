"""Which model plays a role of a task, where its folder is, and how it is loaded or reached.

A role is proposer, target, teacher, judge or embedding, or transfer, whose model a wildcard names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reversegen.config.models import Limits, Model
from reversegen.config.workflow import Configuration
from reversegen.workflow.tasks import task_of, uncompared

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def model_name(configuration: Configuration, role: str, wildcards: Wildcards) -> str | None:
    """The name of the model that plays a role in the task, or of a solver; None for a role without one."""
    if role == "transfer":
        return str(wildcards.model)
    task = task_of(configuration, wildcards)
    if role == "judge":
        return task.judge.model if task.judge else None
    if role == "embedding":
        return task.embedding.model if task.embedding else None
    name: str = getattr(task, role)
    return name


def model_of(configuration: Configuration, role: str, wildcards: Wildcards) -> Model | None:
    """The configured model that plays a role in the task; None for a role without one and for a teacher that is a solver."""
    return configuration.models.get(model_name(configuration, role, wildcards) or "")


def model_use(configuration: Configuration, role: str) -> Callable[[Wildcards], str]:
    """How the model of a role is loaded or reached, as JSON."""

    def read(wildcards: Wildcards) -> str:
        model = model_of(configuration, role, wildcards)
        return model.use.model_dump_json() if model else "null"

    return read


def trained_model(configuration: Configuration, role: str) -> Callable[[Wildcards], str]:
    """How the model of a role is loaded for training, as JSON."""

    def read(wildcards: Wildcards) -> str:
        model = model_of(configuration, role, wildcards)
        assert model, f"{role} is trained, and so a model"
        return model.trained.model_dump_json()

    return read


def endpoint_limits(configuration: Configuration, role: str) -> Callable[[Wildcards, int], str]:
    """How hard the endpoint of a role is asked, as JSON; null for other models."""

    def read(wildcards: Wildcards) -> str:
        model = model_of(configuration, role, wildcards)
        return (model.limits or Limits()).model_dump_json() if model and model.endpoint else "null"

    return uncompared(read)


def place_of(name: str, model: Model) -> str | None:
    """The folder of a model: the user's own, or the one that a rule makes or fetches; None for an endpoint."""
    if model.endpoint:
        return None
    if model.folder:
        return str(model.folder)
    return f"{'results/models' if model.train else 'resources/downloads/models'}/{name}"


def model_folder(configuration: Configuration, role: str) -> Callable[[Wildcards], list[str]]:
    """The folder of the model of a role; none for an endpoint, a solver and a role without a model."""

    def find(wildcards: Wildcards) -> list[str]:
        model = model_of(configuration, role, wildcards)
        place = model and place_of(model_name(configuration, role, wildcards) or "", model)
        return [place] if place else []

    return find


def is_endpoint(configuration: Configuration, role: str, wildcards: Wildcards) -> bool:
    """Whether the model of a role is an endpoint."""
    model = model_of(configuration, role, wildcards)
    return model is not None and model.endpoint is not None
