"""Requests to the Hugging Face hub: commits to pin, access, the files of a model, its refusals, and pushing folders."""

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
logging.getLogger("httpx2").setLevel(logging.WARNING)  # below it logs every address, and some addresses are signed
MODEL_FILES = ("*.json", "model*.safetensors", "tokenizer.model", "*.jinja")
"""Patterns of the files that a model folder needs, at the top of its repository and in its module folders. They match no
Python, no pickle, and no copy of the weights under another name. With `weights: bin`, the .bin files are downloaded instead of
safetensors, into a folder that only reversegen.models.conversion opens."""
Weights = Literal["safetensors", "bin"]


def pin_revisions(models: Iterable[str], data: Iterable[str], lock: Path) -> None:
    """Add to `lock` the commit of every repository that it does not have yet. Existing lines stay.

    Raises BadInput if lines cannot be added to the file. Raises BadInput with all repositories whose commit the hub does not
    give, after the other commits are written.
    """
    from huggingface_hub import HfApi

    text = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    pinned = set(read_yaml(lock)) if text else set()
    if re.search(r"^\s*\{", text, re.MULTILINE):
        raise BadInput(f"{lock}: the commits are in braces; write one on each line, `owner/name: '40 digits'`")
    missing = []
    for kind, repos in (("model", models), ("dataset", data)):
        for repo in sorted(set(repos) - pinned):
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
    """Ask the hub whether repositories can be downloaded at their locked revisions, without downloading them.

    Each mapping is from repositories to revisions; a revision is empty if none is locked. The weights of `models` are
    safetensors, and those of `pickled` are .bin files, which are converted. Raises BadInput with a list of all repositories
    that cannot be downloaded, each with its fix.
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
                for file in files[:1]:  # one file is tried, because a gated repository lists its files but refuses them
                    get_hf_file_metadata(hf_hub_url(repo, file.path, repo_type=repo_type, revision=revision))
            except BadInput as error:
                missing.append(str(error))
            except hub_errors() as error:
                missing.append(explain_refusal(repo, revision, error))
    _refuse(missing)


def push_folder(
    folder: Path, repo: str, repo_type: Literal["model", "dataset"], token: str, *, private: bool
) -> dict[str, str]:
    """Commit a folder that a rule made to a repository, which then has exactly the files of its manifest.

    A missing repository is created, `private` or not. Nothing is committed if nothing has changed. Returns repository, type,
    commit and address. Raises BadInput if files differ from the manifest, and if the hub refuses.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    check_manifest(folder / "manifest.json")
    names = ["manifest.json", *read_json(folder / "manifest.json")["files"]]
    api = HfApi(token=token)
    faults: tuple[type[Exception], ...] = (*hub_errors(), ValueError)
    try:
        address = api.create_repo(repo, repo_type=repo_type, private=private, exist_ok=True)
        obsolete = set(api.list_repo_files(repo, repo_type=repo_type)) - {*names, ".gitattributes"}
        operations = [CommitOperationAdd(name, folder / name) for name in names]
        message = f"Files of manifest {file_sha256(folder / 'manifest.json')[:12]}"
        commit = api.create_commit(
            repo,
            [*operations, *(CommitOperationDelete(name) for name in sorted(obsolete))],
            repo_type=repo_type,
            commit_message=message,
        )
    except faults as error:
        message = " ".join(str(error).split())[:300]
        raise BadInput(
            f"{repo}: not pushed: {message}; check that the token may write there and that the hub allows the name"
        ) from error
    log.info("%s: commit %s, %d files", address, commit.oid, len(names))
    return {"repository": repo, "type": repo_type, "commit": commit.oid, "address": str(address)}


def check_revision(repo: str, revision: str) -> None:
    """Raise BadInput if the revision of a repository is not a commit."""
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise BadInput(
            f"config/lock.yaml: {repo}: no commit to fetch; run `snakemake -c1 pin_revisions`, which asks the hub for it, or "
            f"add a line `{repo}: COMMIT` with its 40 digits"
        )


def list_files(repo: str, revision: str, kind: str) -> list[RepoFile]:
    """All files of a repository at a revision."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    tree = HfApi().list_repo_tree(repo, revision=revision, repo_type=kind, recursive=True)
    return [entry for entry in tree if isinstance(entry, RepoFile)]


def model_files(repo: str, revision: str, files: Sequence[RepoFile], weights: Weights) -> list[RepoFile]:
    """The files that a model folder needs, except .bin weights. Raises BadInput if the repository has no such `weights`."""
    wanted = _wanted(files, "")
    safe, pickled = (
        any(fnmatch.fnmatchcase(f.path, p) for f in files) for p in ("model*.safetensors", "pytorch_model*.bin")
    )
    if weights == "safetensors" and not safe:
        fix = (
            "give the model `weights: bin` in config/models.yaml, so that its pytorch_model*.bin are converted once"
            if pickled
            else "lock a commit of the repository that has them, or name another model in config/models.yaml"
        )
        raise BadInput(f"{repo} at {revision}: no weights model*.safetensors, the only ones that are loaded; {fix}")
    if weights == "bin" and safe:
        raise BadInput(
            f"{repo} at {revision}: it has weights model*.safetensors, which need no conversion; remove `weights: bin` of the "
            "model from config/models.yaml"
        )
    if weights == "bin" and not {file.path for file in files} & {PICKLED, PICKLED_INDEX}:
        raise BadInput(
            f"{repo} at {revision}: neither {PICKLED} nor {PICKLED_INDEX} with shards; name another model in "
            "config/models.yaml"
        )
    return wanted + [file for file in files if re.fullmatch(r"additional_chat_templates/[\w-]+\.jinja", file.path)]


def module_files(repo: str, revision: str, files: Sequence[RepoFile], module: str) -> list[RepoFile]:
    """The files of a module's folder. Raises BadInput if its only weights are a pickle."""
    wanted = _wanted(files, f"{module}/")
    pickled = any(file.path == f"{module}/pytorch_model.bin" for file in files)
    if pickled and not any(file.path.endswith(".safetensors") for file in wanted):
        raise BadInput(
            f"{repo} at {revision}: {module}: no weights model*.safetensors, the only ones that are loaded; lock a commit of "
            "the repository that has them, or name another model in config/models.yaml"
        )
    return wanted


def _wanted(files: Sequence[RepoFile], start: str) -> list[RepoFile]:
    """The needed files directly in the folder `start`, which is empty or ends with a slash."""
    needed = set(needed_names((file.path for file in files), start))
    return [file for file in files if file.path in needed]


def needed_names(names: Iterable[str], start: str) -> list[str]:
    """The names of the needed files directly in the folder `start`, which is empty or ends with a slash.

    Of a model that this workflow made, the manifest is left out, because the fetched folder gets its own.
    """
    short = {name: name.removeprefix(start) for name in names if name.startswith(start)}
    return [
        name
        for name, end in short.items()
        if "/" not in end
        and end != "manifest.json"
        and any(fnmatch.fnmatchcase(end, pattern) for pattern in MODEL_FILES)
    ]


def hub_errors() -> tuple[type[Exception], ...]:
    """The exceptions of a request to the hub. A failed connection raises the HTTP client's, the hub's own errors are both."""
    from httpx2 import HTTPError

    return (HTTPError, OSError)


def explain_refusal(repo: str, revision: str | None, error: Any) -> str:
    """A line that explains an error of the hub, and how to fix it."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    place = f"{repo} at {revision}" if revision else repo
    if isinstance(error, GatedRepoError):
        return (
            f"{place}: gated; accept its licence at {constants.ENDPOINT}/{repo}, and export HF_TOKEN with a token of that "
            "account"
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{place}: the hub has no such commit; correct config/lock.yaml, or remove the line and pin it again"
    if isinstance(error, RepositoryNotFoundError):
        return f"{place}: not on the hub, or private; correct its id, or export HF_TOKEN with a token that may read it"
    return f"{place}: {' '.join(str(error).split())[:300]}"


def _refuse(missing: Sequence[str]) -> None:
    if missing:
        raise BadInput("\n".join([f"the hub does not give {len(missing)} of the files that are needed:", *missing]))
