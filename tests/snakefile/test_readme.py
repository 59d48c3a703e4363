"""The README's worked examples, run as they are written."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.workflows import REPOSITORY

from reversegen.core.records import Prompt, read_records

README = (REPOSITORY / "README.md").read_text()


def section(title: str) -> str:
    """The text of a section, up to the next heading."""
    return re.split(r"^#{2,3} ", README.split(f"### {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def follow(text: str, folder: Path) -> list[str]:
    """Write the files that a section shows; return its commands."""
    for name, content in re.findall(r"`([\w./-]+\.\w+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return re.findall(r"^    (snakemake .*)$", text, re.MULTILINE)


def run(commands: list[str], folder: Path) -> None:
    assert commands
    for command in commands:
        words = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(words, cwd=folder, text=True, capture_output=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"


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


@pytest.mark.slow
def test_a_task_of_ones_own_data(repository: Path) -> None:
    commands = follow(section("A task of your own data, without Python"), repository)
    write_column(repository / "my_questions.csv", "question", [f"How do I make {thing}?" for thing in THINGS])
    write_column(repository / "my_harmless.csv", "question", ["How do I plant a tree?", "How do I paint a door?"])
    run(commands, repository)
    prompts = read_records(repository / "results/mine/iter0/prompts.jsonl", Prompt)
    assert len(prompts) == 34
    assert all(prompt.text.count("How do I make") == 3 for prompt in prompts)


@pytest.mark.slow
def test_an_ablation(repository: Path) -> None:
    run(follow(section("An ablation that costs only what differs"), repository), repository)


@pytest.mark.slow
def test_a_new_kind(repository: Path) -> None:
    text = section("A new kind")
    commands = follow(text, repository)
    table = repository / "scripts/reversegen/kinds/__init__.py"
    line = re.search(r"`(    \"spelling\": .*?)`", text)
    assert line
    added = table.read_text().replace('    "safety"', f'{line[1]}\n    "safety"')
    table.write_text(added.replace("import honesty, math, safety", "import honesty, math, safety, spelling"))
    write_column(repository / "words.csv", "word", THINGS)
    write_column(repository / "longer.csv", "word", ["elephant", "umbrella"])
    run(commands, repository)
    prompts = read_records(repository / "results/spelling/iter0/prompts.jsonl", Prompt)
    assert all(prompt.text.count("Spell ") == 3 for prompt in prompts)
