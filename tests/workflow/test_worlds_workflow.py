"""The tables of worlds that rules read, the files that they are made from, and the credit that their licences ask for."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from tests.support.wildcards import shipped, wild
from tests.support.workflows import REPOSITORY, Workflow

from reversegen.config.world_files import FACTS_FILES
from reversegen.workflow import models, worlds
from reversegen.worlds import WORLDS, describe

CONFIGURATION = shipped()
TABLE = "results/worlds/facts.jsonl"


def asking(**changes: Any) -> Any:
    """The configuration, with the first seeds of tiny-math drawn from the world of facts."""
    task = CONFIGURATION.tasks["tiny-math"]
    [(name, source)] = task.data.seeds.items()
    assert source.corpus is not None
    corpus = source.corpus.model_copy(update={"world": "facts", "mix": "uniform"})
    data = task.data.model_copy(update={"seeds": {name: source.model_copy(update={"corpus": corpus})}})
    changed = task.model_copy(update={"data": data, **changes})
    return CONFIGURATION.model_copy(update={"tasks": CONFIGURATION.tasks | {"tiny-math": changed}})


def test_stages_read_the_table_of_a_world_that_has_one_and_nothing_for_an_invented_world() -> None:
    assert worlds.world_tables(CONFIGURATION, wild("tiny-math.s1")) == []
    assert worlds.world_tables(CONFIGURATION, wild("math")) == []
    assert worlds.world_tables(CONFIGURATION, SimpleNamespace(model="tiny-arithmetic")) == []  # type: ignore[arg-type]
    assert worlds.world_tables(asking(), wild("tiny-math.s1")) == [TABLE]
    assert worlds.world_tables(asking(teacher="facts"), wild()) == [TABLE]


def test_the_files_of_a_world_are_fetched_with_the_data_of_a_task() -> None:
    files = list(worlds.facts_files().values())
    assert files[1] == "resources/downloads/packages/24e87d89c775-cities15000.json"
    assert models.fetched_data(asking(), wild()) == files
    assert models.fetched_data(CONFIGURATION, wild()) == []


def test_every_rule_that_opens_a_kind_has_the_tables_among_its_inputs() -> None:
    opens = dict[str, bool]()
    for file in sorted((REPOSITORY / "rules").glob("*.smk")):
        for rule in re.split(r"^(?=\S)", file.read_text(), flags=re.MULTILINE):
            if match := re.match(r"(?:use )?rule (\w+)(?: as (\w+))?", rule):
                name = match[2] or match[1]
                opens[name] = (
                    "kind=kind_use" in rule or name == "write_rendered" or bool(match[2] and opens.get(match[1], False))
                )
                has_input = not match[2] or "    input:" in rule
                assert not (opens[name] and has_input) or "world=world_tables" in rule, name
    assert sum(opens.values()) > 25


def test_the_credit_of_a_world_is_that_of_its_files() -> None:
    assert describe("arithmetic") == "the invented world arithmetic"
    assert "GeoNames" in describe("facts")
    assert "CC BY 4.0" in describe("facts")
    assert {name for name, world in WORLDS.items() if world.credit} == {"facts"}
    page = (REPOSITORY / "docs/facts.md").read_text() + (REPOSITORY / "resources/worlds/README.md").read_text()
    for file in FACTS_FILES.values():
        assert f"{file.package.name} {file.package.version}" in page


def test_a_dry_run_makes_the_table_before_the_stages_that_read_it(workflow: Workflow) -> None:
    task = (workflow.folder / "config/tasks/tiny-math.yaml").read_text()
    task = task.replace("{world: arithmetic, mix: seeds,", "{world: facts, mix: popularity,")
    task = task.replace("teacher: arithmetic", "teacher: facts")
    (workflow.folder / "config/tasks/facts.yaml").write_text(task)
    done = workflow.run("-n", "results/facts/seeds.jsonl")
    assert done.returncode == 0, done.stdout
    assert re.search(r"rule write_facts:", done.stdout)
    assert done.stdout.count("rule fetch_package:") == len(worlds.facts_files())
    assert done.stdout.count(TABLE) >= 3
    assert "write_facts" not in workflow.run("-n", "results/tiny-math/seeds.jsonl").stdout
