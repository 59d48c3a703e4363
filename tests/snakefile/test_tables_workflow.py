"""The rules of tables and figures, run by Snakemake: they show the results that exist, and train nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from tests.support.evaluations import write_proposer, write_target
from tests.support.markdown_tables import joined, rows_of
from tests.support.plans import NOWHERE, planned
from tests.support.warm_python import warm_python
from tests.support.workflows import REPOSITORY, Workflow

from reversegen.evaluation.outcomes import read_run

TABLES = ("safety", "honesty", "math", "factual", "ablation")
FORMS = ("csv", "md", "tex")
MADE = [f"results/tables/{t}.{form}" for t in TABLES for form in FORMS]
MADE += [f"results/figures/{t}.svg" for t in TABLES]


def content(workflow: Workflow) -> dict[str, bytes]:
    return {file: (workflow.folder / file).read_bytes() for file in MADE}


@pytest.mark.slow
@pytest.mark.models
def test_tables_of_what_ships_and_then_of_own_results_and_the_report_of_both(workflow: Workflow) -> None:
    done = workflow.run("tables", **NOWHERE)
    assert done.returncode == 0, done.stdout
    assert planned(done.stdout) == {"compare_tasks": 5, "tables": 1}
    shipped = content(workflow)
    text = joined(shipped["results/tables/math.md"].decode())
    assert "not from your own runs: tiny-math, tiny-math.s1, tiny-math.s2." in text
    assert "Not shown, since they have no results: math, math-qwen3, math-qwen3-8b." in text

    # a run that stopped half way, without its seeds: a table makes nothing that is missing or out of date
    own = workflow.folder / "results/tiny-math"
    write_proposer(own / "iter1")
    _, tests = write_target(own / "original")
    (own / "tests").mkdir()
    for name, file in (("test", tests[0]), ("pretraining", tests[2])):
        shutil.copy(file, own / f"tests/{name}.jsonl")
    evaluation = json.loads((own / "original/eval.json").read_text())
    evaluation["metrics"]["accuracy"] |= {"value": 2 / 3, "total": 3}
    evaluation["groups"] = {}
    (own / "original/eval.json").write_text(json.dumps(evaluation))
    done = workflow.run("tables", **NOWHERE)
    assert done.returncode == 0, done.stdout
    assert planned(done.stdout) == {"collect_outcomes": 1, "compare_tasks": 2, "tables": 1}
    run = read_run(own / "outcomes.json")
    assert [m.evaluation.role for m in run.measured] == ["proposer", "target"]
    mine = content(workflow)
    row = rows_of(mine["results/tables/math.md"].decode(), 2)["tiny-math", "1"]
    assert (row["random seeds"], row["failure_rate"][:5]) == ("1", "0.600")
    assert b"your own runs" not in mine["results/tables/math.md"]
    assert mine["results/tables/safety.csv"] == shipped["results/tables/safety.csv"]
    assert "Nothing to be done" in workflow.run("-n", "tables").stdout

    # a new evaluation is collected; one with the same content is not
    time.sleep(0.01)
    (own / "original/eval.json").touch()
    assert "Nothing to be done" in workflow.run("-n", "tables").stdout
    write_proposer(own / "iter2")
    assert planned(workflow.run("-n", "tables").stdout) == {"collect_outcomes": 1, "compare_tasks": 2, "tables": 1}
    shutil.rmtree(own / "iter2")

    done = workflow.run("--report", "report.zip", "tables")
    assert done.returncode == 0, done.stdout
    with zipfile.ZipFile(workflow.folder / "report.zip") as report:
        files = {Path(name).name: name for name in report.namelist()}
        assert {Path(name).name for name in MADE} <= set(files)
        assert report.read(files["math.md"]) == mine["results/tables/math.md"]
        page = report.read(files["report.html"]).decode()
    for text in (
        "Comparisons",
        "paired differences on the same",
        "ReverseGen (arXiv 2410.16736)",
        "LaTeX",
    ):
        assert text in page


@pytest.mark.slow
def test_a_changed_result_that_ships_makes_its_table_again_and_a_new_time_does_not(tmp_path: Path) -> None:
    for name in ("Snakefile", "rules", "scripts", "profiles"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    for name in ("config", "resources"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    command = [warm_python(), "-m", "snakemake", "--cores", "1"]
    options = [
        "results/tables/math.md",
        "results/tables/honesty.md",
        "--config",
        "tables={math: [tiny-math], honesty: [tiny-honesty]}",
    ]

    def run(*words: str) -> str:
        done = subprocess.run([*command, *words, *options], cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    run()
    file = tmp_path / "resources/example/tiny-math.json"
    time.sleep(0.01)
    file.touch()
    assert "Nothing to be done" in run("-n")
    content, before = json.loads(file.read_text()), (tmp_path / "results/tables/math.md").read_text()
    file.write_text(json.dumps(content | {"proposer": "another"}))
    plan = run("-n")
    assert planned(plan) == {"compare_tasks": 1}
    assert "reason: Params have changed" in plan
    run()
    after = (tmp_path / "results/tables/math.md").read_text()
    assert "another" in after
    assert "another" not in before
    assert "Nothing to be done" in run("-n")


def test_a_table_of_an_unknown_task_is_refused_by_name(workflow: Workflow) -> None:
    tables = "tables={math: [tiny-maths]}"
    done = workflow.run("-n", "results/tables/math.md", "--config", tables)
    assert done.returncode == 1
    assert "tables.math: unknown task 'tiny-maths': config/tasks/ has" in done.stdout


ABLATIONS = sorted(
    path.stem for path in (REPOSITORY / "config/tasks/ablations").iterdir() if "\nreuse: " in path.read_text()
)


def test_every_ablation_plans_without_network_and_makes_no_part_that_it_reuses(workflow: Workflow) -> None:
    done = workflow.run("-n", *(f"results/{name}/table.md" for name in ABLATIONS), **NOWHERE)
    assert done.returncode == 0, done.stdout
    files = {
        file.strip() for line in re.findall(r"^ +output: (.*)$", done.stdout, re.MULTILINE) for file in line.split(",")
    }
    for name in ABLATIONS:
        text = (workflow.folder / f"config/tasks/ablations/{name}.yaml").read_text()
        parts = re.search(r"^reuse: \[(.*)\]$", text, re.MULTILINE)[1].split(", ")  # type: ignore[index]
        own = [file for file in files if file.startswith(f"results/{name}/")]
        assert f"results/{name}/table.md" in own
        again = [f for f in own for part in parts if re.match(rf"results/{name}/{part}[/.]", f)]
        assert [f for f in again if not f.endswith(("/pairs.jsonl", "embeddings.npy"))] == []
    assert planned(done.stdout)["train_proposer"] == 3 * len(ABLATIONS) - 2  # one of them has one round


def test_snakemakes_report_holds_what_people_look_at_of_a_task(workflow: Workflow) -> None:
    names = ("table.md", "table.csv", "report.html", "plan.md", "judge.json", "contamination.json")
    folder = workflow.folder / "results/tiny-math"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text(name)
    (folder / "iter1").mkdir()
    (folder / "iter1/audit.csv").write_text("text of a model")
    done = workflow.run(
        "--report", "r.zip", *(f"results/tiny-math/{n}" for n in ("table.md", "report.html", "plan.md"))
    )
    assert done.returncode == 0, done.stdout
    with zipfile.ZipFile(workflow.folder / "r.zip") as report:
        held = {Path(name).name for name in report.namelist() if "/data/raw/" in name}
        page = report.read("r/report.html").decode()
    assert held == set(names)
    for text in (
        "tiny-math",
        "plan",
        "judge check",
        "contamination gate",
        "Markdown",
        "its targets by enhancement source",
    ):
        assert text in page
