"""Functions of rules/models.smk: tiny models, downloads, and checks of both before anything is spent."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reversegen.config import paths
from reversegen.config.data import HubData, UrlData
from reversegen.config.fields import Section
from reversegen.config.models import Model
from reversegen.config.package import Package
from reversegen.config.paths import DOWNLOADS, task_models, task_sources
from reversegen.config.workflow import Configuration
from reversegen.config.world_files import FACTS_FILES
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.workflow.environment import VLLM_WARNED
from reversegen.workflow.roles import model_name, model_of, role_folder
from reversegen.workflow.tasks import command, only, task_name, task_of, uncompared
from reversegen.workflow.vllm_interpreter import missing_vllm, vllm_models
from reversegen.workflow.worlds import fetched_world_files

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


Origin = Literal["safetensors", "bin", "package", "gguf", "train"]
"""Where a model comes from whose folder a rule makes: weights of the hub, a folder in a package, a GGUF file, or training."""


def tiny_model(configuration: Configuration, key: str | None) -> Callable[[Wildcards], Any]:
    """A key of a tiny model's configuration, or the whole configuration for None. A section is given as JSON."""

    def read(wildcards: Wildcards) -> Any:
        tiny = configuration.models[wildcards.model].train
        value = getattr(tiny, key) if key else tiny
        return value.model_dump_json() if isinstance(value, Section) else value

    return read


def hub_models(configuration: Configuration) -> list[str]:
    """All model repositories in the configuration."""
    return sorted({model.hub for model in configuration.models.values() if model.hub})


def hub_data(configuration: Configuration) -> list[str]:
    """All data repositories in the configuration."""
    return sorted({source.repo for source in _hub_sources(configuration).values()})


def models_of(configuration: Configuration, origin: Origin) -> str:
    """A pattern of the names of models of one origin. It matches nothing if there are no such models."""
    names = [re.escape(name) for name, model in configuration.models.items() if _origin(model) == origin]
    return "|".join(names) or "(?!)"


def _origin(model: Model) -> Origin | None:
    """The origin that decides which rule makes a model's folder. None for an endpoint and for the user's own folder."""
    if model.train:
        return "train"
    if paths.gguf_file(model):
        return "gguf"
    if model.package:
        return "package"
    return model.weights if model.hub else None


def model_weights(configuration: Configuration, wildcards: Wildcards) -> str:
    """The file format of the weights in a model's repository."""
    return configuration.models[wildcards.model].weights


def model_repo(configuration: Configuration, wildcards: Wildcards) -> str | None:
    """The repository of a model."""
    return configuration.models[wildcards.model].hub


def model_revision(configuration: Configuration, wildcards: Wildcards) -> str:
    """The locked commit of a model. Empty if none is locked, which fetch_model refuses when it starts."""
    return configuration.lock.get(model_repo(configuration, wildcards) or "", "")


def data_source(configuration: Configuration, wildcards: Wildcards) -> str:
    """A split on the hub, as JSON."""
    return _hub_sources(configuration)[wildcards.data].model_dump_json()


def data_revision(configuration: Configuration, wildcards: Wildcards) -> str:
    """The locked commit of a split's repository. Empty if none is locked."""
    return configuration.lock.get(_hub_sources(configuration)[wildcards.data].repo, "")


def url_source(configuration: Configuration, wildcards: Wildcards) -> str:
    """A file on the web, as JSON."""
    sources: list[UrlData] = [
        source.url for task in configuration.tasks.values() for source in task_sources(task) if source.url
    ]
    return {url.file_name: url for url in sources}[wildcards.file].model_dump_json()


def _hub_sources(configuration: Configuration) -> dict[str, HubData]:
    """All splits on the hub that tasks name, by their file name in resources/downloads."""
    hubs = [source.hub for task in configuration.tasks.values() for source in task_sources(task) if source.hub]
    return {hub.file_name: hub for hub in hubs}


def package_source(configuration: Configuration, wildcards: Wildcards) -> str:
    """The package of a model, or of a file that a model, a data source or a world is read from, as JSON."""
    if model := getattr(wildcards, "model", None):
        package = configuration.models[model].package
        assert package is not None  # the rule's constraint on the wildcard
        return package.model_dump_json()
    sources = [source for task in configuration.tasks.values() for source in task_sources(task)]
    packages: list[Package] = [file.package for file in FACTS_FILES.values()]
    packages += [model.package for model in configuration.models.values() if model.package]
    packages += [source.package for source in sources if source.package]
    return {package.file_name: package for package in packages}[wildcards.file].model_dump_json()


def gguf_source(configuration: Configuration, wildcards: Wildcards) -> str:
    """The GGUF file from which a model's folder is converted."""
    return str(paths.gguf_file(configuration.models[wildcards.model]))


def size_of(configuration: Configuration, key: Literal["threads", "mem_mb", "runtime"]) -> Callable[[Wildcards], int]:
    """A resource of the model's size."""
    return lambda wildcards: getattr(configuration.workflow.sizes[configuration.models[wildcards.model].size], key)


def fetched_models(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The folders of a task's models that a rule fetches, or converts from a GGUF file."""
    task = task_of(configuration, wildcards)
    models = {name: configuration.models.get(name) for name in task_models(task).values()}
    fetched = {name: model for name, model in models.items() if model and _origin(model) not in ("train", None)}
    return [str(paths.model_folder(name, model)) for name, model in fetched.items()]


def fetched_data(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The files of a task's data sources, and of its worlds, that a rule fetches."""
    files = [paths.download_path(source) for source in task_sources(task_of(configuration, wildcards))]
    of_sources = dict.fromkeys(str(file) for file in files if file)
    return [*of_sources, *fetched_world_files(configuration, wildcards)]


class Fetches:
    """The downloads of a run, noted while Snakemake plans, so that all files that the hub refuses are listed at once.

    The wildcard `fetched` names a place below resources/downloads: models/NAME, bin/NAME or data/NAME.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.noted: dict[str, None] = {}

    def note(self, wildcards: Wildcards) -> list[str]:
        """Note a download. As an input function without files it is called for each planned download before the first job."""
        self.noted[wildcards.fetched] = None
        return []

    def repositories(self, part: Literal["models", "bin", "data"]) -> Callable[[Wildcards, int], str]:
        """This repository, and all repositories of one part that are not downloaded yet, with locked revisions, as JSON.

        As a param it reruns nothing, because other downloads do not change the content of one repository.
        """

        def read(wildcards: Wildcards) -> str:
            asked = {}
            for fetched in dict.fromkeys([wildcards.fetched, *self.noted]):
                folder, _, name = fetched.partition("/")
                if folder == part:
                    repo = self._repository(part, name)
                    revision = self.configuration.lock.get(repo, "")
                    if fetched == wildcards.fetched or not _is_here(part, name, revision):
                        asked[repo] = revision
            return json.dumps(asked)

        return uncompared(read)

    def _repository(self, part: str, name: str) -> str:
        if part == "data":
            return _hub_sources(self.configuration)[name].repo
        return self.configuration.models[name].hub or ""


def _is_here(part: str, name: str, revision: str) -> bool:
    """Whether a model or split is already downloaded at a revision."""
    place = f"data/{name}.jsonl.manifest.json" if part == "data" else f"models/{name}/manifest.json"
    manifest = DOWNLOADS / place
    return manifest.is_file() and read_json(manifest).get("revision") == revision


class AskedModels:
    """The models that a run asks, by role, noted while Snakemake plans, so that each is checked before the first job."""

    def __init__(self, configuration: Configuration, deploys: bool = False) -> None:
        """`deploys` states whether Snakemake deploys the environments, which then have vLLM."""
        self.configuration, self.deploys = configuration, deploys
        self.noted: dict[tuple[str, str, str], dict[str, str]] = {}
        self.by_vllm: dict[str, tuple[str, dict[str, None]]] = {}
        """Task or transfer, and its models that vLLM runs and a job asks. The keys are the files of their last answers."""

    def asked_folder(
        self, role: str, find: Callable[[Wildcards], str | list[str]] | None = None
    ) -> Callable[[Wildcards], str | list[str]]:
        """The input function `find` of a stage that asks the model of a role, which also notes the model.

        The default of `find` gives the model's folder.
        """
        folder = role_folder(self.configuration, role)

        def note(wildcards: Wildcards) -> str | list[str]:
            self._note_vllm(role, wildcards)
            model = model_of(self.configuration, role, wildcards)
            if (
                model and not model.endpoint and not model.train
            ):  # the template of a tiny model is ours and needs no check
                task, name = task_name(wildcards), str(model_name(self.configuration, role, wildcards))
                place = {"task": task, "role": role, "model": name, "folder": folder(wildcards)[0]}
                self.noted[task, role, name] = place
            return (find or folder)(wildcards)

        return note

    def _note_vllm(self, role: str, wildcards: Wildcards) -> None:
        """Note a model that vLLM runs. If vLLM is missing, warn once a task: a dry run has no other message."""
        name = model_name(self.configuration, role, wildcards)
        if self.deploys or not name or not vllm_models([name], self.configuration):
            return
        place, part = task_name(wildcards), f"iter{task_of(self.configuration, wildcards).iterations}"
        if role == "transfer":
            place, part = f"{place}, transfer {name}", f"transfer/{name}"
        noted = self.by_vllm.setdefault(paths.run_path(task_name(wildcards), f"{part}/responses.jsonl"), (place, {}))[1]
        first = not noted
        noted[name] = None
        if first and VLLM_WARNED not in os.environ and (missing := missing_vllm(noted, self.configuration)):
            print(f"Warning: {place}: {'; '.join(missing)}", file=sys.stderr)

    def check_engines(self) -> None:
        """Raise BadInput, before the first job, if a run asks models, one of them needs vLLM and no interpreter has it.

        A run whose last proposer's instructions are answered may only read results, so it does not end here. If it still asks
        a model by vLLM, that job ends with a line of its own.
        """
        os.environ[VLLM_WARNED] = "1"  # the jobs of a run do not repeat the warning
        waiting = [noted for answers, noted in self.by_vllm.items() if not Path(answers).is_file()]
        faults = {place: missing_vllm(names, self.configuration) for place, names in waiting}
        if lines := [f"{place}: {'; '.join(fault)}" for place, fault in faults.items() if fault]:
            raise BadInput("\n".join(lines))

    def check(self) -> str | None:
        """Render a conversation of each role with the tokenizers of the downloaded models.

        Returns the reason if the check could not run, otherwise None. A model that is not downloaded yet is checked when its
        stage starts. Raises BadInput with a list of all models that cannot play their role.
        """
        here = [place for place in self.noted.values() if Path(place["folder"], "config.json").is_file()]
        if not here:
            return None
        alone = only(self.configuration, sorted({place["task"] for place in here})).model_dump(mode="json")
        words = shlex.split(command(self.configuration, "generate", "check_models"))
        words += ["--models", json.dumps({"configuration": alone, "models": here})]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip().rpartition("\n")[2]
        if faults := {fault: f"{task}, {role}" for task, role, fault in map(json.loads, done.stdout.splitlines())}:
            raise BadInput("\n".join(f"{place}: {fault}" for fault, place in faults.items()))
        return None
