"""Weights in .bin files are fetched separately and converted without network. The tensors stay the same, and nothing runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from tests.support.hub_server import Repository
from tests.support.hub_stages import CONFIG, NOT_OF_MODULES, SENTENCES, ForkingHub, contents, fetch, stage
from tests.support.models import build_model, write_folder
from tests.support.workflows import REPOSITORY, Workflow
from transformers import AutoModelForCausalLM

from reversegen.config.models import Model, ModelUse
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.models import conversion
from reversegen.models.conversion import convert_model
from reversegen.models.folder import check_folder
from reversegen.models.loading import load_model

INDEX = "pytorch_model.bin.index.json"


@pytest.fixture
def hub() -> Iterator[ForkingHub]:
    server = ForkingHub()
    yield server
    server.close()


def tensors(dtype: torch.dtype = torch.float16) -> dict[str, torch.Tensor]:
    """The tensors of a random Llama, with properties that published files may have: other dtypes, a view, shared memory."""
    made = {name: value.detach().to(dtype) for name, value in build_model().state_dict().items()}
    made["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.arange(4, dtype=torch.float32)
    made["view"] = torch.arange(12, dtype=torch.bfloat16).reshape(3, 4).T
    made["tied"] = made["model.embed_tokens.weight"]
    made["part"] = made["model.embed_tokens.weight"][2:]
    made["one"] = torch.tensor(7, dtype=torch.int64)
    made["none"] = torch.zeros(0)
    return made


def pickled(folder: Path, shards: list[dict[str, torch.Tensor]], **how: Any) -> Path:
    """A folder as fetch_bin leaves it: a model's other files, .bin weights, and the manifest."""
    write_folder(folder, build_model())
    (folder / "model.safetensors").unlink()
    if len(shards) == 1:
        torch.save(shards[0], folder / "pytorch_model.bin", **how)
    else:
        names = [f"pytorch_model-{n:05}-of-{len(shards):05}.bin" for n in range(1, len(shards) + 1)]
        for name, shard in zip(names, shards, strict=True):
            torch.save(shard, folder / name, **how)
        places = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
        (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    return named(folder)


def named(folder: Path) -> Path:
    """Write the manifest again, as if the present files had been fetched."""
    (folder / "manifest.json").unlink(missing_ok=True)
    files = {name: sha256(content).hexdigest() for name, content in contents(folder).items()}
    (folder / "manifest.json").write_text(json.dumps({"hub": "some/model", "revision": "0" * 40, "files": files}))
    return folder


def written(folder: Path) -> dict[str, torch.Tensor]:
    return {key: value for path in sorted(folder.glob("*.safetensors")) for key, value in load_file(path).items()}


def one_file() -> list[dict[str, torch.Tensor]]:
    return [tensors()]


def halves() -> list[dict[str, torch.Tensor]]:
    whole = list(tensors().items())
    return [dict(whole[:5]), dict(whole[5:])]


@pytest.mark.parametrize("shards", [one_file, halves])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old form"])
@pytest.mark.parametrize("limit", [conversion.SHARD, 700], ids=["one file", "many files"])
def test_what_is_written_are_the_tensors_that_torch_reads(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shards: Callable[[], list[dict[str, torch.Tensor]]],
    zipped: bool,
    limit: int,
) -> None:
    monkeypatch.setattr(conversion, "SHARD", limit)
    source = pickled(tmp_path / "source", shards(), _use_new_zipfile_serialization=zipped)
    expected = {k: v for f in source.glob("*.bin") for k, v in torch.load(f, weights_only=False).items()}
    convert_model(source, tmp_path / "model")
    check_folder(tmp_path / "model")
    found = written(tmp_path / "model")
    assert found.keys() == expected.keys() == tensors().keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        assert torch.equal(found[name], tensor)
    files = sorted(tmp_path.glob("model/*.safetensors"))
    manifest = read_json(tmp_path / "model/manifest.json")
    assert manifest["converted_from"] == {
        f.name: sha256(f.read_bytes()).hexdigest() for f in sorted(source.glob("*.bin"))
    }
    assert (manifest["hub"], manifest["revision"]) == ("some/model", "0" * 40)
    assert not [name for name in manifest["files"] if ".bin" in name]
    index = tmp_path / "model/model.safetensors.index.json"
    if limit == 700:
        places = read_json(index)["weight_map"]
        assert len(files) > 5
        for file in files:
            with safe_open(file, "pt") as opened:
                keys = set(opened.keys())
                size = sum(found[key].nbytes for key in keys)
                assert opened.metadata() == {"format": "pt"}
                assert {key for key, place in places.items() if place == file.name} == keys
                assert size <= 700 or len(keys) == 1
        assert read_json(index)["metadata"]["total_size"] == sum(tensor.nbytes for tensor in found.values())
    else:
        assert [file.name for file in files] == ["model.safetensors"]
        assert not index.exists()


@pytest.mark.parametrize("limit", [conversion.SHARD, 700])
def test_transformers_loads_the_same_model_from_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """transformers reads the .bin files with its own code, so equal logits show equal weights."""
    monkeypatch.setattr(conversion, "SHARD", limit)
    state = {key: value for key, value in tensors().items() if key not in ("view", "tied", "part", "one", "none")}
    whole = list(state.items())
    source = pickled(tmp_path / "source", [dict(whole[:5]), dict(whole[5:])])
    convert_model(source, tmp_path / "model")
    theirs = AutoModelForCausalLM.from_pretrained(source, dtype="float32", use_safetensors=False).eval()
    ours = load_model(tmp_path / "model", ModelUse(dtype="float32"), 1).eval()
    assert theirs.state_dict().keys() == ours.state_dict().keys()
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in theirs.state_dict().items())
    tokens = torch.tensor([[5, 6, 7, 8]])
    assert torch.equal(theirs(tokens).logits, ours(tokens).logits)
    half = load_model(tmp_path / "model", ModelUse(dtype="float16"), 1)
    assert torch.equal(half.lm_head.weight, state["lm_head.weight"])


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    source = pickled(tmp_path / "source", halves())
    for name in ("one", "two"):
        convert_model(source, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


class Runs:
    """The content of an attacker's pickle, which runs a program as soon as it is opened in the usual way."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def broken(name: str, edit: Callable[[Path], None]) -> Callable[[Path, Path], None]:
    return lambda path, _: edit(path / name)


WEIGHTS = "pytorch_model.bin"
NOT_OPENED = "the weights cannot be read, and no part of the file was run: "
FAULTS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "a program": (
        lambda path, marker: torch.save({"a": Runs(marker)}, path / WEIGHTS),
        f"{WEIGHTS}: {NOT_OPENED}it asks for posix.system, which tensors never need; lock a commit",
    ),
    "a program in the old form": (
        lambda path, marker: torch.save({"a": Runs(marker)}, path / WEIGHTS, _use_new_zipfile_serialization=False),
        f"{WEIGHTS}: {NOT_OPENED}it asks for posix.system",
    ),
    "a module": (
        broken(WEIGHTS, lambda file: torch.save(torch.nn.Linear(2, 2), file)),
        f"{WEIGHTS}: {NOT_OPENED}it asks for torch.nn.modules.linear.Linear",
    ),
    "cut short": (
        broken(WEIGHTS, lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])),
        f"{WEIGHTS}: {NOT_OPENED}it is truncated, or not a file of tensors",
    ),
    "a pointer of git": (
        broken(WEIGHTS, lambda file: file.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")),
        f"{WEIGHTS}: {NOT_OPENED}it is truncated, or not a file of tensors",
    ),
    "empty": (broken(WEIGHTS, lambda file: file.write_bytes(b"")), f"{WEIGHTS}: {NOT_OPENED}it is truncated"),
    "a checkpoint": (
        broken(WEIGHTS, lambda file: torch.save({"state_dict": tensors()}, file)),
        f"{WEIGHTS}: 'state_dict' is a dict instead of a tensor, as in a training checkpoint",
    ),
    "a number": (
        broken(WEIGHTS, lambda file: torch.save({**tensors(), "step": 3}, file)),
        f"{WEIGHTS}: 'step' is a int instead of a tensor",
    ),
    "a list": (
        broken(WEIGHTS, lambda file: torch.save(list(tensors().values()), file)),
        f"{WEIGHTS}: the content is a list instead of tensors by name",
    ),
    "nothing": (
        broken(WEIGHTS, lambda file: torch.save({}, file)),
        f"{WEIGHTS}: the content is a dict instead of tensors by name",
    ),
    "sparse": (
        broken(WEIGHTS, lambda file: torch.save({"a": torch.eye(3).to_sparse()}, file)),
        f"{WEIGHTS}: a is not a dense tensor",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_without_weights_is_one_line_and_runs_nothing(tmp_path: Path, fault: str) -> None:
    edit, line = FAULTS[fault]
    source = pickled(tmp_path / "source", [tensors()])
    edit(source, tmp_path / "ran")
    named(source)
    with pytest.raises(BadInput) as refusal:
        convert_model(source, tmp_path / "model")
    assert str(refusal.value).startswith(f"{source}/{line}")
    assert "\n" not in str(refusal.value)
    assert "weights_only" not in str(refusal.value)  # torch advises to switch it off
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "model").exists()
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def moved(**places: str) -> Callable[[Path], None]:
    """Make the index place tensors in other files."""

    def edit(folder: Path) -> None:
        index = json.loads((folder / INDEX).read_text())
        index["weight_map"] |= {key.replace("__", "."): place for key, place in places.items()}
        (folder / INDEX).write_text(json.dumps(index))

    return edit


def doubled(folder: Path) -> None:
    first, second = sorted(folder.glob("*.bin"))
    torch.save({**torch.load(second), "one": 1 * torch.load(first)["model.embed_tokens.weight"]}, second)
    torch.save({**torch.load(first), "one": torch.ones(1)}, first)


SECOND = "pytorch_model-00002-of-00002.bin"
PLACES: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (
        moved(one="pytorch_model-00003-of-00003.bin"),
        f"{INDEX}: it names pytorch_model-00003-of-00003.bin, which",
    ),
    "outside": (moved(one="../other.bin"), f"{INDEX}: '../other.bin' is not the name of a .bin file beside it"),
    "absolute": (moved(one="/etc/passwd"), f"{INDEX}: '/etc/passwd' is not the name of a .bin file beside it"),
    "not weights": (moved(one="config.json"), f"{INDEX}: 'config.json' is not the name of a .bin file beside it"),
    "elsewhere": (
        moved(model__embed_tokens__weight=SECOND),
        f"{INDEX}: {SECOND} has no tensor model.embed_tokens.weight, which the index names",
    ),
    "no index": (lambda folder: (folder / INDEX).write_text('["a"]'), f"{INDEX}: not an index of weights"),
    "no JSON": (lambda folder: (folder / INDEX).write_text("{"), f"{INDEX}: not a readable JSON file"),
    "twice": (doubled, f"{SECOND}: another file also has one"),
}


@pytest.mark.parametrize("fault", PLACES)
def test_an_index_that_leads_elsewhere_is_one_line(tmp_path: Path, fault: str) -> None:
    edit, line = PLACES[fault]
    source = pickled(tmp_path / "source", halves())
    edit(source)
    named(source)
    with pytest.raises(BadInput) as refusal:
        convert_model(source, tmp_path / "model")
    assert str(refusal.value).startswith(f"{source}/{line}")
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "model").exists()


def test_a_file_that_is_not_the_one_that_was_fetched_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pickled(tmp_path / "source", [tensors()])
    torch.save({"a": Runs(tmp_path / "ran")}, source / WEIGHTS)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(BadInput, match=r"pytorch_model\.bin: missing, changed or truncated since manifest\.json"):
        convert_model(source, tmp_path / "model")


TRIED = {
    "socket.create_connection(('127.0.0.1', 9))": "socket.getaddrinfo",
    "socket.socket()": "socket.__new__",
    "urllib.request.urlopen('http://127.0.0.1:9')": "socket.",
    "subprocess.run(['true'])": "subprocess.Popen",
    "os.system('true')": "os.system",
    "os.execv('/bin/true', ['true'])": "os.exec",
    "os.posix_spawn('/bin/true', ['true'], {})": "os.posix_spawn",
    "os.fork()": "os.fork",
    "pickle.loads(pickle.dumps(os.system))": "pickle.find_class",
    "torch.load(sys.argv[1], weights_only=False)": "pickle.find_class",
}


@pytest.mark.slow
@pytest.mark.parametrize("tried", TRIED)
def test_a_conversion_reaches_no_network_starts_no_program_and_opens_no_pickle(tmp_path: Path, tried: str) -> None:
    torch.save({"a": Runs(tmp_path / "ran")}, tmp_path / "evil.bin")
    code = (
        "import os, pickle, socket, subprocess, sys, urllib.request, torch\n"
        "from reversegen.models.conversion import refuse_ways_out\n"
        f"refuse_ways_out()\n{tried}\nprint('out')"
    )
    own = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
    words = [sys.executable, "-c", code, str(tmp_path / "evil.bin")]
    done = subprocess.run(words, env=own, text=True, capture_output=True)
    assert done.returncode == 1
    assert f"a conversion may use no network and no program, but the file asked for {TRIED[tried]}" in done.stderr
    assert "out" not in done.stdout
    assert not (tmp_path / "ran").exists()


def repository(tmp_path: Path, shards: list[dict[str, torch.Tensor]]) -> Repository:
    files = contents(pickled(tmp_path / "repository", shards))
    del files["manifest.json"]
    return Repository(
        {**files, "own.py": b"raise SystemExit", "rng_state.bin": b"no weights", "README.md": b"# A model"}
    )


@pytest.mark.slow
@pytest.mark.parametrize("shards", [one_file, halves])
def test_files_that_are_fetched_separately_are_converted_by_the_script(
    hub: ForkingHub, tmp_path: Path, shards: Callable[[], list[dict[str, torch.Tensor]]]
) -> None:
    own = hub.repositories["models/some/pickled"] = repository(tmp_path, shards())
    done = fetch(hub, tmp_path / "bin", "some/pickled", "bin")
    assert done.returncode == 0, done.stderr
    left_out = {"own.py", "rng_state.bin", "README.md"}
    assert contents(tmp_path / "bin").keys() == {"manifest.json", *own.files} - left_out
    with pytest.raises(BadInput, match=r"it has no \*\.safetensors"):
        check_folder(tmp_path / "bin")  # no stage loads this folder
    hub.forget()
    done = stage(hub, "convert_model", source=tmp_path / "bin", folder=tmp_path / "model")
    assert done.returncode == 0, done.stderr
    check_folder(tmp_path / "model")
    assert written(tmp_path / "model").keys() == tensors().keys()


def test_weights_with_another_hash_than_the_hubs_are_never_converted(hub: ForkingHub, tmp_path: Path) -> None:
    own = hub.repositories["models/some/pickled"] = repository(tmp_path, [tensors()])
    own.stored[WEIGHTS] = b"X" * len(own.files[WEIGHTS])
    done = fetch(hub, tmp_path / "bin", "some/pickled", "bin")
    assert done.returncode == 1
    assert f"{WEIGHTS}: its content has the hash" in done.stderr
    assert not (tmp_path / "bin").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "weights", "line"),
    [
        (
            {},
            "safetensors",
            "no weights model*.safetensors, the only ones that are loaded; give the model `weights: bin`",
        ),
        ({"model.safetensors": b"x"}, "bin", "it has weights model*.safetensors, which need no conversion; remove"),
        ({WEIGHTS: None}, "bin", f"neither {WEIGHTS} nor {INDEX} with shards; name another model"),
        (
            {WEIGHTS: None},
            "safetensors",
            "the only ones that are loaded; lock a commit of the repository that has them",
        ),
        (
            {WEIGHTS: None, INDEX: b'{"weight_map": {"a": "../a.bin"}}'},
            "bin",
            f"{INDEX}: '../a.bin' is not the name of a .bin file beside it",
        ),
        (
            {WEIGHTS: None, INDEX: b'{"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}'},
            "bin",
            f"{INDEX}: it names pytorch_model-00001-of-00001.bin, which does not exist",
        ),
        ({WEIGHTS: None, INDEX: b'{"weight_map": {}}'}, "bin", f"{INDEX}: not an index of weights"),
    ],
)
def test_an_obstacle_to_a_conversion_is_reported_before_weights_are_fetched(
    hub: ForkingHub, tmp_path: Path, change: dict[str, bytes | None], weights: str, line: str
) -> None:
    files = {**CONFIG, WEIGHTS: b"a pickle", **change}
    own = Repository({name: content for name, content in files.items() if content is not None})
    hub.repositories["models/some/pickled"] = own
    done = fetch(hub, tmp_path / "model", "some/pickled", weights)
    assert done.returncode == 1
    assert line in done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path, _ in own.ranges if path.endswith((".bin", ".safetensors"))]


def test_modules_in_bin_files_stay_refused(hub: ForkingHub, tmp_path: Path) -> None:
    files = {**SENTENCES, **NOT_OF_MODULES, WEIGHTS: b"a pickle"}
    for name in ("model.safetensors", "2_Dense/model.safetensors"):
        del files[name]
    hub.repositories["models/some/sentences"] = Repository(files)
    done = fetch(hub, tmp_path / "model", "some/sentences", "bin")
    assert done.returncode == 1
    assert "2_Dense: no weights model*.safetensors, the only ones that are loaded" in done.stderr


@pytest.mark.parametrize("origin", [{"folder": "x"}, {"train": None, "endpoint": None}])
def test_only_weights_of_a_hub_id_are_converted(origin: dict[str, Any]) -> None:
    if "endpoint" in origin:
        origin = {"endpoint": {"base_url": "https://example.org/v1", "model": "m", "api_key_env": "KEY"}}
    with pytest.raises(ValueError, match="weights: `bin` is only for a hub id"):
        Model.model_validate({"size": "tiny", "weights": "bin", **origin})


def test_fetching_is_local_and_converting_is_not() -> None:
    """A login node has the network but is too small for torch."""
    rules = re.split(
        r"^(?:use rule \w+ as|rule) (\w+)", (REPOSITORY / "rules/models.smk").read_text(), flags=re.MULTILINE
    )
    local = {name: "    localrule: True\n" in body for name, body in zip(rules[1::2], rules[2::2], strict=True)}
    assert local["fetch_model"]
    assert local["fetch_bin"]
    assert not local["convert_model"]


@pytest.mark.slow
def test_a_rule_fetches_converts_and_leaves_no_bin(hub: ForkingHub, workflow: Workflow, tmp_path: Path) -> None:
    hub.repositories["models/some/pickled"] = repository(tmp_path / "own", halves())
    hub.repositories["models/some/evil"] = Repository(
        {**hub.repositories["models/some/pickled"].files, SECOND: b"PK no zip"}
    )
    changes = {name: {"hub": f"some/{name}", "size": "tiny", "weights": "bin"} for name in ("pickled", "evil")}
    workflow.change_models(changes)
    lock = "".join(f"some/{name}: '{hub.repositories[f'models/some/{name}'].commit}'\n" for name in changes)
    (workflow.folder / "config/lock.yaml").write_text(lock)
    own = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(workflow.folder / "home")}
    target = "resources/downloads/models/{}"
    dry = workflow.run("-n", target.format("pickled"), HF_ENDPOINT="http://127.0.0.1:9")
    assert dry.returncode == 0, dry.stdout
    assert all(f"rule {name}:" in dry.stdout for name in ("fetch_bin", "convert_model"))
    done = workflow.run(target.format("pickled"), **own)
    assert done.returncode == 0, done.stdout
    check_folder(workflow.folder / target.format("pickled"))
    assert not list(workflow.folder.glob("resources/downloads/bin/*"))
    assert "Nothing to be done" in workflow.run("-n", target.format("pickled")).stdout
    done = workflow.run(target.format("evil"), **own)
    assert done.returncode == 1
    assert "convert_model: error: " in done.stdout
    assert f"{SECOND}: {NOT_OPENED}it is truncated" in done.stdout
