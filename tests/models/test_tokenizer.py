"""A tokenizer.model alone is read as by sentencepiece and saved so. A tokenizer that cannot be loaded is one line and a fix."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tests.support.models import build_model
from tests.support.workflows import REPOSITORY
from transformers import AutoTokenizer

from reversegen.config.load import read_yaml
from reversegen.config.models import Model, ModelUse
from reversegen.core.errors import BadInput
from reversegen.core.records import Message
from reversegen.engines.base import Request
from reversegen.engines.conversations import Conversations
from reversegen.models.loading import load_tokenizer
from reversegen.models.tokenizer import open_tokenizer

USE = ModelUse(dtype="float32")
WORDS = [
    *(
        "the",
        "a",
        "of",
        "to",
        "and",
        "in",
        "how",
        "many",
        "what",
        "is",
        "river",
        "pen",
        "box",
        "sum",
        "question",
        "answer",
    ),
    *(
        "Tom",
        "has",
        "gives",
        "Anna",
        "more",
        "less",
        "total",
        "each",
        "price",
        "day",
        "hello",
        "world",
        "USER:",
        "ASSISTANT:",
    ),
    *("chat", "between", "curious", "user", "12", "345", "naïve", "café"),
]
KINDS: dict[str, dict[str, Any]] = {
    # Llama's: no normalisation, spaces as they are, bytes for what no piece has, digits one by one.
    "llama": {"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
    # OpenLLaMA's joins spaces (https://github.com/openlm-research/open_llama/issues/40).
    "open": {"normalization_rule_name": "identity", "remove_extra_whitespaces": True},
    # sentencepiece's own default, which changes letters and line breaks too.
    "folded": {},
}
CONFIG = {
    "add_bos_token": True,
    "add_eos_token": False,
    "clean_up_tokenization_spaces": False,
    "model_max_length": 512,
    "pad_token": None,
    "sp_model_kwargs": {},
    "tokenizer_class": "LlamaTokenizer",
} | {
    f"{name}_token": {"__type": "AddedToken", "content": token, "lstrip": False, "normalized": False, "rstrip": False}
    for name, token in {"bos": "<s>", "eos": "</s>", "unk": "<unk>"}.items()
}
"""As vicuna-7b-v1.5 and open_llama_3b have it: the second has no `legacy`."""


def trained(**settings: Any) -> bytes:
    """A small tokenizer.model with the special tokens of Llama's."""
    draws = random.Random(0)
    texts = [" ".join(draws.choice(WORDS) for _ in range(12)) for _ in range(1000)]
    written = io.BytesIO()
    settings = {"model_type": "bpe", "byte_fallback": True, "split_digits": True, **settings}
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=written,
        vocab_size=380,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        minloglevel=2,
        num_threads=1,
        **settings,
    )
    return written.getvalue()


@pytest.fixture(scope="module")
def models() -> dict[str, bytes]:
    return {kind: trained(**settings) for kind, settings in KINDS.items()}


def write_model(folder: Path, content: bytes, **config: Any) -> Path:
    """A model folder whose tokenizer is a tokenizer.model alone."""
    model = build_model()
    model.config.vocab_size = 380
    model.save_pretrained(folder)
    (folder / "tokenizer.model").write_bytes(content)
    (folder / "tokenizer_config.json").write_text(json.dumps({**CONFIG, **config}))
    return folder


def random_texts(count: int) -> list[str]:
    draws = random.Random(1)
    parts = [
        *WORDS,
        *"abcXYZ019.,?!:;'\"-()<>\\",
        " ",
        "  ",
        "   ",
        "\n",
        "\t",
        "\r\n",
        "é",
        "e\u0301",
        "你",
        "😀",
        "\u00a0",
        "ﬁ",
        "½",
        "ｱ",
    ]
    return ["".join(draws.choice(parts) for _ in range(draws.randint(1, 20))) for _ in range(count)]


LEGACY = [{}, {"legacy": False}, {"legacy": True}]


@pytest.mark.parametrize("legacy", LEGACY, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_those_of_sentencepiece_and_stay_so_when_saved(
    tmp_path: Path, models: dict[str, bytes], kind: str, legacy: dict[str, bool]
) -> None:
    """sentencepiece itself reads the file. A known difference: transformers drops one space at a text's beginning."""
    folder = write_model(tmp_path / "model", models[kind], **legacy)
    own = SentencePieceProcessor(model_proto=models[kind])
    tokenizer = load_tokenizer(folder, ModelUse(pad_token="<unk>"))
    load_tokenizer(folder, USE).save_pretrained(tmp_path / "saved")
    for file in ("config.json", "model.safetensors"):
        shutil.copy(folder / file, tmp_path / "saved")
    again = load_tokenizer(tmp_path / "saved", ModelUse(pad_token="<unk>"))
    plain = AutoTokenizer.from_pretrained(tmp_path / "saved")
    begun = 0
    for text in random_texts(1500):
        expected = own.encode(text)
        found = tokenizer.encode(text, add_special_tokens=False)
        if KINDS[kind].get("remove_extra_whitespaces") is False and text.startswith(" "):
            begun += 1
            expected = own.encode(text[1:]) if text != " " else found
        assert found == expected, repr(text)
        assert again.encode(text, add_special_tokens=False) == plain.encode(text, add_special_tokens=False) == found
        assert tokenizer.encode(text) == again.encode(text) == [1, *found]
        assert tokenizer.decode(found) == again.decode(found)
    assert begun > 20 or kind != "llama"
    turns = "<s> USER: hello</s>USER: the box</s> the"
    ids = tokenizer.encode(turns, add_special_tokens=False)
    assert ids == again.encode(turns, add_special_tokens=False) == plain.encode(turns, add_special_tokens=False)
    assert ids[0] == 1
    assert ids.count(2) == 2
    assert "".join(tokenizer.convert_ids_to_tokens(ids[1:4])).startswith("▁")
    facts = ("bos_token_id", "eos_token_id", "unk_token_id", "pad_token_id", "model_max_length", "padding_side")
    assert [getattr(again, name) for name in facts] == [getattr(tokenizer, name) for name in facts]
    assert len(again) == len(tokenizer) == 380
    assert sorted(path.name for path in (tmp_path / "saved").glob("tokenizer*")) == [
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_bytes_stand_for_letters_that_no_piece_has(tmp_path: Path, models: dict[str, bytes]) -> None:
    tokenizer = open_tokenizer(write_model(tmp_path / "model", models["llama"]))
    ids = tokenizer.encode("😀", add_special_tokens=False)
    assert tokenizer.convert_ids_to_tokens(ids) == ["▁", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>"]
    assert tokenizer.decode(ids) == "😀"


def test_a_folder_with_a_tokenizer_json_is_loaded_as_before(tmp_path: Path, models: dict[str, bytes]) -> None:
    folder = write_model(tmp_path / "model", models["llama"])
    AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    assert type(open_tokenizer(folder)) is type(AutoTokenizer.from_pretrained(folder))


def test_vicunas_prompt_is_what_its_training_wrote(tmp_path: Path, models: dict[str, bytes]) -> None:
    """FastChat encodes the whole conversation at once, after a <s> that the tokenizer adds."""
    shipped = Model.model_validate(read_yaml(REPOSITORY / "config/models.yaml")["vicuna-7b-v1.5"])
    tokenizer = load_tokenizer(write_model(tmp_path / "model", models["llama"], legacy=False), shipped.use)
    own = SentencePieceProcessor(model_proto=models["llama"])
    user, system = (
        Message(role="user", content="hello world"),
        Message(role="system", content="the chat between a user"),
    )
    for messages, text in (
        ([user], "USER: hello world ASSISTANT:"),
        ([system, user], "the chat between a user USER: hello world ASSISTANT:"),
    ):
        prompt = Conversations(tokenizer, shipped.use).prompt(Request(messages=messages))
        assert prompt.tokens == [1, *own.encode(text)]


def edit(change: Callable[[dict[str, Any]], None], **config: Any) -> Callable[[Path, dict[str, bytes]], None]:
    """A tokenizer.json beside the tokenizer.model, with a change."""

    def write(folder: Path, _: dict[str, bytes]) -> None:
        saved = AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
        assert saved
        content = json.loads((folder / "tokenizer.json").read_text())
        change(content)
        (folder / "tokenizer.json").write_text(json.dumps(content))
        (folder / "tokenizer_config.json").write_text(json.dumps({**CONFIG, **config}))

    return write


def content(text: bytes | str, **config: Any) -> Callable[[Path, dict[str, bytes]], None]:
    """A tokenizer.model of these bytes, or of a kind."""

    def write(folder: Path, models: dict[str, bytes]) -> None:
        (folder / "tokenizer.model").write_bytes(models[text] if isinstance(text, str) else text)
        (folder / "tokenizer_config.json").write_text(json.dumps({**CONFIG, **config}))

    return write


REMOTE = {"auto_map": {"AutoTokenizer": ["tokenization_own.OwnTokenizer", None]}, "tokenizer_class": "OwnTokenizer"}
NO_MODEL = "{folder}/tokenizer.model: not a readable sentencepiece model: "
PROGRAM = "{folder}/tokenizer_config.json: auto_map: its tokenizer needs its own program, which is not run; name another model"
OTHERWISE = (
    "{folder}/tokenizer.model: transformers and sentencepiece give different tokens for 'A river, 2 + 3 = 5.'; put a"
)
UNKNOWN = "do not know its form, which is faulty or newer: Exception: "
FAST = "PreTrainedTokenizerFast"
FAULTS: dict[str, tuple[Callable[[Path, dict[str, bytes]], None], str, str]] = {
    "half": (lambda f, m: content(m["llama"][:3000])(f, m), NO_MODEL, "put a tokenizer.json of this model beside it"),
    "empty": (content(b""), f"{NO_MODEL}ValueError: it has no tokens; copy the file here again", ""),
    "a pointer of git": (content(b"version https://git-lfs.github.com/spec/v1\n"), NO_MODEL, ""),
    "of tiktoken": (content(b"IQ== 0\nIg== 1\n"), NO_MODEL, ""),
    "an unknown class": (content("llama", tokenizer_class="OwnTokenizer"), OTHERWISE, ""),
    "another class": (content("llama", tokenizer_class="T5Tokenizer"), OTHERWISE, ""),
    "a class of a package": (
        edit(lambda _: None, tokenizer_class="MistralCommonBackend"),
        "{folder}: its tokenizer needs mistral-common, which is not installed; install it in this environment, or name",
        "",
    ),
    "a program": (edit(lambda _: None, **REMOTE), PROGRAM, ""),
    "a program and a model": (content("llama", **REMOTE), PROGRAM, ""),
    "a newer model": (
        edit(lambda c: c["model"].update(type="Newer")),
        "{folder}/tokenizer.json: transformers ",
        UNKNOWN,
    ),
    "a newer part": (
        edit(lambda c: c.update(normalizer={"type": "Newer"}), tokenizer_class=FAST),
        "{folder}/tokenizer.json: transformers ",
        "update both in this environment, or name another model in config/models.yaml",
    ),
    "a newer version": (
        edit(lambda c: c.update(version="9.0"), tokenizer_class=FAST),
        "{folder}/tokenizer.json: transformers ",
        f"{UNKNOWN}Unknown tokenizer version '9.0'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_tokenizer_that_cannot_be_loaded_is_one_line(tmp_path: Path, models: dict[str, bytes], fault: str) -> None:
    change, start, part = FAULTS[fault]
    folder = write_model(tmp_path / "model", models["llama"])
    change(folder, models)
    with pytest.raises(BadInput) as refusal:
        load_tokenizer(folder, USE)
    message = str(refusal.value)
    assert message.startswith(start.format(folder=folder))
    assert part in message
    assert "\n" not in message
    assert "tiktoken" not in message  # transformers advises to install it for any tokenizer.model
    assert "trust_remote_code" not in message
    assert len(message) < 600


def opened_without(folder: Path, *modules: str) -> subprocess.CompletedProcess[str]:
    """The tokens from a separate process that cannot import some modules, as if they were not installed."""
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({modules!r}))\n"
        "from pathlib import Path\n"
        "from reversegen.models.tokenizer import open_tokenizer\n"
        "print(open_tokenizer(Path(sys.argv[1])).encode('the river'))"
    )
    own = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "scripts"), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run([sys.executable, "-c", code, str(folder)], env=own, text=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "package"), [("sentencepiece", "sentencepiece"), ("google.protobuf", "protobuf"), ("google", "protobuf")]
)
def test_a_package_that_is_missing_is_named(
    tmp_path: Path, models: dict[str, bytes], module: str, package: str
) -> None:
    folder = write_model(tmp_path / "model", models["llama"])
    done = opened_without(folder, module)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"reversegen.core.errors.BadInput: {folder}/tokenizer.model: the folder has no tokenizer.json, and {package}, "
        "which reads this file, is not installed; install it in this environment, in the version that "
        "envs/ and requirements.txt pin"
    )


@pytest.mark.slow
def test_a_tokenizer_json_needs_neither_package(tmp_path: Path, models: dict[str, bytes]) -> None:
    """As for the tiny models and most models on the hub."""
    folder = write_model(tmp_path / "model", models["llama"])
    open_tokenizer(folder).save_pretrained(folder)
    done = opened_without(folder, "sentencepiece", "google.protobuf")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [1, *SentencePieceProcessor(model_proto=models["llama"]).encode("the river")]
