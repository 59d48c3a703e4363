"""Requirements and environments are written from one table of versions."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reversegen.core.errors import BadInput
from reversegen.operations.pins import pinned_files

PINS = (
    """
[versions]
numpy = "2.4.6"
PyYAML = "6.0.3"

["requirements.txt"]
comment = """
    + '"""\nOne line.\nAnother line."""'
    + """
packages = ["numpy", "PyYAML"]

["requirements-dev.txt"]
comment = "For tests."
include = ["requirements.txt"]
packages = ["PyYAML"]

["envs/base.yaml"]
comment = "Light stages."
packages = ["numpy"]
versions = {numpy = "2.3.5"}
"""
)


def written(folder: Path, text: str = PINS) -> Path:
    source = folder / "pins.toml"
    source.write_text(text, encoding="utf-8")
    return source


def test_each_file_has_its_packages_in_its_versions(tmp_path: Path) -> None:
    files = pinned_files(written(tmp_path))
    assert files["requirements.txt"] == "# One line.\n# Another line.\nnumpy==2.4.6\nPyYAML==6.0.3\n"
    assert files["requirements-dev.txt"] == "# For tests.\n-r requirements.txt\nPyYAML==6.0.3\n"
    assert files["envs/base.yaml"].startswith("# Light stages.\n")
    assert yaml.safe_load(files["envs/base.yaml"]) == {
        "channels": ["conda-forge"],
        "dependencies": ["python =3.11", "pip", {"pip": ["numpy==2.3.5"]}],
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('PyYAML = "6.0.3"', "", "differ in PyYAML"),
        ('PyYAML = "6.0.3"', 'PyYAML = "6.0.3"\nscipy = "1.17.1"', "differ in scipy"),
        ('comment = "For tests."', 'remark = "For tests."', "[requirements-dev.txt]: comment"),
        ('numpy = "2.4.6"', "numpy = 2.4.6", "pins.toml: "),
        ('{numpy = "2.3.5"}', '{nunpy = "2.3.5"}', "[envs/base.yaml]: versions: nunpy: add it to packages"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(BadInput) as refusal:
        pinned_files(written(tmp_path, PINS.replace(old, new)))
    assert message in str(refusal.value)
    assert "pins.toml" in str(refusal.value)
