"""A Snakemake profile, read as Snakemake and its SLURM plug-in read it; what they would refuse is refused here."""

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
    """The resources that a job requests from SLURM."""

    threads: int
    mem_mb: int
    minutes: int
    gpus: int

    def __str__(self) -> str:
        return f"{self.threads} CPUs, {self.mem_mb} MB, {self.minutes} minutes, {self.gpus} GPUs"


def _minutes(given: Any) -> Any:
    """Minutes from the notations that the plug-in accepts: minutes, 2d12h, and SLURM's days-hours:minutes:seconds."""
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
        raise ValueError("not a time; give minutes, or a text such as 1d, 12h or 1-00:00:00")
    return sum(float(number) * {"d": 1440, "h": 60, "m": 1, "s": 1 / 60}[unit] for number, unit in parts)


class PartitionLimits(BaseModel):
    """The limits of a partition, under the plug-in's names. Without a limit anything is allowed, except that `max_gpu` is 0."""

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
    """A partition that jobs may be sent to; an empty name is the cluster's default."""

    name: str
    limits: PartitionLimits | None
    """The limits in the profile's own list of partitions; None if it has no such list."""

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
    """The content of the file that `slurm-partition-config` names."""

    partitions: dict[Annotated[str, Field(pattern=r"\S")], PartitionLimits]


def _pairs(given: Any) -> dict[str, Any]:
    """A mapping, also from one or more texts `name=value`, as Snakemake accepts them."""
    if isinstance(given, dict):
        return given
    items = [str(item) for item in (given if isinstance(given, list) else [given])]
    if wrong := [item for item in items if "=" not in item]:
        raise ValueError(f"{wrong[0]!r} is not of the form name=value")
    return dict(item.split("=", 1) for item in items)


def _by_rule(given: Any) -> dict[str, Any]:
    """Values by `rule:name`, from a mapping of rules to resources or from texts `rule:name=value`."""
    if not isinstance(given, dict):
        return _pairs(given)
    if wrong := [rule for rule, resources in given.items() if not isinstance(resources, dict)]:
        raise ValueError(f"{wrong[0]} needs a mapping of resources to values")
    return {f"{rule}:{name}": value for rule, resources in given.items() for name, value in resources.items()}


class Keys(BaseModel):
    """The keys of a profile that decide how jobs are submitted to SLURM. Snakemake knows many more."""

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
            self.extra  # noqa: B018  # it raises if the text cannot be split
        except ValueError as error:
            raise ValueError(f"default-resources: slurm_extra: {error}") from error
        return self

    @property
    def extra(self) -> list[str]:
        """The words that sbatch gets in addition to those of the job."""
        return shlex.split(str(self.default_resources.get("slurm_extra", "")).strip("'\""))

    @property
    def overrides(self) -> dict[str, Any]:
        """The values that replace those of config/config.yaml, read as Snakemake reads --config."""
        return {name: _value(str(text)) for name, text in self.config.items()}


def _value(text: str) -> Any:
    try:
        return yaml.load(text, yaml.BaseLoader) if text else None  # it makes texts only
    except yaml.YAMLError:
        return text


@dataclass(frozen=True)
class Profile:
    """A profile with its partitions."""

    file: Path
    keys: Keys
    partitions: list[Partition]
    """The partitions that it names; the cluster's default if it names none, or names them by an expression."""


def read_profile(folder: Path) -> Profile:
    """Read the profile of a folder. Raises BadInput with the file, the key and the fix."""
    places = [folder / name for name in ("profile.yaml", "config.v8+.yaml", "config.yaml")]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise BadInput(
            f"{folder}: no profile here; start in the repository's root, or name a folder that holds {places[-1].name}"
        )
    keys = checked(Keys, {key: value for key, value in read_yaml(file).items() if value is not None}, file)
    if keys.slurm_partition_config is not None:
        return Profile(file, keys, _listed(file, keys.slurm_partition_config))
    resources = (keys.default_resources | keys.set_resources).items()
    named = {str(value) for key, value in resources if key.rpartition(":")[2] == "slurm_partition"}
    plain = sorted(name for name in named if re.fullmatch(r"[\w.-]+", name))
    return Profile(file, keys, [Partition(name, None) for name in plain or [""]])


def _listed(file: Path, given: str) -> list[Partition]:
    """The partitions in the file that a profile names, relative to the profile or to where Snakemake is started."""
    name = os.path.expanduser(os.path.expandvars(given))  # as Snakemake does
    place = next((place for place in (file.parent / name, Path(name)) if place.is_file()), None)
    if place is None:
        raise BadInput(f"{file}: slurm-partition-config: {given}: no such file; name one, as slurm/config.yaml does")
    partitions = checked(Partitions, read_yaml(place), place).partitions
    return [Partition(name, limits) for name, limits in partitions.items()]
