"""Functions of rules/publish.smk: descriptions of the models of a task, and the repository to which a folder is pushed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.workflow.enhance import of_sources
from reversegen.workflow.roles import model_name
from reversegen.workflow.tasks import part_file, task_of
from reversegen.worlds import describe

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def enhancement_rows(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The training rows of every source."""
    return [f"results/{wildcards.task}/{file}" for file in of_sources(configuration, "train.jsonl")(wildcards)]


def described_models(configuration: Configuration, wildcards: Wildcards) -> str:
    """A description of the model of each role, as JSON."""
    names = {role: model_name(configuration, role, wildcards) for role in ("proposer", "target", "teacher")}
    described = {role: _described(configuration, name) for role, name in names.items() if name}
    judge = task_of(configuration, wildcards).judge
    for one in judge.judges if judge else []:
        role = "hold-out judge" if judge and one == judge.holdout else "judge"
        role += f" {one.name}" if judge and len(judge.judges) > 1 else ""
        described[role] = _described(configuration, one.model) if one.model else "the exact policy of the task's world"
    return json.dumps(described)


def _described(configuration: Configuration, name: str) -> str:
    model = configuration.models.get(name)
    if model is None:
        return f"the exact solver of {describe(name)}"
    if model.hub:
        return f"{model.hub} at {configuration.lock.get(model.hub, 'no locked commit')}"
    if model.package:
        return f"{model.package.path} of the Python package {model.package.requirement}"
    if model.endpoint:
        return f"{model.endpoint.model}, an endpoint"
    return f"{name}, a tiny model that the workflow trains" if model.train else f"{name}, a folder of the maker's own"


def pushed_folder(configuration: Configuration, wildcards: Wildcards) -> str:
    """The folder that is pushed. Raises BadInput if the configuration names no owner of the repository."""
    if configuration.workflow.push.owner is None:
        raise BadInput(
            "config/config.yaml: push.owner: it is null; name the user or organisation of the hub to push to"
        )
    return part_file(configuration, "{artefact}")(wildcards)


def hub_repository(configuration: Configuration, wildcards: Wildcards) -> str:
    """The repository of a data set or model: OWNER/TASK, OWNER/TASK-iter3-proposer, OWNER/TASK-reversegen-target."""
    parts = [wildcards.task, *wildcards.artefact.removeprefix("enhanced/").split("/")]
    return f"{configuration.workflow.push.owner}/{'-'.join(part for part in parts if part != 'dataset')}"


def repository_type(_: Configuration, wildcards: Wildcards) -> str:
    """The hub's type of the repository of an artefact: dataset or model."""
    return "dataset" if wildcards.artefact == "dataset" else "model"
