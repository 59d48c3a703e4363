"""Downloads: models and data from the hub, at the revision in config/lock.yaml, and files of the web, checked by their hash."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from reversegen.config.data import HubData, UrlData
from reversegen.core.errors import BadInput
from reversegen.core.files import alone, check_manifest, file_sha256, read_json, write_bytes, write_json, write_pieces
from reversegen.models.folder import module_folders, pickled_weights
from reversegen.models.hub import (
    Weights,
    check_revision,
    explain_refusal,
    hub_errors,
    list_files,
    model_files,
    module_files,
)

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

log = logging.getLogger("reversegen")
TRIES = 3
"""Number of tries for a file of the web whose download ends early."""


def fetch_model(repo: str, revision: str, weights: Weights, folder: Path) -> None:
    """Download configuration, tokenizer and weights, safetensors or .bin, into `folder`, with a manifest.

    For a sentence-transformers model, the files of its modules are downloaded too. An earlier try beside `folder` is resumed.
    If another process is downloading the model, this one waits for it and uses its files. Raises BadInput if the revision is
    not locked, if the hub refuses, and if a file does not have the hash that the hub gives.
    """
    check_revision(repo, revision)
    partial = _partial(folder, revision)
    facts = {"hub": repo, "revision": revision}
    with _alone(folder) as waited:
        if waited and _fetched(folder / "manifest.json", facts):
            return
        try:
            listed = list_files(repo, revision, "model")
            hashes = _download(repo, revision, "model", model_files(repo, revision, listed, weights), partial)
            if weights == "bin":  # the names are read from the index, which is downloaded by now
                there = {file.path: file for file in listed}
                files = [there[name] for name in pickled_weights(partial, there)]
                hashes |= _download(repo, revision, "model", files, partial)
            for name in module_folders(partial):
                hashes |= _download(repo, revision, "model", module_files(repo, revision, listed, name), partial)
        except hub_errors() as error:
            raise BadInput(explain_refusal(repo, revision, error)) from error
        write_json(partial / "manifest.json", {**facts, "files": hashes})
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)


def fetch_data(source: HubData, revision: str, rows: Path, manifest: Path) -> None:
    """Download one split and write it as JSON Lines, with a manifest of the files from which it was read.

    It waits for another process as `fetch_model` does. Raises BadInput as `fetch_model`, and for a data set that only its own
    program can read.
    """
    check_revision(source.repo, revision)
    facts = {"hub": source.repo, "revision": revision, "name": source.name, "split": source.split}
    with _alone(rows) as waited:
        if not (waited and _fetched(manifest, facts)):
            _fetch_rows(source, revision, rows, manifest, facts)


def _fetch_rows(source: HubData, revision: str, rows: Path, manifest: Path, facts: dict[str, Any]) -> None:
    from datasets import disable_progress_bars, load_dataset, load_dataset_builder

    disable_progress_bars()
    partial = _partial(rows, revision)
    cache = partial / ".cache"  # for the converted rows of the library datasets, which ignores hidden folders as data
    place = f"hf://datasets/{source.repo}@{revision}/"
    faults: tuple[type[Exception], ...] = (*hub_errors(), ValueError, RuntimeError)
    try:
        builder = load_dataset_builder(source.repo, source.name, revision=revision, cache_dir=str(cache))
        named = [str(file) for files in (builder.config.data_files or {}).values() for file in files]
        if elsewhere := [file for file in named if not file.startswith(place)]:
            raise BadInput(
                f"{source.repo} at {revision}: its file {elsewhere[0]!r} is outside this revision; use another data set"
            )
        wanted = {file.removeprefix(place) for file in named} | {"README.md", "dataset_infos.json"}
        listed = [file for file in list_files(source.repo, revision, "dataset") if file.path in wanted]
        hashes = _download(source.repo, revision, "dataset", listed, partial / "repository")
        split = load_dataset(str(partial / "repository"), source.name, split=source.split, cache_dir=str(cache))
    except faults as error:
        raise BadInput(explain_refusal(source.repo, revision, error)) from error
    write_pieces(rows, (json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in split))
    write_json(manifest, {**facts, "read_from": hashes, "files": {rows.name: file_sha256(rows)}})
    shutil.rmtree(partial)
    log.info("%s: %d rows", source.repo, len(split))


def fetch_file(source: UrlData, file: Path, manifest: Path) -> None:
    """Download one file. Raises BadInput if the server does not give it, or if its hash is not the pinned one."""
    content = _read_address(source.address)
    digest = hashlib.sha256(content).hexdigest()
    if digest != source.sha256:
        raise BadInput(
            f"{source.address}: the file has changed: its SHA-256 is {digest} instead of {source.sha256}; check the file, and "
            "then give its new hash as `sha256`"
        )
    write_bytes(file, content)
    write_json(manifest, {"address": source.address, "files": {file.name: digest}})
    log.info("%s: %d bytes", source.address, len(content))


def _read_address(address: str) -> bytes:
    for tries_left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(address, timeout=60) as response:
                return bytes(response.read())
        except OSError as error:
            raise BadInput(f"{address}: {error}") from error
        except HTTPException as error:
            if not tries_left:
                raise BadInput(
                    f"{address}: it ended early {TRIES} times ({error}); run the same command later"
                ) from error
            log.warning("%s: it ended early (%s); trying again", address, error)
    raise AssertionError


def _partial(place: Path, revision: str) -> Path:
    """The folder of a partial download. Each revision has its own, so that no file is resumed with another's content."""
    return place.with_name(f"{place.name}.{revision[:12]}.partial")


@contextmanager
def _alone(place: Path) -> Iterator[bool]:
    """Lock a place against downloads by other processes. Yield whether this process had to wait for another one."""
    waited = False
    while True:
        with alone(place) as mine:
            if mine:
                yield waited
                return
        if not waited:
            log.info("%s: another process is downloading it; waiting for that process", place)
        waited = True
        time.sleep(1)


def _fetched(manifest: Path, facts: dict[str, Any]) -> bool:
    """Whether a manifest has these facts. Raises BadInput if its files are missing or changed."""
    stored = read_json(manifest) if manifest.is_file() else {}
    if any(stored.get(name) != fact for name, fact in facts.items()):
        return False
    check_manifest(manifest)
    log.info("%s: downloaded by another process", manifest.parent)
    return True


def _download(repo: str, revision: str, kind: str, files: Sequence[RepoFile], folder: Path) -> dict[str, str]:
    """Download files into `folder`, resuming partial files. Return the SHA-256 of each file by its path.

    Raises BadInput if a file's content differs from the repository's. The file is removed, so that the next try downloads it
    again.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    hashes = {}
    for file in files:
        if PurePosixPath(file.path).is_absolute() or ".." in PurePosixPath(file.path).parts:
            raise BadInput(f"{repo} at {revision}: the path {file.path!r} leaves the folder; use another repository")
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        with path.open("r+b") as content:
            # The hub's own client starts each file again in a new process. This resumes where the last process ended.
            size = min(path.stat().st_size, file.size)
            content.truncate(size)
            content.seek(size)
            url = hf_hub_url(repo, file.path, repo_type=kind, revision=revision)
            http_get(url, content, resume_size=size, headers=build_hf_headers(), expected_size=file.size)
        hashes[file.path] = file_sha256(path)
        digest, expected = (
            (hashes[file.path], file.lfs.sha256) if file.lfs else (_git_blob(path, file.size), file.blob_id)
        )
        if digest != expected:
            path.unlink()
            raise BadInput(
                f"{repo} at {revision}: {file.path}: its content has the hash {digest} instead of the hub's {expected}; it is "
                "removed, so run again to download it again"
            )
        log.info("%s: %s, %d bytes", repo, file.path, file.size)
    return hashes


def _git_blob(path: Path, size: int) -> str:
    """The id that git gives to a file's content. It is the only hash that the hub has of a file outside its large storage."""
    digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    digest.update(path.read_bytes())
    return digest.hexdigest()
