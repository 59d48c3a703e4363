"""A missing vLLM is found by asking the interpreter that the rules would use."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
from tests.support.doctor import configuration, states, write_command
from tests.support.wildcards import wild
from tests.support.workflows import Workflow

from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.operations.doctor.environments import check_vllm
from reversegen.operations.plan import plan_markdown
from reversegen.workflow import vllm_interpreter
from reversegen.workflow.environment import VLLM_WARNED
from reversegen.workflow.models import AskedModels
from reversegen.workflow.vllm_interpreter import missing_vllm


def named(workflow: Workflow, python: Path) -> Configuration:
    """The configuration with this interpreter for the environment `generate`."""
    whole = configuration(workflow)
    main = whole.workflow.model_copy(update={"python": {**whole.workflow.python, "generate": str(python)}})
    return whole.model_copy(update={"workflow": main})


@pytest.fixture
def with_vllm(tmp_path: Path) -> Path:
    """An interpreter that finds a package vllm, and nothing in it."""
    (tmp_path / "packages/vllm").mkdir(parents=True)
    (tmp_path / "packages/vllm/__init__.py").write_text("raise RuntimeError('it is looked up, and not imported')")
    write_command(tmp_path, "with", f'PYTHONPATH={tmp_path}/packages exec {sys.executable} "$@"')
    return tmp_path / "with"


@pytest.fixture
def without_vllm(tmp_path: Path) -> Path:
    """An interpreter without any package."""
    write_command(tmp_path, "without", f'exec {sys.executable} -S "$@"')
    return tmp_path / "without"


def test_an_interpreter_is_asked_whether_it_has_vllm(workflow: Workflow, with_vllm: Path, without_vllm: Path) -> None:
    vllm_interpreter._has_vllm.cache_clear()
    assert missing_vllm(["llama3-8b", "minilm"], named(workflow, with_vllm)) is None
    assert missing_vllm(["minilm", "gpt-4o-mini", "arithmetic"], named(workflow, without_vllm)) is None
    missing = missing_vllm(["llama3-8b", "llama3-8b", "minilm", "qwen3-8b"], named(workflow, without_vllm))
    assert missing
    what, fix = missing
    assert what == (
        f"llama3-8b, qwen3-8b: `engine: vllm`, but the interpreter python.generate ({without_vllm}) has no vLLM"
    )
    assert "--config 'python={generate: PYTHON}'" in fix
    assert "--config engine=transformers" in fix
    assert missing_vllm(["llama3-8b"], named(workflow, without_vllm.with_name("absent")))


def test_a_plan_says_in_one_paragraph_that_vllm_is_missing(
    workflow: Workflow, with_vllm: Path, without_vllm: Path
) -> None:
    text = plan_markdown("math", named(workflow, without_vllm), workflow.folder / "results/math")
    assert "**vLLM is missing**, unless conda deploys it. " in text
    assert "vLLM is missing" not in plan_markdown("math", named(workflow, with_vllm), workflow.folder / "results/math")
    tiny = plan_markdown("tiny-math", named(workflow, without_vllm), workflow.folder / "results/tiny-math")
    assert "vLLM is missing" not in tiny


def test_the_doctor_stops_where_vllm_is_missing(workflow: Workflow, without_vllm: Path) -> None:
    [finding] = check_vllm("math", named(workflow, without_vllm), None)
    assert finding.state == "stops"
    assert finding.text.startswith("llama3-8b, llama3-8b-instruct, qwen2.5-math-7b-instruct: `engine: vllm`")
    assert "engine=transformers" in finding.fix
    assert list(check_vllm("tiny-math", named(workflow, without_vllm), None)) == []


def test_the_doctor_names_an_argument_that_vllm_does_not_know(workflow: Workflow, vllm_python: str) -> None:
    configured = named(workflow, Path(vllm_python))
    assert states(check_vllm("math-qwen3", configured, None)) == [("vLLM", "ok")]
    workflow.change_models({"qwen3-1.7b": {"vllm": {"max_num_seq": 4}}})
    [finding] = check_vllm("math-qwen3", named(workflow, Path(vllm_python)), None)
    assert finding.state == "stops"
    assert finding.text.startswith("qwen3-1.7b: vllm.max_num_seq: vLLM ")
    assert finding.text.endswith("such as max_num_seqs")


def test_a_run_stops_before_its_first_job_and_a_dry_run_warns(
    workflow: Workflow, without_vllm: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VLLM_WARNED, "1")
    monkeypatch.delenv(VLLM_WARNED)
    monkeypatch.chdir(workflow.folder)
    configured = named(workflow, without_vllm)
    asked = AskedModels(configured)
    for role in ("proposer", "target", "teacher"):
        asked.asked_folder(role)(wild("math"))
    asked.asked_folder("proposer")(wild())  # tiny-math
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("Warning: math: llama3-8b: `engine: vllm`")
    asked.asked_folder("transfer")(wild("tiny-math", model="llama2-7b-chat"))
    with pytest.raises(
        BadInput, match=r"^math: llama3-8b, llama3-8b-instruct, qwen.*\ntiny-math, transfer llama2-7b-chat"
    ):
        asked.check_engines()
    answered = [workflow.folder / "results" / part for part in ("tiny-math/transfer/llama2-7b-chat", "math/iter3")]
    for folder, left in zip(answered, (r"^math: [^\n]*$", None), strict=True):
        folder.mkdir(parents=True)
        (folder / "responses.jsonl").touch()
        with pytest.raises(BadInput, match=left) if left else contextlib.nullcontext():
            asked.check_engines()
    monkeypatch.delenv(VLLM_WARNED)
    capsys.readouterr()
    deployed = AskedModels(configured, deploys=True)
    deployed.asked_folder("target")(wild("math"))
    deployed.check_engines()
    assert capsys.readouterr().err == ""
