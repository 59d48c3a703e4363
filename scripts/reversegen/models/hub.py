"""Models and data from the Hugging Face hub, at the revision that config/lock.yaml gives, and files held to a hash.

And the way back: folders that rules made, pushed to the hub.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import logging
import re
import shutil
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from reversegen.config.data import HubData, UrlData
from reversegen.config.load import read_yaml
from reversegen.core.errors import BadInput
from reversegen.core.files import (
    alone,
    check_manifest,
    file_sha256,
    read_json,
    write_bytes,
    write_json,
    write_pieces,
    write_text,
)
from reversegen.models.folder import PICKLED, PICKLED_INDEX, module_folders, pickled_weights

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

log = logging.getLogger("reversegen")
logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs every address, and those of a store are signed
MODEL_FILES = ("*.json", "model*.safetensors", "tokenizer.model", "*.jinja")
"""What a model folder needs, at the top of its repository and in the folders of its modules. No Python and no pickle; a second
copy of the weights under another name stays where it is. For `weights: bin` the .bin files come instead of safetensors, into a
folder that no model is loaded from: reversegen.models.conversion alone opens them."""
Weights = Literal["safetensors", "bin"]
TRIES = 3
"""At a file of the web that ends early."""


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
            except _hub_errors() as error:
                missing.append(_explain(repo, None, error))
                continue
            text = f"{text.rstrip()}\n{repo}: '{commit}'\n".lstrip()
            log.info("%s: %s", repo, commit)
    write_text(lock, text)
    _refuse(missing)


def check_access(models: Mapping[str, str], pickled: Mapping[str, str], data: Mapping[str, str]) -> None:
    """Ask the hub for repositories by their locked revisions, empty where there is none; nothing is downloaded.

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
                _check_revision(repo, revision)
                files = _list_files(repo, revision, repo_type)
                if kind:
                    files = _model_files(repo, revision, files, kind)
                for file in files[:1]:  # the list of a gated repository is open, its files are not
                    get_hf_file_metadata(hf_hub_url(repo, file.path, repo_type=repo_type, revision=revision))
            except BadInput as error:
                missing.append(str(error))
            except _hub_errors() as error:
                missing.append(_explain(repo, revision, error))
    _refuse(missing)


def fetch_model(repo: str, revision: str, weights: Weights, folder: Path) -> None:
    """Download configuration, tokenizer and weights, safetensors or .bin, into `folder`, with a manifest.

    Of a model of sentence-transformers, also those of its modules. What an earlier try left beside `folder` is gone on with,
    and what another process fetches meanwhile is waited for and taken. Raises BadInput for a revision that is not locked,
    for a model that the hub does not give, and for a file that is not the one which the hub says it is.
    """
    _check_revision(repo, revision)
    partial = _partial(folder, revision)
    facts = {"hub": repo, "revision": revision}
    with _alone(folder) as waited:
        if waited and _fetched(folder / "manifest.json", facts):
            return
        try:
            listed = _list_files(repo, revision, "model")
            hashes = _download(repo, revision, "model", _model_files(repo, revision, listed, weights), partial)
            if weights == "bin":  # by the index, which is here now
                there = {file.path: file for file in listed}
                files = [there[name] for name in pickled_weights(partial, there)]
                hashes |= _download(repo, revision, "model", files, partial)
            for name in module_folders(partial):
                hashes |= _download(repo, revision, "model", _module_files(repo, revision, listed, name), partial)
        except _hub_errors() as error:
            raise BadInput(_explain(repo, revision, error)) from error
        write_json(partial / "manifest.json", {**facts, "files": hashes})
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)


def fetch_data(source: HubData, revision: str, rows: Path, manifest: Path) -> None:
    """Download one split and write it as JSON Lines, with a manifest of the files it was read from.

    Waits for another process as `fetch_model` does, and raises BadInput as it does, and for a data set that only a program of
    its own can read.
    """
    _check_revision(source.repo, revision)
    facts = {"hub": source.repo, "revision": revision, "name": source.name, "split": source.split}
    with _alone(rows) as waited:
        if not (waited and _fetched(manifest, facts)):
            _fetch_rows(source, revision, rows, manifest, facts)


def _fetch_rows(source: HubData, revision: str, rows: Path, manifest: Path, facts: dict[str, Any]) -> None:
    from datasets import disable_progress_bars, load_dataset, load_dataset_builder

    disable_progress_bars()
    partial = _partial(rows, revision)
    cache = partial / ".cache"  # no part of the rows: datasets converts them there, and leaves hidden folders alone
    place = f"hf://datasets/{source.repo}@{revision}/"
    faults: tuple[type[Exception], ...] = (*_hub_errors(), ValueError, RuntimeError)
    try:
        builder = load_dataset_builder(source.repo, source.name, revision=revision, cache_dir=str(cache))
        named = [str(file) for files in (builder.config.data_files or {}).values() for file in files]
        if elsewhere := [file for file in named if not file.startswith(place)]:
            raise BadInput(f"{source.repo} at {revision}: {elsewhere[0]!r} is no file of this revision")
        wanted = {file.removeprefix(place) for file in named} | {"README.md", "dataset_infos.json"}
        listed = [file for file in _list_files(source.repo, revision, "dataset") if file.path in wanted]
        hashes = _download(source.repo, revision, "dataset", listed, partial / "repository")
        split = load_dataset(str(partial / "repository"), source.name, split=source.split, cache_dir=str(cache))
    except faults as error:
        raise BadInput(_explain(source.repo, revision, error)) from error
    write_pieces(rows, (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in split))
    write_json(manifest, {**facts, "read_from": hashes, "files": {rows.name: file_sha256(rows)}})
    shutil.rmtree(partial)
    log.info("%s: %d rows", source.repo, len(split))


def fetch_file(source: UrlData, file: Path, manifest: Path) -> None:
    """Download one file. Raises BadInput where the server gives none, or its content is not the one that is pinned."""
    content = _read_address(source.address)
    found = hashlib.sha256(content).hexdigest()
    if found != source.sha256:
        raise BadInput(
            f"{source.address}: its SHA-256 is {found}, not {source.sha256}; it has changed since it was pinned"
        )
    write_bytes(file, content)
    write_json(manifest, {"address": source.address, "files": {file.name: found}})
    log.info("%s: %d bytes", source.address, len(content))


def _read_address(address: str) -> bytes:
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(address, timeout=60) as response:
                return bytes(response.read())
        except OSError as error:
            raise BadInput(f"{address}: {error}") from error
        except HTTPException as error:
            if not left:
                raise BadInput(f"{address}: it ended early {TRIES} times, {error}; run the same again later") from error
            log.warning("%s: it ended early, %s; asked again", address, error)
    raise AssertionError


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
    faults: tuple[type[Exception], ...] = (*_hub_errors(), ValueError)
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
        said = " ".join(str(error).split())[:300]
        raise BadInput(
            f"{repo}: not pushed: {said}; may the token write there, and is the name one of the hub's?"
        ) from error
    log.info("%s: commit %s, %d files", address, commit.oid, len(names))
    return {"repository": repo, "type": repo_type, "commit": commit.oid, "address": str(address)}


def _check_revision(repo: str, revision: str) -> None:
    if not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise BadInput(
            f"config/lock.yaml: {repo}: no commit to fetch; `snakemake -c1 pin_revisions` looks it up on the hub, or add "
            f"a line `{repo}: COMMIT` with its 40 digits"
        )


def _partial(place: Path, revision: str) -> Path:
    """Where a download waits until it is whole: of one revision, so that a file is never gone on with by another's."""
    return place.with_name(f"{place.name}.{revision[:12]}.partial")


@contextmanager
def _alone(place: Path) -> Iterator[bool]:
    """Keep other processes from fetching to a place; whether one that did had to be waited for."""
    waited = False
    while True:
        with alone(place) as mine:
            if mine:
                yield waited
                return
        if not waited:
            log.info("%s: another process fetches it; waiting until that one ends", place)
        waited = True
        time.sleep(1)


def _fetched(manifest: Path, facts: dict[str, Any]) -> bool:
    """Whether a manifest tells these facts, and its files are there."""
    told = read_json(manifest) if manifest.is_file() else {}
    if any(told.get(name) != fact for name, fact in facts.items()):
        return False
    check_manifest(manifest)
    log.info("%s: fetched by another process meanwhile", manifest.parent)
    return True


def _list_files(repo: str, revision: str, kind: str) -> list[RepoFile]:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    tree = HfApi().list_repo_tree(repo, revision=revision, repo_type=kind, recursive=True)
    return [entry for entry in tree if isinstance(entry, RepoFile)]


def _model_files(repo: str, revision: str, files: Sequence[RepoFile], weights: Weights) -> list[RepoFile]:
    """The files that a model folder takes, but for .bin weights. Raises BadInput if it has no weights of the kind."""
    wanted = _wanted(files, "")
    safe, pickled = (
        any(fnmatch.fnmatchcase(f.path, p) for f in files) for p in ("model*.safetensors", "pytorch_model*.bin")
    )
    if weights == "safetensors" and not safe:
        mend = (
            "give the model `weights: bin` in config/models.yaml, and its pytorch_model*.bin are converted once"
            if pickled
            else "lock a commit of the repository that has them, or name another model in config/models.yaml"
        )
        raise BadInput(f"{repo} at {revision}: no weights model*.safetensors, and no others are loaded; {mend}")
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


def _module_files(repo: str, revision: str, files: Sequence[RepoFile], module: str) -> list[RepoFile]:
    """The files of a module's folder. Raises BadInput where its weights are a pickle alone."""
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


def _download(repo: str, revision: str, kind: str, files: Sequence[RepoFile], folder: Path) -> dict[str, str]:
    """Take files into `folder`, going on with what is there; return the SHA-256 of each by its path.

    Raises BadInput for a file whose content is not what the repository holds; it is removed, so that the next try starts
    it anew.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    hashes = {}
    for file in files:
        if PurePosixPath(file.path).is_absolute() or ".." in PurePosixPath(file.path).parts:
            raise BadInput(f"{repo} at {revision}: {file.path!r} would lie outside its folder")
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        with path.open("r+b") as content:
            # the hub's own client starts a file anew in every process; this goes on where the last one ended
            size = min(path.stat().st_size, file.size)
            content.truncate(size)
            content.seek(size)
            url = hf_hub_url(repo, file.path, repo_type=kind, revision=revision)
            http_get(url, content, resume_size=size, headers=build_hf_headers(), expected_size=file.size)
        hashes[file.path] = file_sha256(path)
        found, expected = (
            (hashes[file.path], file.lfs.sha256) if file.lfs else (_git_blob(path, file.size), file.blob_id)
        )
        if found != expected:
            path.unlink()
            raise BadInput(
                f"{repo} at {revision}: {file.path}: its content has the hash {found}, not {expected} as the hub says; it is "
                "removed, and a new run fetches it again"
            )
        log.info("%s: %s, %d bytes", repo, file.path, file.size)
    return hashes


def _git_blob(path: Path, size: int) -> str:
    """The id that git gives to a file's content: what the hub knows of a file that is not in its large storage."""
    digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    digest.update(path.read_bytes())
    return digest.hexdigest()


def _hub_errors() -> tuple[type[Exception], ...]:
    """What a request to the hub raises: its own errors are both, a connection that fails is the client's alone."""
    from httpx2 import HTTPError

    return (HTTPError, OSError)


def _explain(repo: str, revision: str | None, error: Any) -> str:
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
