"""The resources that jobs ask for, by the size of their model, and the light jobs that a cluster runs as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.workflow.roles import model_of
from reversegen.workflow.tasks import launcher_of, task_of

if TYPE_CHECKING:
    from snakemake.iocontainers import ResourceList, Wildcards


def amount(
    configuration: Configuration, resource: str, role: str, training: str | None = None
) -> Callable[[Wildcards], int | str | None]:
    """A resource that a job with the model of a role asks for: a key of its size in the configuration, or its GPUs.

    GPUs are the resource `gpu` or `gres`, as the configuration sets it. Every process of a training asks for the same amount;
    `training` names the part of the task that may have a launcher.
    """

    def read(wildcards: Wildcards) -> int | str | None:
        gres = configuration.workflow.gres
        if resource in ("gpu", "gres"):
            count = gpu_count(configuration, role, training, wildcards)
            if resource == "gres":
                return f"{gres}:{count}" if gres and count else None
            return 0 if gres else count
        model = model_of(configuration, role, wildcards)
        amount: int = getattr(configuration.workflow.sizes[model.size if model else "tiny"], resource)
        return amount if resource == "runtime" else amount * _processes(configuration, training, wildcards)

    return read


def gpu_count(configuration: Configuration, role: str, training: str | None, wildcards: Wildcards) -> int:
    """The number of GPUs of a job with the model of a role, with either way of asking for them."""
    model = model_of(configuration, role, wildcards)
    gpu = configuration.workflow.sizes[model.size if model else "tiny"].gpu
    return gpu * _processes(configuration, training, wildcards)


def _processes(configuration: Configuration, training: str | None, wildcards: Wildcards) -> int:
    launcher = launcher_of(configuration, training, wildcards) if training else None
    return launcher.processes if launcher else 1


def job_gpus(
    configuration: Configuration, role: str, training: str | None = None
) -> Callable[[Wildcards, int, ResourceList], int]:
    """The number of GPUs of a job, as a param that reruns nothing (see `tasks.uncompared`).

    Raises BadInput if `--resources` allows fewer GPUs, because Snakemake would silently lower the job's request.
    """

    def read(wildcards: Wildcards, threads: int, resources: Any) -> int:
        count = gpu_count(configuration, role, training, wildcards)
        given = resources.get("gpu", 0)
        if not configuration.workflow.gres and count > given:
            raise BadInput(
                f"task {wildcards.task}: a job of its {role} asks for {count} GPUs, but `--resources gpu={given}` allows "
                "fewer; raise it, or lower `gpu` of its size in config/config.yaml or `launcher.processes` in the task"
            )
        return count

    return read


def with_next(configuration: Configuration, group: str) -> Callable[[Wildcards], str | None]:
    """The group of a light stage. None if the task splits the stage into shards, which run side by side as separate jobs."""

    def name(wildcards: Wildcards) -> str | None:
        several = task_of(configuration, wildcards).shards > 1
        return None if several else group.format(**dict(wildcards.items()))

    return name
