"""Another workflow uses ours as a module of Snakemake."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from pathlib import Path

import pytest
from tests.support.plans import planned
from tests.support.workflows import MICRO, REPOSITORY, Workflow

IMPORTING = f"""
module reversegen:
    snakefile: "{REPOSITORY / "Snakefile"}"

use rule * from reversegen as reversegen_*

rule use:
    default_target: True
    input: "results/tiny-math/iter0/eval.json"
    output: "used.json"
    shell: "cp {{input}} {{output}}"
"""


@pytest.fixture
def importing(workflow: Workflow) -> Workflow:
    """A workflow in a folder with a configuration of its own, whose tiny-math is made small."""
    (workflow.folder / "Snakefile").write_text(IMPORTING)
    workflow.write_task("tiny-math", {key: value for key, value in MICRO.items() if key != "transfer"})
    shutil.rmtree(workflow.folder / "config/accelerate")
    return workflow


def run(importing: Workflow, *words: str) -> str:
    done = importing.run("--snakefile", "Snakefile", *words)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_an_importing_workflow_plans_ours_beside_its_own_rules(importing: Workflow) -> None:
    jobs = planned(run(importing, "-n"))
    assert jobs["use"] == jobs["reversegen_train_warmup"] == jobs["reversegen_evaluate_proposer"] == 1
    assert {name for name in jobs if not name.startswith("reversegen_")} == {"use"}
    importing.write_task("tiny-math", {"shards": 3}, base="tiny-math")
    jobs = planned(run(importing, "-n"))
    assert (jobs["reversegen_sample_instructions"], jobs["reversegen_gather_shards"]) == (3, 4)


def test_the_documentation_shows_a_workflow_that_imports_ours(importing: Workflow) -> None:
    page = (REPOSITORY / "docs/own-data.md").read_text()
    [shown] = re.findall(r"^    module reversegen:\n(?:    .*\n|\n)+", page, re.MULTILINE)
    text = textwrap.dedent(shown).replace("reversegen/Snakefile", str(REPOSITORY / "Snakefile"))
    (importing.folder / "Snakefile").write_text(text)
    jobs = planned(run(importing, "-n"))
    assert jobs["reversegen_evaluate_proposer"] == jobs["all"] == 1


@pytest.mark.models
@pytest.mark.slow
def test_an_importing_workflow_runs_tiny_math_to_its_first_evaluation(importing: Workflow, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, importing.folder / "results/models")
    run(importing)
    evaluation = json.loads((importing.folder / "used.json").read_text())
    assert evaluation["metrics"]["validity"]["total"] == 20 * 5  # by the importing workflow's own configuration
    triggers = ("--rerun-triggers", "mtime", "params", "input", "software-env")
    assert "Nothing to be done" in run(importing, "-n", *triggers)
