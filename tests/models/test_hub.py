"""Pinning and fetching with the real client, from a hub that the tests serve: faults, resumption, refusals."""

from __future__ import annotations

import functools
import io
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import yaml
from tests.support.hub_server import TOKEN, Repository
from tests.support.hub_stages import (
    CONFIG,
    NOT_OF_MODULES,
    SENTENCES,
    ForkingHub,
    command,
    contents,
    environment,
    fetch,
    stage,
)
from tests.support.kinds import MATH
from tests.support.workflows import Workflow

from reversegen.config.data import DataSource, UrlData
from reversegen.config.load import read_yaml
from reversegen.config.models import ModelUse
from reversegen.config.task import Embedding
from reversegen.core.errors import BadInput
from reversegen.core.files import building_folder, check_file, read_json
from reversegen.loop.seeds import read_source
from reversegen.models.download import fetch_file
from reversegen.models.folder import check_folder
from reversegen.text.embeddings import open_encoder

WEIGHTS = {f"model-0000{n}-of-00002.safetensors": bytes([n]) * 1000 for n in (1, 2)}
LEFT_OUT = {
    "modeling_own.py": b"raise SystemExit",
    "pytorch_model.bin": b"a pickle",
    "consolidated.safetensors": b"the weights once more",
    "original/params.json": b"{}",
    "README.md": b"# A model",
}


@pytest.fixture(scope="module")
def started() -> Iterator[ForkingHub]:
    server = ForkingHub()
    yield server
    server.close()


@pytest.fixture
def hub(started: ForkingHub) -> ForkingHub:
    started.forget()
    started.repositories["models/some/model"] = Repository({**CONFIG, **WEIGHTS, **LEFT_OUT})
    return started


def test_a_model_is_its_safetensors_and_what_describes_it(hub: ForkingHub, tmp_path: Path) -> None:
    done = fetch(hub, tmp_path / "model")
    assert done.returncode == 0, done.stderr
    files = contents(tmp_path / "model")
    manifest = json.loads(files.pop("manifest.json"))
    assert files == {**CONFIG, **WEIGHTS}
    assert manifest["revision"] == hub.repositories["models/some/model"].commit
    assert manifest["files"] == {name: sha256(content).hexdigest() for name, content in files.items()}
    check_folder(tmp_path / "model")
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.slow
def test_a_killed_download_resumes_at_the_byte_where_it_ended(hub: ForkingHub, tmp_path: Path) -> None:
    large = random.Random(0).randbytes(25_000_000)
    repository = Repository({**CONFIG, "model.safetensors": large}, stall_after={"model.safetensors": 21_000_000})
    hub.repositories["models/some/large"] = repository
    words = command(
        "fetch_model", repo="some/large", revision=repository.commit, weights="safetensors", folder=tmp_path / "large"
    )
    process = subprocess.Popen(words, env=environment(hub, tmp_path / "home"), stderr=subprocess.DEVNULL)
    partial = tmp_path / f"large.{repository.commit[:12]}.partial/model.safetensors"
    for _ in range(200):
        if partial.is_file() and partial.stat().st_size > 15_000_000:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    size = partial.stat().st_size
    assert 15_000_000 < size < len(large)
    assert not (tmp_path / "large").exists()
    repository.stall_after.clear()
    repository.ranges.clear()
    done = fetch(hub, tmp_path / "large", "some/large")
    assert done.returncode == 0, done.stderr
    assert repository.ranges == [("model.safetensors", f"bytes={size}-")]  # complete files are not sent again
    assert (tmp_path / "large/model.safetensors").read_bytes() == large


@pytest.mark.parametrize("path", ["model-00002-of-00002.safetensors", "tokenizer.json"])
def test_content_with_another_hash_than_the_hubs_is_refused_and_fetched_again(
    hub: ForkingHub, tmp_path: Path, path: str
) -> None:
    """A file in the large storage has a SHA-256, and any other file has git's hash."""
    repository = hub.repositories["models/some/model"]
    right = repository.files[path]
    repository.stored[path] = b"X" * len(right)
    done = fetch(hub, tmp_path / "model")
    assert done.returncode == 1
    assert f"{path}: its content has the hash" in done.stderr
    assert not (tmp_path / "model").exists()
    repository.stored.clear()
    repository.ranges.clear()
    done = fetch(hub, tmp_path / "model")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model" / path).read_bytes() == right
    again = [name for name, _ in repository.ranges]
    assert again[0] == path
    assert "config.json" not in again


def test_the_modules_of_a_sentence_model_are_fetched_and_checked_too(hub: ForkingHub, tmp_path: Path) -> None:
    repository = hub.repositories["models/some/sentences"] = Repository({**SENTENCES, **NOT_OF_MODULES})
    weights = "2_Dense/model.safetensors"
    repository.stored[weights] = b"X" * 800
    folder = tmp_path / "model"
    done = fetch(hub, folder, "some/sentences")
    assert done.returncode == 1
    assert f"{weights}: its content has the hash" in done.stderr
    assert not folder.exists()
    repository.stored.clear()
    repository.ranges.clear()
    done = fetch(hub, folder, "some/sentences")
    assert done.returncode == 0, done.stderr
    assert [path for path, _ in repository.ranges] == [weights]
    files = contents(folder)
    manifest = json.loads(files.pop("manifest.json"))
    assert files == SENTENCES
    assert manifest["files"] == {name: sha256(content).hexdigest() for name, content in files.items()}
    check_folder(folder)
    (folder / weights).write_bytes(b"Y" * 800)
    with pytest.raises(
        BadInput, match=r"2_Dense/model\.safetensors: missing, changed or truncated since manifest\.json"
    ):
        check_folder(folder)


@pytest.mark.parametrize("name", ["1_Pooling/config.json", "2_Dense/config.json"])
def test_a_users_sentence_model_without_a_module_is_named(tmp_path: Path, name: str) -> None:
    for path, content in SENTENCES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    check_folder(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BadInput, match=f"{tmp_path}: not a model folder: it has no {name}"):
        check_folder(tmp_path)


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        ([{"path": "../other", "type": "a.Pooling"}], "'../other' is not the name of a folder beside it"),
        ([{"path": "/etc", "type": "a.Pooling"}], "'/etc' is not the name of a folder beside it"),
        ([{"path": "..", "type": "a.Pooling"}], "'..' is not the name of a folder beside it"),
        ([{"path": 3, "type": "a.Pooling"}], "not a list of modules"),
        ([{"path": "1_Pooling"}], "not a list of modules"),
        ({"path": "1_Pooling"}, "not a list of modules"),
    ],
)
def test_modules_that_a_hub_places_elsewhere_are_refused(
    hub: ForkingHub, tmp_path: Path, modules: Any, reason: str
) -> None:
    files = {**SENTENCES, "modules.json": json.dumps(modules).encode()}
    hub.repositories["models/some/sentences"] = Repository(files)
    done = fetch(hub, tmp_path / "model", "some/sentences")
    assert done.returncode == 1
    assert f"modules.json: {reason}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()


def test_a_module_whose_weights_are_a_pickle_is_refused(hub: ForkingHub, tmp_path: Path) -> None:
    files = {**SENTENCES, **NOT_OF_MODULES}
    del files["2_Dense/model.safetensors"]
    hub.repositories["models/some/sentences"] = Repository(files)
    done = fetch(hub, tmp_path / "model", "some/sentences")
    assert done.returncode == 1
    assert "2_Dense: no weights model*.safetensors, the only ones that are loaded" in done.stderr


def test_a_real_sentence_model_that_was_fetched_is_loaded(hub: ForkingHub, minilm: Path, tmp_path: Path) -> None:
    hub.repositories["models/some/minilm"] = Repository(contents(minilm))
    done = fetch(hub, tmp_path / "model", "some/minilm")
    assert done.returncode == 0, done.stderr
    settings = Embedding(model="m", pooling="sentence", backend="torch", max_length=256, batch_size=4, eps=0.05)
    texts = ["How many pens are in 3 boxes of 4?", "Name a river."]
    fetched, own = (
        open_encoder(f, settings, ModelUse(dtype="float32"), 1)(texts) for f in (tmp_path / "model", minilm)
    )
    assert (fetched == own).all()


def two_at_once(hub: ForkingHub, home: Path, words: list[str], repository: Repository, path: str) -> list[str]:
    """The logs of two processes that fetch the same; the second starts while the first waits for a file."""
    repository.stall_after[path] = 10
    own = {**environment(hub, home / "home"), "HF_HUB_DOWNLOAD_TIMEOUT": "2"}

    def start(until: Callable[[], bool]) -> subprocess.Popen[str]:
        process = subprocess.Popen(words, env=own, stderr=(home / f"{len(processes)}.log").open("w"), text=True)
        for _ in range(600):
            if until() or process.poll() is not None:
                break
            time.sleep(0.05)
        return process

    processes: list[subprocess.Popen[str]] = []
    processes.append(start(lambda: path in [name for name, _ in repository.ranges]))
    repository.stall_after.clear()
    processes.append(start(lambda: "another process is downloading it; waiting" in (home / "1.log").read_text()))
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    return [(home / f"{n}.log").read_text() for n in range(2)]


@pytest.mark.slow
def test_a_second_fetch_of_a_model_waits_and_takes_what_the_first_fetched(hub: ForkingHub, tmp_path: Path) -> None:
    repository = hub.repositories["models/some/model"]
    words = command(
        "fetch_model", repo="some/model", revision=repository.commit, weights="safetensors", folder=tmp_path / "model"
    )
    first, second = two_at_once(hub, tmp_path, words, repository, "model-00001-of-00002.safetensors")
    assert "another process" not in first
    assert "waiting for that process" in second
    assert "downloaded by another process" in second
    check_folder(tmp_path / "model")
    asked = [path for path, _ in repository.ranges]
    assert asked.count("model-00001-of-00002.safetensors") == 2  # the file that stopped is requested again
    assert asked.count("model-00002-of-00002.safetensors") == asked.count("config.json") == 1
    assert not [name for name in os.listdir(tmp_path) if name.endswith((".lock", ".partial"))]


def test_a_second_fetch_resumes_where_a_first_was_killed(hub: ForkingHub, tmp_path: Path) -> None:
    repository = hub.repositories["models/some/model"]
    weights = "model-00002-of-00002.safetensors"
    repository.stall_after[weights] = 10
    words = command(
        "fetch_model", repo="some/model", revision=repository.commit, weights="safetensors", folder=tmp_path / "model"
    )
    first = subprocess.Popen(words, env=environment(hub, tmp_path / "home"), stderr=subprocess.DEVNULL)
    while weights not in [name for name, _ in repository.ranges]:
        time.sleep(0.05)
    repository.stall_after.clear()
    first.kill()
    first.wait()
    done = fetch(hub, tmp_path / "model")
    assert done.returncode == 0, done.stderr
    check_folder(tmp_path / "model")
    assert [path for path, _ in repository.ranges].count("config.json") == 1
    assert not [name for name in os.listdir(tmp_path) if name.endswith((".lock", ".partial"))]


@pytest.mark.parametrize(("times", "whole"), [(2, True), (3, False)])
def test_a_file_that_ends_early_is_asked_for_again(hub: ForkingHub, tmp_path: Path, times: int, whole: bool) -> None:
    content = b'{"question": "?"}\n' * 1000
    repository = hub.repositories["datasets/some/data"] = Repository({"rows.jsonl": content})
    repository.cut["rows.jsonl"] = times
    address = f"{hub.endpoint}/datasets/some/data/resolve/main/rows.jsonl"
    source = UrlData.model_construct(address=address, sha256=sha256(content).hexdigest())  # a user's is of https
    file = tmp_path / "rows.jsonl"
    if whole:
        fetch_file(source, file, tmp_path / "manifest.json")
        assert file.read_bytes() == content
    else:
        with pytest.raises(BadInput, match=rf"{address}: it ended early 3 times .*; run the same command later"):
            fetch_file(source, file, tmp_path / "manifest.json")
        assert not file.exists()
    assert len(repository.ranges) == 3


def test_everything_that_the_hub_refuses_is_listed_with_its_fix(hub: ForkingHub, tmp_path: Path) -> None:
    hub.repositories["models/some/gated"] = Repository({**CONFIG, **WEIGHTS}, gated=True)
    hub.repositories["models/some/pickled"] = Repository({**CONFIG, "pytorch_model.bin": b"a pickle"})
    commits = {name.split("/", 1)[1]: of.commit for name, of in hub.repositories.items()}
    models = {**commits, "some/nowhere": "0" * 40, "some/unlocked": ""}
    pickled = {"some/pickled": commits["some/pickled"], "some/model": commits["some/model"]}
    data = {"some/data": "1" * 40}
    hub.repositories["datasets/some/data"] = Repository({"train.jsonl": b'{"a": 1}\n'})
    done = stage(hub, "check_access", models=models, pickled=pickled, data=data, access=tmp_path / "access")
    assert done.returncode == 1
    first, *lines = done.stderr.partition("error: ")[2].strip().splitlines()
    assert first.startswith("the hub does not give 6 of the files")
    assert [line.split(" at ")[0].split(":")[0] for line in lines] == [
        "some/gated", "some/pickled", "some/nowhere", "config/lock.yaml", "some/model", "some/data"
    ]  # fmt: skip
    fixes = [
        "accept its licence at",
        "no weights model*.safetensors, the only ones that are loaded; give the model `weights: bin` in config/models.yaml",
        "correct its id",
        "pin_revisions",
        "it has weights model*.safetensors, which need no conversion; remove `weights: bin` of the model from",
        "pin it again",
    ]
    for line, fix in zip(lines, fixes, strict=True):
        assert fix in line
    only = {"some/gated": commits["some/gated"], "some/model": commits["some/model"]}
    done = stage(hub, "check_access", TOKEN, models=only, pickled={}, data={}, access=tmp_path / "access")
    assert done.returncode == 0, done.stderr
    assert read_json(tmp_path / "access") == only
    assert all(not repository.ranges for repository in hub.repositories.values())


def test_pinning_writes_each_commit_once_and_keeps_existing_lines(hub: ForkingHub, tmp_path: Path) -> None:
    hub.repositories["datasets/some/data"] = Repository({"train.jsonl": b'{"a": 1}\n'})
    lock = tmp_path / "lock.yaml"
    lock.write_text(f"# why\nsome/held: '{'a' * 40}'\n")
    models = ["some/model", "some/held", "some/nowhere", "some/nothing"]
    done = stage(hub, "pin_revisions", models=models, data=["some/data"], lock=lock)
    assert done.returncode == 1
    assert "the hub does not give 2 of the files" in done.stderr
    assert all(f"{name}: not on the hub" in done.stderr for name in ("some/nowhere", "some/nothing"))
    assert lock.read_text().startswith("# why\n")
    assert yaml.safe_load(lock.read_text()) == {
        "some/held": "a" * 40,
        "some/model": hub.repositories["models/some/model"].commit,
        "some/data": hub.repositories["datasets/some/data"].commit,
    }
    before = lock.read_bytes()
    done = stage(hub, "pin_revisions", models=["some/model"], data=["some/data"], lock=lock)
    assert done.returncode == 0, done.stderr
    assert lock.read_bytes() == before


@pytest.mark.parametrize("line", ['"some/model": "{}"', "some/model : '{}'", "'some/model':   \"{}\"  # read by hand"])
def test_pinning_reads_the_file_as_the_workflow_does(hub: ForkingHub, tmp_path: Path, line: str) -> None:
    lock = tmp_path / "lock.yaml"
    lock.write_text(line.format("a" * 40))
    done = stage(hub, "pin_revisions", models=["some/model"], data=[], lock=lock)
    assert done.returncode == 0, done.stderr
    assert read_yaml(lock) == {"some/model": "a" * 40}


@pytest.mark.parametrize("text", ["{}", "# why\n{some/held: 'aaa'}\n"])
def test_pinning_adds_no_line_to_a_file_in_braces(hub: ForkingHub, tmp_path: Path, text: str) -> None:
    lock = tmp_path / "lock.yaml"
    lock.write_text(text)
    done = stage(hub, "pin_revisions", models=["some/model"], data=[], lock=lock)
    assert done.returncode == 1
    assert "lock.yaml: the commits are in braces; write one on each line" in done.stderr
    assert lock.read_text() == text


def parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


QUESTIONS = [{"question": f"What is {n} + 1?", "answer": f"#### {n + 1}"} for n in range(20)]
README = b"""---
configs:
- config_name: main
  data_files:
  - split: train
    path: main/train-*
  - split: test
    path: main/test*
- config_name: other
  data_files: other/*
---
"""


@functools.cache
def data_files() -> dict[str, bytes]:
    """The files of a data set. Writing them imports pandas, which other workers of pytest need not do."""
    return {
        "README.md": README,
        "main/train-00000-of-00002.parquet": parquet(QUESTIONS[:12]),
        "main/train-00001-of-00002.parquet": parquet(QUESTIONS[12:]),
        "main/test.parquet": parquet(QUESTIONS[:3]),
        "other/train.parquet": parquet([{"question": "another", "answer": "#### 0"}]),
    }


def fetch_data(hub: ForkingHub, folder: Path, repo: str, name: str, split: str) -> subprocess.CompletedProcess[str]:
    revision = hub.repositories[f"datasets/{repo}"].commit
    source = {"repo": repo, "name": name, "split": split}
    rows = folder / "rows.jsonl"
    manifest = f"{rows}.manifest.json"
    return stage(hub, "fetch_data", source=source, revision=revision, rows=rows, manifest=manifest)


def test_a_split_is_read_from_checked_files_of_its_configuration(hub: ForkingHub, tmp_path: Path) -> None:
    files = {name: content for name, content in data_files().items() if not name.endswith("test.jsonl")}
    repository = Repository({**files, "README.md": README.replace(b"  - split: test\n    path: main/test*\n", b"")})
    hub.repositories["datasets/some/data"] = repository
    wrong = "main/train-00001-of-00002.parquet"
    repository.stored[wrong] = data_files()[wrong].replace(b"19", b"18")
    done = fetch_data(hub, tmp_path, "some/data", "main", "train")
    assert done.returncode == 1
    assert f"{wrong}: its content has the hash" in done.stderr
    repository.stored.clear()
    done = fetch_data(hub, tmp_path, "some/data", "main", "train")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()] == QUESTIONS
    assert not [path for path, _ in repository.ranges if path.startswith("other/")]
    assert sorted(os.listdir(tmp_path)) == ["rows.jsonl", "rows.jsonl.manifest.json"]
    manifest = json.loads((tmp_path / "rows.jsonl.manifest.json").read_text())
    assert manifest["read_from"][wrong] == sha256(data_files()[wrong]).hexdigest()
    check_file(tmp_path / "rows.jsonl")


@pytest.mark.slow
def test_a_second_fetch_of_a_split_waits_and_takes_what_the_first_fetched(hub: ForkingHub, tmp_path: Path) -> None:
    repository = hub.repositories["datasets/some/data"] = Repository(data_files())
    rows, part = tmp_path / "rows.jsonl", "main/train-00001-of-00002.parquet"
    words = command(
        "fetch_data",
        source={"repo": "some/data", "name": "main", "split": "train"},
        revision=repository.commit,
        rows=rows,
        manifest=f"{rows}.manifest.json",
    )
    first, second = two_at_once(hub, tmp_path, words, repository, part)
    assert "another process" not in first
    assert "downloaded by another process" in second
    assert [path for path, _ in repository.ranges].count(part) == 2
    assert len(rows.read_text().splitlines()) == len(QUESTIONS)
    check_file(rows)


def test_a_data_set_without_a_description_is_read_by_the_names_of_its_files(hub: ForkingHub, tmp_path: Path) -> None:
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in QUESTIONS)
    hub.repositories["datasets/some/data"] = Repository(
        {"train.jsonl": lines, "notes.txt": b"", "test.jsonl": lines[:50]}
    )
    done = fetch_data(hub, tmp_path, "some/data", "default", "train")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rows.jsonl").read_bytes() == lines


def test_a_data_set_that_only_its_own_program_reads_is_refused(hub: ForkingHub, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    hub.repositories["datasets/some/data"] = Repository({"data.py": f"open({str(marker)!r}, 'w')".encode()})
    done = fetch_data(hub, tmp_path, "some/data", "main", "train")
    assert done.returncode == 1
    assert "fetch_data: error: some/data at" in done.stderr
    assert "Traceback" not in done.stderr
    assert not marker.exists()


def test_a_later_job_finds_a_file_that_was_changed_with_its_size_and_time_kept(hub: ForkingHub, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    assert fetch(hub, folder).returncode == 0
    check_folder(folder)
    path = folder / "model-00001-of-00002.safetensors"
    times = path.stat()
    content = path.read_bytes()
    path.write_bytes(content[:500] + b"\x09" + content[501:])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(
        BadInput, match=r"model-00001-of-00002\.safetensors: missing, changed or truncated since manifest\.json"
    ):
        check_folder(folder)
    path.write_bytes(content)
    check_folder(folder)
    (folder / "model.safetensors").write_bytes(b"others")  # transformers would load it instead of the two shards
    with pytest.raises(BadInput, match=r"model\.safetensors: the manifest of this folder does not name"):
        check_folder(folder)
    (folder / "model.safetensors").unlink()
    path.unlink()
    with pytest.raises(BadInput, match=r"model-00001-of-00002\.safetensors: missing, changed"):
        check_folder(folder)


def test_rows_that_were_changed_after_they_were_fetched_are_not_read(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS))
    manifest = tmp_path / "rows.jsonl.manifest.json"
    manifest.write_text(json.dumps({"files": {rows.name: sha256(rows.read_bytes()).hexdigest()}}))
    source = DataSource(file=rows, licence="MIT")
    assert len(list(read_source("mine", source, rows, MATH))) == len(QUESTIONS)  # type: ignore[arg-type]
    rows.write_text(rows.read_text().replace("#### 7", "#### 8"))
    with pytest.raises(BadInput, match=r"rows\.jsonl: missing, changed"):
        list(read_source("mine", source, rows, MATH))  # type: ignore[arg-type]


@pytest.mark.slow
def test_one_target_fetches_all_that_a_task_needs_and_the_rest_runs_offline(
    hub: ForkingHub, workflow: Workflow
) -> None:
    hub.repositories["models/some/guarded"] = Repository({**CONFIG, **WEIGHTS}, gated=True)
    hub.repositories["datasets/some/data"] = Repository(data_files())
    models = {"model": {"hub": "some/model", "size": "tiny"}, "guarded": {"hub": "some/guarded", "size": "tiny"}}
    models["vectors"] = models["model"]
    workflow.change_models(models)
    hubs = {split: {"repo": "some/data", "name": "main", "split": split} for split in ("train", "test")}
    data = {
        "seeds": {"own": {"hub": hubs["train"], "licence": "MIT"}},
        "tests": {"own": {"hub": hubs["test"], "licence": "MIT", "measures": "accuracy"}},
        "heldout_share": 0.5,
    }
    roles = {"proposer": "model", "target": "guarded", "teacher": "model", "transfer": []}
    workflow.write_task("hubbed", {**roles, "embedding": {"model": "vectors"}}, data=data)
    home = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(workflow.folder / "home")}
    target, folder = "results/hubbed/prefetch.json", workflow.folder
    dry = workflow.run("-n", target, HF_ENDPOINT="http://127.0.0.1:9")
    assert dry.returncode == 0, dry.stdout

    done = workflow.run(target, **home)
    assert done.returncode == 1
    assert all(f"config/lock.yaml: {repo}: no commit" in done.stdout for repo in ("some/model", "some/guarded"))
    ids = {f"some/{name}": hub.repositories[f"models/some/{name}"].commit for name in ("model", "guarded")}
    ids["some/data"] = hub.repositories["datasets/some/data"].commit
    done = workflow.run("pin_revisions", **home)
    assert (
        "Qwen/Qwen2.5-Math-7B-Instruct: not on the hub" in done.stdout
    )  # the shipped models; other models are pinned anyway
    assert yaml.safe_load((folder / "config/lock.yaml").read_text()) == ids

    done = workflow.run(target, **home)
    assert done.returncode == 1
    assert done.stdout.count("the hub does not give 1 of the files that are needed") == 1
    assert "some/guarded at" in done.stdout
    assert not list(folder.glob("results/**/fetch_model.log"))  # no job has started
    done = workflow.run(target, **home, HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stdout
    listed = json.loads((folder / target).read_text())
    assert {facts["hub"]: facts["revision"] for facts in listed.values()} == ids
    assert len(listed) == 5

    hub.forget()
    done = workflow.run("results/hubbed/seeds.jsonl", **home)
    assert done.returncode == 0, done.stdout
    assert len((folder / "results/hubbed/seeds.jsonl").read_text().splitlines()) > 10


def written(folder: Path, content: dict[str, bytes]) -> Path:
    """A folder that a rule made, with a file that was added later."""
    with building_folder(folder) as own:
        for name, part in content.items():
            (own / name).parent.mkdir(exist_ok=True)
            (own / name).write_bytes(part)
    (folder / "later.txt").write_bytes(b"no part of it")
    return folder


def push(
    hub: ForkingHub, folder: Path, repo_type: str, token: str = TOKEN, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Push as the rule does."""
    arguments = {"repo": "me/mine", "repo-type": repo_type, "private": "True", "token-env": "MY_TOKEN", **more}
    words = command("push_folder", folder=folder, record=folder.parent / "record.json", **arguments)
    return hub.stages.run(words[1:], {**os.environ, "HF_TOKEN": "", "MY_TOKEN": token})


def test_a_pushed_data_set_is_the_folder_and_is_read_back(hub: ForkingHub, tmp_path: Path) -> None:
    card = b"---\nconfigs:\n- config_name: main\n  data_files:\n  - {split: train, path: main/train.parquet}\n---\n"
    content = {"README.md": card, "main/train.parquet": parquet(QUESTIONS)}
    folder = written(tmp_path / "dataset", content)
    done = push(hub, folder, "dataset")
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stderr
    repository = hub.repositories["datasets/me/mine"]
    manifest = (folder / "manifest.json").read_bytes()
    assert repository.files == {".gitattributes": b"", "manifest.json": manifest, **content}
    assert (repository.private, len(repository.messages)) == (True, 1)
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["repository"], record["type"], record["commit"]) == ("me/mine", "dataset", repository.commit)
    read = fetch_data(hub, tmp_path, "me/mine", "main", "train")
    assert read.returncode == 0, read.stderr
    assert [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()] == QUESTIONS


def test_pushing_again_commits_changed_files_and_removes_missing_ones(hub: ForkingHub, tmp_path: Path) -> None:
    folder = written(tmp_path / "model", {**CONFIG, **WEIGHTS})
    for _ in range(2):
        done = push(hub, folder, "model")
        assert done.returncode == 0, done.stderr
    repository = hub.repositories["models/me/mine"]
    assert len(repository.messages) == 1
    shutil.rmtree(folder)
    content = {**CONFIG, "model.safetensors": b"\x03" * 500}
    written(folder, content)
    done = push(hub, folder, "model", private="False")
    assert done.returncode == 0, done.stderr
    assert repository.files.keys() == {".gitattributes", "manifest.json", *content}
    assert repository.files["model.safetensors"] == content["model.safetensors"]
    assert repository.private  # as it was made


def test_nothing_is_pushed_without_a_valid_token_or_with_changed_files(hub: ForkingHub, tmp_path: Path) -> None:
    folder = written(tmp_path / "model", {**CONFIG, **WEIGHTS})
    (tmp_path / "changed").mkdir()
    shutil.copytree(folder, tmp_path / "changed/model")
    (tmp_path / "changed/model/config.json").write_bytes(b"{}")
    for where, token, reason in (
        (folder, "", "the environment variable MY_TOKEN is empty; export a token"),
        (folder, "hf_another", "me/mine: not pushed: "),
        (
            tmp_path / "changed/model",
            TOKEN,
            "config.json: missing, changed or truncated since manifest.json beside it was written",
        ),
    ):
        done = push(hub, where, "model", token)
        assert done.returncode == 1
        assert reason in done.stderr
        assert "Traceback" not in done.stderr
        assert "hf_another" not in done.stderr
        assert not (where.parent / "record.json").exists()
    assert "models/me/mine" not in hub.repositories


@pytest.mark.slow
def test_a_push_is_a_local_rule_runs_only_if_asked_and_needs_an_owner(hub: ForkingHub, workflow: Workflow) -> None:
    folder = workflow.folder / "results/tiny-math/iter1"
    written(folder / "proposer", {**CONFIG, **WEIGHTS})
    target = "results/tiny-math/pushed/iter1/proposer.json"
    only = ("--allowed-rules", "push_folder")
    done = workflow.run(target, *only)
    assert done.returncode == 1
    assert "push.owner: it is null; name the user or organisation" in done.stdout
    own = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(workflow.folder / "home"), "HF_TOKEN": TOKEN}
    done = workflow.run(target, *only, "--config", "push={owner: me}", **own, HF_HUB_DISABLE_XET="1")
    assert done.returncode == 0, done.stdout
    assert "localrule push_folder" in done.stdout
    assert json.loads((workflow.folder / target).read_text())["repository"] == "me/tiny-math-iter1-proposer"
    assert hub.repositories["models/me/tiny-math-iter1-proposer"].private
