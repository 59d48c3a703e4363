"""Files and folders are complete or absent, even if a writer fails or is killed, or several write at the same time."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reversegen.core.errors import BadInput
from reversegen.core.files import building_folder, file_sha256, read_json, write_json, write_text
from reversegen.core.records import Record, Seed, write_records

SCRIPTS = Path(__file__).parents[2] / "scripts"


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Interrupted:
    """Records that end in an interruption."""

    def __iter__(self) -> Iterator[Record]:
        yield Seed(id="1", text="one", split="train", source="s", licence="l", answer=None)
        raise KeyboardInterrupt


@contextmanager
def no_room() -> Iterator[None]:
    """Let the kernel stop files of this process at 4 KiB, as a full disk or a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("writer", "content"),
    [
        (write_text, "x" * 100_000),
        (write_text, "a lone surrogate, which UTF-8 cannot hold: \ud800"),
        (write_json, {"long": "x" * 100_000}),
        (write_json, {"no JSON": object()}),
        (write_json, {"\ud800": 1}),
        (write_records, Interrupted()),
    ],
    ids=["no room", "surrogate", "no room for JSON", "no JSON", "surrogate in JSON", "interrupted"],
)
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_failing_writer_leaves_nothing_behind_and_the_old_file_intact(
    tmp_path: Path, writer: Any, content: Any, old: bytes | None
) -> None:
    place = tmp_path / "file"
    if old:
        place.write_bytes(old)
    with pytest.raises((OSError, ValueError, TypeError, KeyboardInterrupt)), no_room():
        writer(place, content)
    assert tree(tmp_path) == ({"file": old} if old else {})


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, text=True, **pipes)


def start_building(place: Path) -> subprocess.Popen[str]:
    """A process that has built half of a folder, and continues at a signal."""
    builder = start(BUILDS_SLOWLY, str(place))
    assert builder.stdout is not None
    assert builder.stdout.readline() == "half built\n"
    return builder


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from reversegen.core.files import write_text
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
write_text(Path(sys.argv[1]), "new" * 100_000)
"""


def test_a_writer_that_is_killed_leaves_the_old_file_and_no_obstacle(tmp_path: Path) -> None:
    place = tmp_path / "file"
    write_text(place, "old")
    writer = start(KILLED_WHILE_WRITING, str(place))
    assert writer.wait() == -signal.SIGKILL
    assert place.read_text() == "old"
    assert len(tree(tmp_path)) == 2
    other = tmp_path / f".file.{os.uname().nodename}.1.{writer.pid}"  # the file of another machine
    other.write_text("half")
    write_text(place, "new")
    assert tree(tmp_path) == {"file": b"new", other.name: b"half"}


WRITES_AGAIN_AND_AGAIN = """
import sys
from pathlib import Path
from reversegen.core.files import write_text
for _ in range(100):
    write_text(Path(sys.argv[1]), sys.argv[2] * 100_000)
"""


def test_a_reader_beside_two_writers_always_sees_a_complete_file(tmp_path: Path) -> None:
    place = tmp_path / "deep/folder/file"
    write_text(place, "a" * 100_000)
    writers = [start(WRITES_AGAIN_AND_AGAIN, str(place), letter) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen.add(place.read_text())
    for writer in writers:
        assert writer.communicate()[1] == ""
        assert writer.returncode == 0
    assert seen <= {"a" * 100_000, "b" * 100_000}
    assert list(tree(tmp_path)) == ["deep/folder/file"]


def test_json_is_what_the_standard_library_reads_in_the_order_given(tmp_path: Path) -> None:
    value = {"z": [1, None, True, 0.1], "a": {"text": 'ü \u2028 "\\" \n', "": []}}
    write_json(tmp_path / "file.json", value)
    content = (tmp_path / "file.json").read_bytes()
    assert json.loads(content) == read_json(tmp_path / "file.json") == value
    assert list(json.loads(content)) == ["z", "a"]
    assert content.endswith(b"}\n")


@pytest.mark.parametrize("content", [None, b"", b'{"a": 1', b"\xff\xfe{}"])
def test_a_json_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    place = tmp_path / "file.json"
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(BadInput, match=str(place)):
        read_json(place)


CONTENT = {
    "config.json": b"{}",
    "weights/model.safetensors": bytes(range(256)) * 100,
    "ein Wort.txt": b"",
    ".hidden": b"\n",
}


def build(place: Path, content: dict[str, bytes], **facts: Any) -> None:
    with building_folder(place, **facts) as folder:
        for name, data in content.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)


def test_the_manifest_of_a_folder_holds_its_facts_and_the_hashes_of_sha256sum(tmp_path: Path) -> None:
    place = tmp_path / "models/tiny"
    build(place, CONTENT, steps=7, base="llama")
    done = subprocess.run(["sha256sum", "--", *CONTENT], cwd=place, capture_output=True, text=True, check=True)
    hashes = {line[66:]: line[:64] for line in done.stdout.splitlines()}
    assert json.loads((place / "manifest.json").read_text()) == {"steps": 7, "base": "llama", "files": hashes}
    assert tree(place).keys() == CONTENT.keys() | {"manifest.json"}
    assert os.listdir(place.parent) == ["tiny"]


def test_a_folder_is_on_the_disk_before_it_is_renamed_and_its_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash of the machine only synced data is left, so every file and folder is synced before the rename."""
    place, sync = tmp_path / "model", os.fsync
    synced: dict[bool, set[int]] = {False: set(), True: set()}

    def note(file: int) -> None:
        synced[place.exists()].add(os.fstat(file).st_ino)
        sync(file)

    monkeypatch.setattr(os, "fsync", note)
    build(place, CONTENT)
    assert synced[False] >= {path.stat().st_ino for path in [place, *place.rglob("*")]}
    assert synced[True] == {tmp_path.stat().st_ino}


def test_an_equal_folder_is_kept_untouched(tmp_path: Path) -> None:
    build(tmp_path / "model", CONTENT, steps=7)
    before = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted(tmp_path.rglob("*"))]
    build(tmp_path / "model", dict(reversed(CONTENT.items())), steps=8)
    after = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted(tmp_path.rglob("*"))]
    assert after == before


@pytest.mark.parametrize("manifest", [None, b"", b"[]", b"null", b'{"files": {}}', b'{"steps": 7}'], ids=str)
def test_a_folder_whose_manifest_has_other_files_is_replaced(tmp_path: Path, manifest: bytes | None) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "stray.txt").write_text("half of something")
    if manifest is not None:
        (place / "manifest.json").write_bytes(manifest)
    build(place, CONTENT)
    assert tree(place).keys() == CONTENT.keys() | {"manifest.json"}
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("change", [{"more.txt": b""}, {"config.json": b"{ }"}], ids=["another file", "another byte"])
def test_a_different_folder_is_replaced(tmp_path: Path, change: dict[str, bytes]) -> None:
    build(tmp_path / "model", CONTENT | change)
    build(tmp_path / "model", CONTENT)
    assert {name: data for name, data in tree(tmp_path / "model").items() if name != "manifest.json"} == CONTENT


def fail_while_building(place: Path, error: type[BaseException]) -> None:
    with building_folder(place) as folder:
        (folder / "half.txt").write_text("half")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_folder_that_fails_while_it_is_built_is_gone_and_the_old_one_intact(
    tmp_path: Path, error: type[BaseException]
) -> None:
    build(tmp_path / "model", CONTENT)
    before = tree(tmp_path)
    with pytest.raises(error):
        fail_while_building(tmp_path / "model", error)
    assert tree(tmp_path) == before
    assert os.listdir(tmp_path) == ["model"]


BUILDS_SLOWLY = """
import sys
from pathlib import Path
from reversegen.core.files import building_folder
with building_folder(Path(sys.argv[1])) as folder:
    (folder / "half.txt").write_text("half")
    print("half built", flush=True)
    sys.stdin.read()
    (folder / "half.txt").write_text("whole")
"""


def test_the_partial_folder_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    builder = start_building(tmp_path / "model")
    builder.kill()
    builder.communicate()
    assert len(os.listdir(tmp_path)) == 1
    build(tmp_path / "model", CONTENT)
    assert os.listdir(tmp_path) == ["model"]


def test_the_partial_folder_of_a_process_with_the_same_id_is_replaced(tmp_path: Path) -> None:
    with building_folder(tmp_path / "model") as folder:
        pass  # in a container, every job may be process 7
    folder.mkdir()
    (folder / "half.txt").write_text("half")
    build(tmp_path / "model", CONTENT)
    assert tree(tmp_path / "model").keys() == CONTENT.keys() | {"manifest.json"}
    assert os.listdir(tmp_path) == ["model"]


def test_a_process_that_still_builds_a_folder_is_left_alone(tmp_path: Path) -> None:
    builder = start_building(tmp_path / "model")
    build(tmp_path / "model", CONTENT)
    assert builder.communicate("go on")[1] == ""
    assert builder.returncode == 0
    assert tree(tmp_path).keys() == {"model/half.txt", "model/manifest.json"}
    assert (tmp_path / "model/half.txt").read_text() == "whole"


def test_the_hash_of_a_file_is_that_of_sha256sum(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(os.urandom(300_000) + b"\r\n")
    done = subprocess.run(["sha256sum", file], capture_output=True, text=True, check=True)
    assert file_sha256(file) == done.stdout[:64]
