"""The models and data of a task, on this machine or on the hub, and the keys of its endpoints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reversegen.config.paths import model_folder, source_file, task_sources
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.engines.endpoint.key import endpoint_key
from reversegen.models.folder import check_folder
from reversegen.operations.doctor.finding import PATIENCE, Finding, ask
from reversegen.workflow.stages import models_by_role

HUB_PROBE = """
import json, sys
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

for repo, kind, revision, file in json.load(sys.stdin):
    try:
        get_hf_file_metadata(hf_hub_url(repo, file, repo_type=kind, revision=revision), timeout=5)
        state = "readable"
    except OfflineModeIsEnabled:
        state = "offline"
    except GatedRepoError:
        state = "gated"
    except (RepositoryNotFoundError, RevisionNotFoundError):
        state = "unknown"
    except HfHubHTTPError as error:
        state = "readable" if error.response is not None and error.response.status_code == 404 else "unreachable"
    except Exception:
        state = "unreachable"
    print(json.dumps([repo, state]), flush=True)
    if state in ("offline", "unreachable"):
        break
"""
"""It requests the headers of one file of each repository, in a new process: the hub's client reads its settings at import."""


def check_hub(name: str, configuration: Configuration, folder: Path) -> Iterable[Finding]:
    """Check whether the task's models and data are on this machine, or can be fetched: a locked commit, and access."""
    task, repositories = configuration.task(name), {}
    for role, (model_name, model) in models_by_role(task, configuration).items():
        place = model_folder(model_name, model)
        if model.gguf and not (folder / model.gguf).is_file():
            yield Finding("models", "stops", f"{model.gguf}: no such file", f"correct `gguf` of the {role}'s model")
        if place and not model.train and (model.folder or (folder / place).is_dir()):
            try:
                check_folder(folder / place)
            except BadInput as error:
                yield Finding(
                    "models", "stops", str(error), f"configure another folder for the {role}, or fetch it again"
                )
        elif model.hub:
            repositories[model.hub] = ("model", "config.json")
    for source in task_sources(task):
        place = source_file(source)
        if source.hub and place and not (folder / place).is_file():
            repositories[source.hub.repo] = ("dataset", "README.md")
        if source.file and not source.file.is_file():
            yield Finding(
                "data",
                "stops",
                f"{source.file}: no such file",
                "correct the path; docs/own-data.md explains data sources",
            )
    if not repositories:
        yield Finding("hub", "ok", "nothing has to be fetched from it")
        return
    unlocked = sorted(repo for repo in repositories if repo not in configuration.lock)
    if unlocked:
        text = f"config/lock.yaml has no commit of {', '.join(unlocked)}"
        yield Finding(
            "lock", "stops", text, "run `snakemake -c1 pin_revisions`, or add a line `owner/name: COMMIT` for each"
        )
    yield from _access(sorted(repositories), _hub_states(repositories, configuration))


def _hub_states(repositories: Mapping[str, tuple[str, str]], configuration: Configuration) -> dict[str, str]:
    """The state of each repository in a word, without those for which the hub did not answer in time."""
    queries = [
        (repo, kind, configuration.lock.get(repo, "main"), file) for repo, (kind, file) in sorted(repositories.items())
    ]
    process = ask([sys.executable, "-c", HUB_PROBE], 2 * PATIENCE, json.dumps(queries))
    return dict(json.loads(line) for line in process.stdout.splitlines())


def _access(repos: Sequence[str], answers: Mapping[str, str]) -> Iterable[Finding]:
    by_state: dict[str, list[str]] = {}
    for repo in repos:
        by_state.setdefault(answers.get(repo, "unreachable"), []).append(repo)
    if gated := by_state.get("gated"):
        fix = "accept each licence on its hub page, and export HF_TOKEN with a token of that account"
        yield Finding("hub", "stops", f"no access to {', '.join(gated)}", fix)
    if unknown := by_state.get("unknown"):
        fix = "correct its id or commit; if the repository is private, export HF_TOKEN"
        yield Finding(
            "hub",
            "stops",
            f"the hub has no such repository, at the commit of config/lock.yaml: {', '.join(unknown)}",
            fix,
        )
    if "offline" in answers.values():
        yield Finding(
            "hub",
            "skipped",
            "HF_HUB_OFFLINE is set: access was not tried",
            "unset it on the machine that fetches files",
        )
    elif "unreachable" in by_state:
        text = f"the hub was not reached: access to {', '.join(by_state['unreachable'])} was not tried"
        yield Finding("hub", "skipped", text, "run the doctor where files are fetched, such as on the login node")
    if readable := by_state.get("readable"):
        yield Finding("hub", "ok", f"readable: {', '.join(readable)}")


def check_keys(name: str, configuration: Configuration, environment: Mapping[str, str]) -> Iterable[Finding]:
    """Check whether the environment variable of each endpoint holds a key. No key is shown, and none is tried."""
    models = models_by_role(configuration.task(name), configuration).values()
    endpoints = [model.endpoint for _, model in models if model.endpoint]
    for key, endpoint in sorted({endpoint.api_key_env: endpoint for endpoint in endpoints}.items()):
        try:
            endpoint_key(endpoint, environment)
        except BadInput as error:
            yield Finding("keys", "stops", str(error), f"export {key}=... in the shell that starts Snakemake")
        else:
            yield Finding("keys", "ok", f"{key} is set")
