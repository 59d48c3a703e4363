"""A profile of Snakemake, read as Snakemake and its plug-in for SLURM read it: what they would refuse is refused here."""

from __future__ import annotations

import math
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from reversegen.config.load import checked, read_yaml
from reversegen.core.errors import BadInput


class JobRequest(NamedTuple):
    """What a job asks SLURM for."""

    threads: int
    mem_mb: int
    minutes: int
    gpus: int

    def __str__(self) -> str:
        return f"{self.threads} CPUs, {self.mem_mb} MB, {self.minutes} minutes, {self.gpus} GPUs"


def _minutes(given: Any) -> Any:
    """The plug-in's ways to write a time: minutes, 2d12h, and SLURM's own days-hours:minutes:seconds."""
    if not isinstance(given, str):
        return given
    text = given.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if slurm := re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text):
        days, hours, minutes, seconds = (int(part or 0) for part in slurm.groups())
        return (days * 24 + hours) * 60.0 + minutes + seconds / 60
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([dhms])", text)
    if not parts:
        raise ValueError("no time; give minutes, or such as 1d, 12h or 1-00:00:00")
    return sum(float(number) * {"d": 1440, "h": 60, "m": 1, "s": 1 / 60}[unit] for number, unit in parts)


class PartitionLimits(BaseModel):
    """Limits of a partition under the plug-in's names; one that is left out is none, but for GPUs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_runtime: Annotated[float, BeforeValidator(_minutes)] = math.inf
    max_mem_mb: float = math.inf
    max_mem_mb_per_cpu: float = math.inf
    max_cpus_per_task: float = math.inf
    max_threads: float = math.inf
    max_nodes: float = math.inf
    max_tasks: float = math.inf
    max_tasks_per_node: float = math.inf
    max_gpu: float = 0
    available_gpu_models: list[str] | None = None
    max_cpus_per_gpu: float = math.inf
    supports_mpi: bool = True
    max_mpi_tasks: float = math.inf
    available_constraints: list[str] | None = None
    slurm_cluster: str | None = None
    cluster: str | None = None
    clusters: str | None = None


class Partition(NamedTuple):
    """A partition that jobs may go to; "" is the cluster's default."""

    name: str
    limits: PartitionLimits | None
    """Those of the profile's own list of partitions; None if it has none."""

    def takes(self, request: JobRequest) -> bool:
        """Whether the plug-in sends such a job here."""
        most = self.limits
        return most is None or (
            request.minutes <= most.max_runtime
            and request.mem_mb <= most.max_mem_mb
            and request.mem_mb <= most.max_mem_mb_per_cpu * request.threads
            and request.threads <= min(most.max_cpus_per_task, most.max_threads)
            and request.gpus <= most.max_gpu
        )


class Partitions(BaseModel):
    """The file that slurm-partition-config names."""

    partitions: dict[Annotated[str, Field(pattern=r"\S")], PartitionLimits]


def _pairs(given: Any) -> dict[str, Any]:
    """What Snakemake takes as a mapping, or as one or more name=value."""
    if isinstance(given, dict):
        return given
    items = [str(item) for item in (given if isinstance(given, list) else [given])]
    if wrong := [item for item in items if "=" not in item]:
        raise ValueError(f"{wrong[0]!r} is no name=value")
    return dict(item.split("=", 1) for item in items)


def _by_rule(given: Any) -> dict[str, Any]:
    """What Snakemake takes as a mapping of rules to resources, or as rule:name=value."""
    if not isinstance(given, dict):
        return _pairs(given)
    if wrong := [rule for rule, resources in given.items() if not isinstance(resources, dict)]:
        raise ValueError(f"{wrong[0]} has no resources with values")
    return {f"{rule}:{name}": value for rule, resources in given.items() for name, value in resources.items()}


class Keys(BaseModel):
    """The keys of a profile that decide what SLURM is asked, and how; Snakemake knows many more."""

    model_config = ConfigDict(frozen=True, alias_generator=lambda name: name.replace("_", "-"))

    executor: str = Field("local", pattern=r"^\w[\w-]*$")
    config: Annotated[dict[str, Any], BeforeValidator(_pairs)] = {}
    default_resources: Annotated[dict[str, Any], BeforeValidator(_pairs)] = {}
    set_resources: Annotated[dict[str, Any], BeforeValidator(_by_rule)] = {}
    software_deployment_method: list[str] | str = []
    slurm_partition_config: str | None = None
    slurm_status_command: str = "sacct"
    slurm_init_seconds_before_status_checks: int = 40

    @model_validator(mode="after")
    def _extra_can_be_split(self) -> Keys:
        try:
            self.extra  # noqa: B018  # read to see whether it can be
        except ValueError as error:
            raise ValueError(f"default-resources: slurm_extra: {error}") from error
        return self

    @property
    def extra(self) -> list[str]:
        """The words that sbatch gets beside those of the job."""
        return shlex.split(str(self.default_resources.get("slurm_extra", "")).strip("'\""))

    @property
    def overrides(self) -> dict[str, Any]:
        """What stands over config/config.yaml, read as Snakemake reads --config."""
        return {name: _value(str(text)) for name, text in self.config.items()}


def _value(text: str) -> Any:
    try:
        return yaml.load(text, yaml.BaseLoader) if text else None  # makes texts alone
    except yaml.YAMLError:
        return text


@dataclass(frozen=True)
class Profile:
    """A profile, whole."""

    file: Path
    keys: Keys
    partitions: list[Partition]
    """Those that it names; the cluster's default where it names none, or by an expression."""


def read_profile(folder: Path) -> Profile:
    """The profile of a folder. Raises BadInput naming file, key and fix."""
    places = [folder / name for name in ("profile.yaml", "config.v8+.yaml", "config.yaml")]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise BadInput(
            f"{folder}: no profile; start in the repository's root, or name a folder that holds {places[-1].name}"
        )
    keys = checked(Keys, {key: value for key, value in read_yaml(file).items() if value is not None}, file)
    if keys.slurm_partition_config is not None:
        return Profile(file, keys, _listed(file, keys.slurm_partition_config))
    resources = (keys.default_resources | keys.set_resources).items()
    named = {str(value) for key, value in resources if key.rpartition(":")[2] == "slurm_partition"}
    plain = sorted(name for name in named if re.fullmatch(r"[\w.-]+", name))
    return Profile(file, keys, [Partition(name, None) for name in plain or [""]])


def _listed(file: Path, given: str) -> list[Partition]:
    """The partitions of the file that a profile names: beside the profile, or where Snakemake is started."""
    name = os.path.expanduser(os.path.expandvars(given))  # as Snakemake does
    place = next((place for place in (file.parent / name, Path(name)) if place.is_file()), None)
    if place is None:
        raise BadInput(f"{file}: slurm-partition-config: {given}: no such file; name one, as slurm/config.yaml does")
    partitions = checked(Partitions, read_yaml(place), place).partitions
    return [Partition(name, limits) for name, limits in partitions.items()]
