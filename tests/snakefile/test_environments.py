"""Environments are pinned, agree with what is tested here, hold what their stages import, and resolve for CUDA."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.support.check_environments import (
    DISTRIBUTIONS,
    ROOT,
    UNREACHED,
    modules,
    package,
    pinned,
    required,
    rules,
    stages,
)

from reversegen.operations.pins import pinned_files

ENVIRONMENTS = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))
HELD_BACK = {"transformers", "numpy"}
"""Packages whose tested version vLLM refuses."""
PLATFORMS = ["manylinux1", "manylinux2010", "manylinux2014", *(f"manylinux_2_{minor}" for minor in range(5, 36))]
"""The platforms whose wheels pip may install for Linux with glibc 2.35. Given one platform, pip adds no older one to it."""


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_is_one_python_from_conda_and_exact_pins_from_pip(name: str) -> None:
    content = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
    assert content.keys() == {"channels", "dependencies"}
    assert content["channels"] == ["conda-forge"]
    assert content["dependencies"][:2] == ["python =3.11", "pip"]
    lines = content["dependencies"][2]["pip"]
    assert len(pinned(name)) == len(lines)
    assert lines == sorted(lines, key=str.casefold)


def test_requirements_and_environments_are_those_of_the_pins() -> None:
    """If this fails, run `make pins`."""
    files = pinned_files(ROOT / "envs/pins.toml")
    written = [*ROOT.glob("requirements*.txt"), *ROOT.glob("envs/*.yaml")]
    assert files == {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in written}


def test_environments_pin_the_versions_that_are_tested_here() -> None:
    tested = {}
    for file in ROOT.glob("requirements*.txt"):
        for name, version in required(file.name).items():
            assert tested.setdefault(name, version) == version, f"{file.name}: {name}"
    twins = {name.replace("-gpu", "-cpu"): name for name in ("faiss-gpu",)}
    tested |= {twins[name]: version for name, version in tested.items() if name in twins}
    different = {
        (environment, name)
        for environment in ENVIRONMENTS
        for name, version in pinned(environment).items()
        if tested.get(name, version) != version
    }
    assert different == {("generate", name) for name in HELD_BACK}


def test_every_rule_names_the_environment_of_its_interpreter() -> None:
    named = {rule: environment for rule, environment, _ in rules() if environment}
    assert set(named.values()) == set(ENVIRONMENTS)
    for path in (ROOT / "rules").glob("*.smk"):
        for block in re.split(r"^(?=(?:use )?rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            name, inheriting = re.match(r"(?:use )?rule (\w+)(?: as (\w+) with)?:", block).groups()  # type: ignore[union-attr]
            if inheriting:
                named[inheriting] = named[name]
                assert "conda:" not in block, f"{inheriting} has another environment than {name}"
            elif "script:" in block or "shell:" in block:
                assert name in named, f"{path.name}: {name} names no environment"
            for interpreter in re.findall(r"stage=stage\(\"(\w+)\"", block) + ["train"] * ("=training_stage(" in block):
                assert interpreter == named[inheriting or name], f"{path.name}: {inheriting or name}"


@pytest.mark.slow
def test_each_stage_finds_what_it_imports_in_its_environment() -> None:
    for environment, scripts in stages().items():
        needed = {package(environment, module): script for script in scripts for module in modules(script)}
        lacking = {name: script for name, script in needed.items() if name not in pinned(environment)}
        assert lacking.keys() == UNREACHED[environment][0], f"{environment}: {lacking}"
    assert {"torch", "peft", "trl", "accelerate"} <= modules("train_target")  # imports in functions are seen
    assert all(name in pinned("generate") | pinned("text") | pinned("train") for name in DISTRIBUTIONS.values())


def test_every_environment_that_opens_tokenizers_can_open_a_tokenizer_model() -> None:
    """transformers imports both packages if it meets such a file, but requires neither."""
    opening = {
        environment for environment, scripts in stages().items() if any("transformers" in modules(s) for s in scripts)
    } - {name for name, (lacking, _) in UNREACHED.items() if "transformers" in lacking}
    assert opening == {"generate", "text", "train"}
    for pins in (*map(pinned, sorted(opening)), required("requirements.txt")):
        assert {"transformers", "sentencepiece", "protobuf"} <= pins.keys()


@pytest.mark.models
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_pip_part_resolves_for_linux_with_cuda(name: str, tmp_path: Path) -> None:
    """pip resolves it from wheels alone, on any machine. An extra index might hold CPU builds, so none is used."""
    if not os.environ.get("REVERSEGEN_RESOLVE"):
        pytest.skip("half a minute to two for each environment, from the package index: set REVERSEGEN_RESOLVE=1")
    pip = [sys.executable, "-m", "pip"]
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")
    }
    environment |= {"PIP_CONFIG_FILE": os.devnull}
    probe = [*pip, "download", "--quiet", "--no-deps", "--dest", str(tmp_path), "pip"]
    reached = subprocess.run([*probe, "--timeout", "20"], env=environment, capture_output=True, text=True, check=False)
    if reached.returncode:
        pytest.skip(f"no package index is reached: {reached.stderr.strip()[-200:]}")
    report = tmp_path / "report.json"
    command = [*pip, "install", "--dry-run", "--quiet", "--ignore-installed", "--report", str(report)]
    command += ["--target", str(tmp_path / "nowhere"), "--only-binary=:all:", "--python-version=3.11"]
    command += ["--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]
    command += [f"--platform={platform}_x86_64" for platform in PLATFORMS]
    command += [f"{package}=={version}" for package, version in pinned(name).items()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = {
        part["metadata"]["name"].lower(): part["metadata"]["version"]
        for part in json.loads(report.read_text())["install"]
    }
    if "torch" in pinned(name):
        assert found["torch"] == pinned(name)["torch"]
        assert "nvidia-cuda-runtime" in found
