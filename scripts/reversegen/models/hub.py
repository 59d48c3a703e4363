"""What the Hugging Face hub has: commits to pin, access, the files of a model, its refusals; and folders pushed to it."""

from __future__ import annotations

import fnmatch
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reversegen.config.load import read_yaml
from reversegen.core.errors import BadInput
from reversegen.core.files import check_manifest, file_sha256, read_json, write_text
from reversegen.models.folder import PICKLED, PICKLED_INDEX

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

log = logging.getLogger("reversegen")
logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs every address, and those of a store are signed
MODEL_FILES = ("*.json", "model*.safetensors", "tokenizer.model", "*.jinja")
"""What a model folder needs, at the top of its repository and in the folders of its modules. No Python and no pickle; a second
copy of the weights under another name stays where it is. For `weights: bin` the .bin files come instead of safetensors, into a
folder that no model is loaded from: reversegen.models.conversion alone opens them."""
Weights = Literal["safetensors", "bin"]


def pin_revisions(models: Iterable[str], data: Iterable[str], lock: Path) -> None:
    """Add the commit of every repository that `lock` does not hold; what it holds stays.

    Raises BadInput for a file to which no line can be added, and one that names all repositories whose commit the hub does not
    tell; the others are written.
    """
    from huggingface_hub import HfApi

    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    held = set(read_yaml(lock)) if text else set()
    if re.search(r"^\s*\{", text, re.MULTILINE):
        raise BadInput(f"{lock}: holds its commits in braces; write one to a line, `owner/name: '40 digits'`")
    missing = []
    for kind, repos in (("model", models), ("dataset", data)):
        for repo in sorted(set(repos) - held):
            try:
                commit = HfApi().repo_info(repo, repo_type=kind).sha
            except hub_errors() as error:
                missing.append(explain_refusal(repo, None, error))
                continue
            text = f"{text.rstrip()}\n{repo}: '{commit}'\n".lstrip()
            log.info("%s: %s", repo, commit)
    write_text(lock, text)
    _refuse(missing)


def check_access(models: Mapping[str, str], pickled: Mapping[str, str], data: Mapping[str, str]) -> None:
    """Ask the hub for repositories by their locked revisions, empty if there is none; nothing is downloaded.

    The weights of `models` are safetensors, those of `pickled` are .bin files that are converted.

    Raises BadInput that lists everything which could not be fetched, each with what to do about it.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    missing = []
    kinds: list[tuple[Weights | None, Mapping[str, str]]] = [("safetensors", models), ("bin", pickled), (None, data)]
    for kind, repos in kinds:
        for repo, revision in repos.items():
            repo_type = "model" if kind else "dataset"
            try:
                check_revision(repo, revision)
                files = list_files(repo, revision, repo_type)
                if kind:
                    files = model_files(repo, revision, files, kind)
                for file in files[:1]:  # the list of a gated repository is open, its files are not
                    get_hf_file_metadata(hf_hub_url(repo, file.path, repo_type=repo_type, revision=revision))
            except BadInput as error:
                missing.append(str(error))
            except hub_errors() as error:
                missing.append(explain_refusal(repo, revision, error))
    _refuse(missing)


def push_folder(
    folder: Path, repo: str, repo_type: Literal["model", "dataset"], token: str, *, private: bool
) -> dict[str, str]:
    """Commit a folder that a rule made to a repository, which then has the files of its manifest and no others.

    A repository that is not there is made, `private` or not; nothing is committed where nothing has changed. Returns
    repository, type, commit and address. Raises BadInput for files that are not those of the manifest, and where the hub
    refuses.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    check_manifest(folder / "manifest.json")
    names = ["manifest.json", *read_json(folder / "manifest.json")["files"]]
    api = HfApi(token=token)
    faults: tuple[type[Exception], ...] = (*hub_errors(), ValueError)
    try:
        address = api.create_repo(repo, repo_type=repo_type, private=private, exist_ok=True)
        left = set(api.list_repo_files(repo, repo_type=repo_type)) - {*names, ".gitattributes"}
        operations = [CommitOperationAdd(name, folder / name) for name in names]
        message = f"Files of manifest {file_sha256(folder / 'manifest.json')[:12]}"
        commit = api.create_commit(
            repo,
            [*operations, *(CommitOperationDelete(name) for name in sorted(left))],
            repo_type=repo_type,
            commit_message=message,
        )
    except faults as error:
        message = " ".join(str(error).split())[:300]
        raise BadInput(
            f"{repo}: not pushed: {message}; may the token write there, and is the name one of the hub's?"
        ) from error
    log.info("%s: commit %s, %d files", address, commit.oid, len(names))
    return {"repository": repo, "type": repo_type, "commit": commit.oid, "address": str(address)}


def check_revision(repo: str, revision: str) -> None:
    """Raise BadInput if the lock gives no commit of a repository."""
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise BadInput(
            f"config/lock.yaml: {repo}: no commit to fetch; `snakemake -c1 pin_revisions` looks it up on the hub, or add "
            f"a line `{repo}: COMMIT` with its 40 digits"
        )


def list_files(repo: str, revision: str, kind: str) -> list[RepoFile]:
    """All files of a revision."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    tree = HfApi().list_repo_tree(repo, revision=revision, repo_type=kind, recursive=True)
    return [entry for entry in tree if isinstance(entry, RepoFile)]


def model_files(repo: str, revision: str, files: Sequence[RepoFile], weights: Weights) -> list[RepoFile]:
    """The files that a model folder takes, but for .bin weights. Raises BadInput if it has no weights of the kind."""
    wanted = _wanted(files, "")
    safe, pickled = (
        any(fnmatch.fnmatchcase(f.path, p) for f in files) for p in ("model*.safetensors", "pytorch_model*.bin")
    )
    if weights == "safetensors" and not safe:
        fix = (
            "give the model `weights: bin` in config/models.yaml, and its pytorch_model*.bin are converted once"
            if pickled
            else "lock a commit of the repository that has them, or name another model in config/models.yaml"
        )
        raise BadInput(f"{repo} at {revision}: no weights model*.safetensors, and no others are loaded; {fix}")
    if weights == "bin" and safe:
        raise BadInput(
            f"{repo} at {revision}: it has weights model*.safetensors, so nothing need be converted; take `weights: bin` "
            "of the model out of config/models.yaml"
        )
    if weights == "bin" and not {file.path for file in files} & {PICKLED, PICKLED_INDEX}:
        raise BadInput(
            f"{repo} at {revision}: no weights {PICKLED}, and no {PICKLED_INDEX} of shards; name another model in "
            "config/models.yaml"
        )
    return wanted + [file for file in files if re.fullmatch(r"additional_chat_templates/[\w-]+\.jinja", file.path)]


def module_files(repo: str, revision: str, files: Sequence[RepoFile], module: str) -> list[RepoFile]:
    """The files of a module's folder. Raises BadInput if its weights are a pickle alone."""
    wanted = _wanted(files, f"{module}/")
    pickled = any(file.path == f"{module}/pytorch_model.bin" for file in files)
    if pickled and not any(file.path.endswith(".safetensors") for file in wanted):
        raise BadInput(
            f"{repo} at {revision}: {module}: no weights model*.safetensors, and no others are loaded; lock a commit of the "
            "repository that has them, or name another model in config/models.yaml"
        )
    return wanted


def _wanted(files: Sequence[RepoFile], start: str) -> list[RepoFile]:
    """The files that a model needs whose paths are `start` and a name."""
    names = {file.path.removeprefix(start): file for file in files if file.path.startswith(start)}
    return [
        f for name, f in names.items() if "/" not in name and any(fnmatch.fnmatchcase(name, p) for p in MODEL_FILES)
    ]


def hub_errors() -> tuple[type[Exception], ...]:
    """What a request to the hub raises: its own errors are both, a connection that fails is the client's alone."""
    from httpx2 import HTTPError

    return (HTTPError, OSError)


def explain_refusal(repo: str, revision: str | None, error: Any) -> str:
    """What the hub refuses, and what to do about it."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    place = f"{repo} at {revision}" if revision else repo
    if isinstance(error, GatedRepoError):
        return (
            f"{place}: gated; accept its licence at {constants.ENDPOINT}/{repo} and export HF_TOKEN, a token of the account "
            "that did"
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{place}: the hub has no such commit; correct config/lock.yaml, or remove the line and pin it again"
    if isinstance(error, RepositoryNotFoundError):
        return f"{place}: not on the hub, or private; correct its id, or export HF_TOKEN of an account that may read it"
    return f"{place}: {' '.join(str(error).split())[:300]}"


def _refuse(missing: Sequence[str]) -> None:
    if missing:
        raise BadInput("\n".join([f"{len(missing)} of what is needed cannot be had from the hub", *missing]))
