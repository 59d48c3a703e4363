"""Files and folders that are complete or absent: each is written under a temporary name of the process, then renamed."""

from __future__ import annotations

import errno
import fcntl
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal. Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8. The file is complete or absent, also if the process is killed."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes. The file is complete or absent, also if the process is killed."""
    write_pieces(path, [content])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file from pieces, with one in memory at a time. It is complete or absent, also if the process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    temporary = own_name(path)
    try:
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, keys in the order given."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises BadInput with the file and the place if it is missing or malformed."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"{path}: not a readable JSON file: {error}") from error


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, numbered from 1. Raises BadInput if it is missing or not UTF-8."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line.removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not a readable text file: {error}") from error


@contextmanager
def building_folder(path: Path, **facts: Any) -> Iterator[Path]:
    """Yield an empty folder beside `path`. On exit, write its manifest and rename the folder to `path`.

    The manifest has `facts` and the SHA-256 of each file. If another writer was faster, its folder stays if its manifest has
    the same files, and is replaced otherwise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    temporary = own_name(path)
    temporary.mkdir()
    try:
        yield temporary
        files = {str(f.relative_to(temporary)): file_sha256(f) for f in sorted(temporary.rglob("*")) if f.is_file()}
        write_json(temporary / "manifest.json", {**facts, "files": files})
        sync_folder(temporary)
        while not (path.exists() and _manifest_files(path / "manifest.json") == files):
            if path.exists():
                shutil.rmtree(path)
            try:
                temporary.replace(path)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # these mean that another writer was faster
                    raise
        sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Flush the files of a folder and their names to the disk, so that the folder is complete after a crash."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync a folder
            raise
    finally:
        os.close(opened)


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Yield whether this process has the lock on a file or folder.

    It has the lock until it leaves the context or ends, even if it is killed.
    """
    lock = path.with_name(f".{path.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # False if the last owner removed the lock file
            mine = os.path.samestat(os.fstat(file.fileno()), lock.stat())
        except (BlockingIOError, FileNotFoundError):
            mine = False
        try:
            yield mine
        finally:
            if mine:
                lock.unlink(missing_ok=True)


def check_file(file: Path) -> None:
    """Check a file against the manifest beside it, `<its name>.manifest.json`, if there is one. Raises as `check_manifest`."""
    manifest = file.with_name(f"{file.name}.manifest.json")
    if manifest.is_file():
        check_manifest(manifest)


def check_manifest(manifest: Path) -> None:
    """Check the files that a manifest names. Raises BadInput if one is missing or has changed since.

    Every byte is read, because sizes and times do not reveal every change, and a model's job reads the bytes next anyway. A
    process reads an unchanged file only once.
    """
    hashes = _manifest_files(manifest)
    if hashes is None:
        raise BadInput(f"{manifest}: not a readable manifest; remove it, so that its rule makes it again")
    there = [name for name in sorted(hashes) if (manifest.parent / name).is_file()]
    hashes_now = _hashes(manifest.parent, tuple((name, _stamp(manifest.parent / name)) for name in there))
    if wrong := [name for name in sorted(hashes) if hashes_now.get(name) != hashes[name]]:
        raise BadInput(
            f"{manifest.parent / wrong[0]}: missing, changed or truncated since {manifest.name} beside it was written; "
            "remove it and its manifest, so that its rule makes it again"
        )


def _stamp(file: Path) -> tuple[int, int, int]:
    facts = file.stat()
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


@functools.cache
def _hashes(folder: Path, stamps: tuple[tuple[str, tuple[int, int, int]], ...]) -> dict[str, str]:
    """The SHA-256 of files, by name. Threads speed it up, because hashing releases the interpreter's lock."""
    from concurrent.futures import ThreadPoolExecutor  # imported here, because only jobs of models need it

    names = [name for name, _ in stamps]
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: file_sha256(folder / name), names), strict=True))


def own_name(path: Path) -> Path:
    """The temporary name under which this process alone writes the file or folder that becomes `path`."""
    return path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}")


def _manifest_files(manifest: Path) -> Any:
    """The hashes in a manifest. None if the manifest is missing or not readable."""
    try:
        return read_json(manifest)["files"]
    except (BadInput, TypeError, KeyError):
        return None


def remove_abandoned(path: Path) -> None:
    """Remove the temporary files and folders of killed processes of this machine, also of an earlier process with our pid."""
    shutil.rmtree(own_name(path), ignore_errors=True)
    start = f"{own_name(path).stem}."
    names = [name for name in os.listdir(path.parent) if name.startswith(start)]
    for temporary in map(path.with_name, names):
        pid = temporary.name.removeprefix(start)
        if not pid.isdigit():
            continue  # the file of a machine whose name only begins like ours
        try:
            os.kill(int(pid), 0)  # signal 0 only tests whether the process is alive
        except ProcessLookupError:
            if temporary.is_dir():
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                temporary.unlink(missing_ok=True)
        except PermissionError:
            continue  # a live process of another user
