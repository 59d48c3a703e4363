"""The model of each role of a task, its folder, and the settings with which it is loaded or reached.

The roles are proposer, target, teacher, embedding, and judge and transfer, whose models a wildcard names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reversegen.config import paths
from reversegen.config.judge_settings import Judge
from reversegen.config.models import Limits, Model
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.workflow.tasks import task_of, uncompared

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def judge_of(configuration: Configuration, wildcards: Wildcards) -> Judge:
    """The judge that the wildcard `judge` names. Raises BadInput for a judge that the task does not name."""
    judges = {judge.name: judge for judge in task_of(configuration, wildcards).judges}
    if wildcards.judge not in judges:
        known = f"it has {', '.join(judges)}" if judges else "it has none"
        raise BadInput(f"task {wildcards.task}: judge: it has no judge {wildcards.judge}; {known}")
    return judges[wildcards.judge]


def model_name(configuration: Configuration, role: str, wildcards: Wildcards) -> str | None:
    """The name of the model or solver that plays a role in the task. None for a role without a model.

    Raises BadInput for a judge that the task does not name.
    """
    if role == "transfer":
        return str(wildcards.model)
    if role == "judge":
        return judge_of(configuration, wildcards).model
    return paths.task_models(task_of(configuration, wildcards)).get(role)


def model_of(configuration: Configuration, role: str, wildcards: Wildcards) -> Model | None:
    """The model that plays a role in the task. None for a role without a model, and for a teacher that is a solver."""
    return configuration.models.get(model_name(configuration, role, wildcards) or "")


def model_use(configuration: Configuration, role: str) -> Callable[[Wildcards], str]:
    """The settings with which the model of a role is loaded or reached, as JSON."""

    def read(wildcards: Wildcards) -> str:
        model = model_of(configuration, role, wildcards)
        return model.use.model_dump_json() if model else "null"

    return read


def trained_model(configuration: Configuration, role: str) -> Callable[[Wildcards], str]:
    """The settings with which the model of a role is loaded for training, as JSON."""

    def read(wildcards: Wildcards) -> str:
        model = model_of(configuration, role, wildcards)
        assert model, f"the {role} is trained, so it must be a model"
        return model.trained.model_dump_json()

    return read


def endpoint_limits(configuration: Configuration, role: str) -> Callable[[Wildcards, int], str]:
    """The request limits of the endpoint of a role, as JSON. null for any other model."""

    def read(wildcards: Wildcards) -> str:
        model = model_of(configuration, role, wildcards)
        return (model.limits or Limits()).model_dump_json() if model and model.endpoint else "null"

    return uncompared(read)


def role_folder(configuration: Configuration, role: str) -> Callable[[Wildcards], list[str]]:
    """The folder of the model of a role. Empty for an endpoint, a solver and a role without a model."""

    def find(wildcards: Wildcards) -> list[str]:
        model = model_of(configuration, role, wildcards)
        place = model and paths.model_folder(model_name(configuration, role, wildcards) or "", model)
        return [str(place)] if place else []

    return find


def is_endpoint(configuration: Configuration, role: str, wildcards: Wildcards) -> bool:
    """Whether the model of a role is an endpoint."""
    model = model_of(configuration, role, wildcards)
    return model is not None and model.endpoint is not None
