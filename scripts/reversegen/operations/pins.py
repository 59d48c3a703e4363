"""The files that pin packages, requirements*.txt and envs/*.yaml, written from one table of versions: envs/pins.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from reversegen.core.errors import BadInput
from reversegen.core.validation import explain


class PinnedFile(BaseModel):
    """A file to write."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    comment: str
    """What the file is for, its lines without `#`."""
    packages: list[str]
    include: list[str] = []
    """Requirements files that it includes by `-r`."""
    versions: dict[str, str] = {}
    """Versions that differ from the common table, because another package of this file needs them."""


def pinned_files(source: Path) -> dict[str, str]:
    """The text of each file that envs/pins.toml describes, by its path in the repository.

    A path that ends in `.yaml` is a conda environment with Python 3.11 and a pip part, any other a requirements file.

    Raises:
        BadInput: the file is not TOML, a table has a wrong key, a package has no version, or a version has no package.
    """
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source}: {error}; correct the file") from error
    versions = tables.pop("versions", {})
    files = {}
    for path, table in tables.items():
        try:
            files[path] = PinnedFile.model_validate(table)
        except ValidationError as error:
            raise BadInput(f"{source}: [{path}]: {explain(error)}") from error
        if unlisted := files[path].versions.keys() - set(files[path].packages):
            raise BadInput(
                f"{source}: [{path}]: versions: {', '.join(sorted(unlisted))}: add it to packages, or remove it"
            )
    packages = {package for file in files.values() for package in file.packages}
    if packages != versions.keys():
        different = ", ".join(sorted(packages ^ versions.keys()))
        raise BadInput(f"{source}: [versions] and the lists of packages differ in {different}; add or remove them")
    return {path: _text(file, versions | file.versions, path.endswith(".yaml")) for path, file in files.items()}


def _text(file: PinnedFile, versions: dict[str, str], conda: bool) -> str:
    comment = [f"# {line}" for line in file.comment.strip().splitlines()]
    pins = [f"{package}=={versions[package]}" for package in file.packages]
    if conda:
        head = ["channels: [conda-forge]", "dependencies:", "  - python =3.11", "  - pip", "  - pip:"]
        return "\n".join([*comment, *head, *(f"      - {pin}" for pin in pins)]) + "\n"
    return "\n".join([*comment, *(f"-r {name}" for name in file.include), *pins]) + "\n"
