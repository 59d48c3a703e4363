"""Files and folders that are whole or absent: written under a name of the process's own, then renamed."""

from __future__ import annotations

import errno
import glob
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reversegen.errors import BadInput
from reversegen.hashing import file_sha256


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader, or a killed process, sees all of it or none."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a killed process, sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = own_name(path)
    try:
        with own.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        own.replace(path)
    finally:
        own.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, keys in the order given."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises BadInput, with the file and the place, where it is missing or malformed."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"{path}: not a readable JSON file: {error}") from error


@contextmanager
def building_folder(path: Path, **facts: Any) -> Iterator[Path]:
    """Yield a folder to fill beside `path`; on leaving, add its manifest and rename it into place.

    The manifest holds `facts` and the SHA-256 of each file. A folder that stands there already, left by a writer that was
    faster, is kept where its manifest says the same files, and replaced otherwise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    own = own_name(path)
    own.mkdir()
    try:
        yield own
        files = {str(f.relative_to(own)): file_sha256(f) for f in sorted(own.rglob("*")) if f.is_file()}
        write_json(own / "manifest.json", {**facts, "files": files})
        while not (path.exists() and _manifest_files(path) == files):
            if path.exists():
                shutil.rmtree(path)
            try:
                own.replace(path)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another writer came between
                    raise
    finally:
        shutil.rmtree(own, ignore_errors=True)


def own_name(path: Path) -> Path:
    """The name under which this process, and no other, writes what becomes `path`."""
    return path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}")


def _manifest_files(folder: Path) -> Any:
    """The hashes that a folder's manifest holds; None where it has no readable one."""
    try:
        return read_json(folder / "manifest.json")["files"]
    except (BadInput, TypeError, KeyError):
        return None


def remove_abandoned(path: Path) -> None:
    """Remove folders that killed processes of this machine left under their own names, an earlier one of our pid too."""
    shutil.rmtree(own_name(path), ignore_errors=True)
    for left in path.parent.glob(f"{glob.escape(own_name(path).stem)}.*"):
        try:
            os.kill(int(left.suffix[1:]), 0)  # asks only whether that process lives
        except ProcessLookupError:
            shutil.rmtree(left)
        except PermissionError:
            continue  # another user's
