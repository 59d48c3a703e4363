"""Functions of rules/models.smk: tiny models, downloads, and checks of both before anything is spent."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reversegen.config import paths
from reversegen.config.data import HubData, UrlData
from reversegen.config.fields import Section
from reversegen.config.paths import DOWNLOADS, task_models, task_sources
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.workflow.roles import model_name, model_of, role_folder
from reversegen.workflow.tasks import command, data_file, only, task_name, task_of, uncompared
from reversegen.workflow.worlds import fetched_world_files

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


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


def models_of(configuration: Configuration, weights: Literal["safetensors", "bin"]) -> str:
    """A pattern of the names of models with this kind of weights. It matches nothing if there are no such models."""
    names = [re.escape(name) for name, model in configuration.models.items() if model.weights == weights]
    return "|".join(names) or "(?!)"


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


def fetched_models(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The folders of a task's models that a rule fetches."""
    task = task_of(configuration, wildcards)
    models = {name: configuration.models.get(name) for name in task_models(task).values()}
    return [str(paths.model_folder(name, model)) for name, model in models.items() if model and model.hub]


def fetched_data(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The files of a task's data sources, and of its worlds, that a rule fetches."""
    sources = [source for source in task_sources(task_of(configuration, wildcards)) if source.hub or source.url]
    files = dict.fromkeys(file for source in sources for file in data_file(source))
    return [*files, *fetched_world_files(configuration, wildcards)]


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

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.noted: dict[tuple[str, str, str], dict[str, str]] = {}

    def asked_folder(
        self, role: str, find: Callable[[Wildcards], str | list[str]] | None = None
    ) -> Callable[[Wildcards], str | list[str]]:
        """The input function `find` of a stage that asks the model of a role, which also notes the model.

        The default of `find` gives the model's folder.
        """
        folder = role_folder(self.configuration, role)

        def note(wildcards: Wildcards) -> str | list[str]:
            model = model_of(self.configuration, role, wildcards)
            if (
                model and not model.endpoint and not model.train
            ):  # the template of a tiny model is ours and needs no check
                task, name = task_name(wildcards), str(model_name(self.configuration, role, wildcards))
                place = {"task": task, "role": role, "model": name, "folder": folder(wildcards)[0]}
                self.noted[task, role, name] = place
            return (find or folder)(wildcards)

        return note

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
