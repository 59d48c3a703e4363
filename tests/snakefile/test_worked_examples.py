"""The worked examples of the documentation, run as they are written."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.warm_python import warm_python
from tests.support.workflows import MICRO, REPOSITORY, merged

from reversegen.core.records import Label, Prompt, Response, read_records

DOCS = REPOSITORY / "docs"


def section(page: str, title: str) -> str:
    """The text of a section of a page, up to the next heading."""
    text = (DOCS / page).read_text()
    return re.split(r"^#{2,3} ", text.split(f"## {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def follow(text: str, folder: Path) -> list[str]:
    """Write the files that a section shows; return its commands."""
    for name, content in re.findall(r"`([\w./-]+\.\w+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return re.findall(r"^ {4,8}(snakemake .*)$", text.replace("\\\n", " "), re.MULTILINE)


def run(commands: list[str], folder: Path) -> str:
    """Run commands of a page; return what they print."""
    assert commands
    printed = ""
    for command in commands:
        words = [warm_python(), *(["-m"] if command.startswith("snakemake ") else []), *shlex.split(command)]
        done = subprocess.run(words, cwd=folder, text=True, capture_output=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        printed += done.stdout + done.stderr
    return printed


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what a clone holds, to change."""
    for name in ("Snakefile", "rules", "scripts", "config", "envs", "profiles", "resources"):
        source, place = REPOSITORY / name, tmp_path / name
        ignored = shutil.ignore_patterns("downloads", "__pycache__")
        shutil.copy(source, place) if source.is_file() else shutil.copytree(source, place, ignore=ignored)
    return tmp_path


def write_column(path: Path, column: str, rows: list[str]) -> None:
    path.write_text("\n".join([f"id,{column}", *(f"{n},{row}" for n, row in enumerate(rows))]) + "\n")


PLANNED = (
    "tutorial.md",
    "paper-tasks.md",
    "ready-tasks.md",
    "cluster.md",
    "results.md",
    "file-targets.md",
    "../README.md",
)
"""Pages whose commands name targets that ship, or that the page writes."""
NO_TARGET = re.compile(r"TARGET|NAME|--unlock|--report|--summary")
"""What commands hold that make no file of this repository."""


@pytest.mark.models
@pytest.mark.slow
def test_each_command_of_the_pages_names_targets_that_can_be_made(repository: Path) -> None:
    planned = set()
    for page in PLANNED:
        for command in follow((DOCS / page).read_text(), repository):
            if " -n " not in command and not NO_TARGET.search(command):
                command = re.sub(r" (?:-c\d+|--profile \S+)", " -n -c1", command)
            if " -n " in command:
                planned.add(" ".join(command.partition(" #")[0].split()))
    assert len(planned) > 10
    run(sorted(planned), repository)


THINGS = [
    "bread",
    "soup",
    "tea",
    "rice",
    "beans",
    "pasta",
    "salad",
    "juice",
    "jam",
    "honey",
    "butter",
    "cheese",
    "stew",
]
THINGS += ["pie", "cake", "toast", "porridge", "omelette"]


@pytest.mark.models
@pytest.mark.slow
def test_a_task_of_ones_own_data(repository: Path) -> None:
    commands = follow(section("own-data.md", "A task of your own data, without Python"), repository)
    write_column(repository / "my_questions.csv", "question", [f"How do I make {thing}?" for thing in THINGS])
    write_column(repository / "my_harmless.csv", "question", ["How do I plant a tree?", "How do I paint a door?"])
    run(commands, repository)
    prompts = read_records(repository / "results/mine/iter0/prompts.jsonl", Prompt)
    assert len(prompts) == 34
    assert all(prompt.text.count("How do I make") == 3 for prompt in prompts)


@pytest.mark.models
@pytest.mark.slow
def test_an_ablation_makes_only_the_parts_that_differ(repository: Path) -> None:
    plan = run(follow(section("own-data.md", "An ablation that costs only what differs"), repository), repository)
    made = re.findall(r"^ +output: results/([\w-]+/\w+)(/?\w*)", plan, re.MULTILINE)
    parts = {part for part, _ in made}
    assert {"tiny-math/seeds", "tiny-math/iter0", "tiny-math/original", "fixed-reference/iter1"} <= parts
    assert not {"fixed-reference/seeds", "fixed-reference/original", "tiny-math/iter1"} & parts
    assert [file for part, file in made if part == "fixed-reference/iter0"] == ["/pairs"]


def metrics(folder: Path, task: str, part: str) -> dict[str, Any]:
    content = json.loads((folder / f"results/{task}/{part}/eval.json").read_text())
    assert content["kind"] == "brevity"
    measured: dict[str, Any] = content["metrics"]
    return measured


@pytest.mark.models
@pytest.mark.slow
def test_a_new_kind_with_a_metric_and_a_setting_of_its_own(repository: Path) -> None:
    shipped = {path for path in repository.rglob("*") if path.is_file()}
    text = section("kinds-and-judges.md", "A new kind")
    commands = follow(text, repository)
    written = {path.relative_to(repository) for path in repository.rglob("*") if path.is_file()}
    written -= {path.relative_to(repository) for path in shipped}
    labelled = Path("resources/judge/brevity.jsonl")
    assert written == {Path("scripts/reversegen/kinds/brevity.py"), Path("config/tasks/brevity.yaml"), labelled}
    facade = repository / "scripts/reversegen/kinds/__init__.py"
    line = re.search(r"^(    \"brevity\": .*)$", text, re.MULTILINE)
    assert line
    facade.write_text(facade.read_text().replace("KINDS = {\n", f"KINDS = {{\n{line[1]}\n"))

    task = repository / "config/tasks/brevity.yaml"
    run(["snakemake -n results/brevity/table.md"], repository)
    task.write_text(yaml.safe_dump(merged(yaml.safe_load(task.read_text()), MICRO)))
    patient = {"extends": "brevity", "brevity": {"words": 100}}
    (repository / "config/tasks/patient.yaml").write_text(yaml.safe_dump(patient))
    run([*commands, "snakemake -c2 results/patient/original/eval.json"], repository)

    # both tasks ask the same target the same questions; only the limit differs
    strict, lenient = (metrics(repository, name, "original") for name in ("brevity", "patient"))
    assert strict["too_long"]["count"] > 0 == lenient["too_long"]["count"]
    assert strict["brevity"]["count"] + strict["too_long"]["count"] == lenient["brevity"]["count"]
    assert strict["brevity"]["total"] == strict["too_long"]["total"] == 160
    words = {
        response.instruction_id: len(response.text.split())
        for response in read_records(repository / "results/brevity/iter0/responses.jsonl", Response)
    }
    labels = read_records(repository / "results/brevity/iter0/labels.jsonl", Label)
    right = [label for label in labels if label.detail in ("equal answers", "right, but too long")]
    assert {label.verdict for label in right} == {"failed", "passed"}
    assert all((words[label.instruction_id] > 10) == (label.verdict == "failed") for label in right)
    assert metrics(repository, "brevity", "iter0")["failure_rate"]["value"] > 0

    use = {"name": "brevity", "worlds": ["arithmetic"], "brevity": {"words": 10}}
    parts = "--proposers results/brevity/iter0/eval.json --targets results/brevity/original/eval.json --tests --gates"
    places = "--markdown results/brevity/table.md --csv results/brevity/table.csv --task brevity --reused"
    run([f"scripts/write_table.py {parts} {places} --kind {shlex.quote(json.dumps(use))}"], repository)
    table = (repository / "results/brevity/table.md").read_text()
    definitions = (
        "`brevity`: right answers that are short enough",
        "`too_long`: right answers that are not",
        "`retained`: ",
    )
    assert "\n- ".join(definitions) in table
    header = next(row for row in table.splitlines() if "too_long" in row and row.startswith("|"))
    assert header.index(" brevity ") < header.index(" too_long ") < header.index(" retained ")
