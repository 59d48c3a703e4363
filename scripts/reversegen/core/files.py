"""Files and folders that are whole or absent: written under a name of the process's own, then renamed."""

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
    """Write a file so that a reader, or a killed process, sees all of it or none."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a killed process, sees all of it or none."""
    write_pieces(path, [content])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file from pieces, one in memory at a time, so that a reader, or a killed process, sees all of it or none."""
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
    """Read a JSON file. Raises BadInput, with the file and the place, if it is missing or malformed."""
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
    """Yield a folder to fill beside `path`; on leaving, add its manifest and rename it into place.

    The manifest holds `facts` and the SHA-256 of each file. A folder that stands there already, left by a writer that was
    faster, is kept where its manifest says the same files, and replaced otherwise.
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
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another writer came between
                    raise
        sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Bring the files of a folder to the disk, and their names: what is renamed after that is whole after a crash too."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def sync(path: Path) -> None:
    """Bring a file to the disk, or the names in a folder."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems sync no folder
            raise
    finally:
        os.close(opened)


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether this process alone is at work on a file or folder. Whoever is, is so until it leaves or ends, however it ends."""
    lock = path.with_name(f".{path.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.path.samestat(os.fstat(file.fileno()), lock.stat())  # else who had it has removed it since
        except (BlockingIOError, FileNotFoundError):
            mine = False
        try:
            yield mine
        finally:
            if mine:
                lock.unlink(missing_ok=True)


def check_file(file: Path) -> None:
    """`check_manifest` for a file that has its manifest beside it, `<its name>.manifest.json`; else nothing."""
    manifest = file.with_name(f"{file.name}.manifest.json")
    if manifest.is_file():
        check_manifest(manifest)


def check_manifest(manifest: Path) -> None:
    """Raise BadInput for a file that a manifest names and that is missing or not what it was when the manifest was written.

    Every byte is read, since sizes and times do not tell all: a model's job reads them next in any case. A file that stays as
    it is is read once a process.
    """
    hashes = _manifest_files(manifest)
    if hashes is None:
        raise BadInput(f"{manifest}: no manifest that can be read; remove it, so that its rule makes it again")
    there = [name for name in sorted(hashes) if (manifest.parent / name).is_file()]
    hashes_now = _hashes(manifest.parent, tuple((name, _stamp(manifest.parent / name)) for name in there))
    if wrong := [name for name in sorted(hashes) if hashes_now.get(name) != hashes[name]]:
        raise BadInput(
            f"{manifest.parent / wrong[0]}: not the file that {manifest.name} beside it names; it was changed or cut short: "
            "remove it and its manifest, so that its rule makes it again"
        )


def _stamp(file: Path) -> tuple[int, int, int]:
    facts = file.stat()
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


@functools.cache
def _hashes(folder: Path, stamps: tuple[tuple[str, tuple[int, int, int]], ...]) -> dict[str, str]:
    """SHA-256 of files by name, several at once: hashing leaves the interpreter free."""
    from concurrent.futures import ThreadPoolExecutor  # asked for by jobs of models alone

    names = [name for name, _ in stamps]
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: file_sha256(folder / name), names), strict=True))


def own_name(path: Path) -> Path:
    """The name under which this process, and no other, writes what becomes `path`."""
    return path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}")


def _manifest_files(manifest: Path) -> Any:
    """The hashes that a manifest holds; None if it is missing or none that can be read."""
    try:
        return read_json(manifest)["files"]
    except (BadInput, TypeError, KeyError):
        return None


def remove_abandoned(path: Path) -> None:
    """Remove what killed processes of this machine left under their own names, an earlier one of our pid too."""
    shutil.rmtree(own_name(path), ignore_errors=True)
    start = f"{own_name(path).stem}."
    names = [name for name in os.listdir(path.parent) if name.startswith(start)]
    for left in map(path.with_name, names):
        pid = left.name.removeprefix(start)
        if not pid.isdigit():
            continue  # of a machine whose name only begins like ours
        try:
            os.kill(int(pid), 0)  # asks only whether that process lives
        except ProcessLookupError:
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        except PermissionError:
            continue  # another user's
