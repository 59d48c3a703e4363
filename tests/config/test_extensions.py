"""The configuration gets kinds and worlds from its caller and knows none itself."""

from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from tests.support.edited_config import JUDGE, MODELS, SAFETY, TASK, WORKFLOW, Edited, content

from reversegen.config.fields import Section
from reversegen.config.json_schema import json_schemas
from reversegen.config.load import load
from reversegen.config.workflow import Configuration
from reversegen.kinds import kind_use
from reversegen.workflow.configuration import EXTENSIONS


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("kind", "maths", "kind: unknown kind 'maths'; choose one of factual, honesty, math, safety"),
        (
            "data.tests.test.measures",
            "over_refusal",
            "data.tests.test.measures: the kind math has no metric over_refusal",
        ),
        (
            "data.tests.test.measures",
            "speed",
            "data.tests.test.measures: the kind math has no metric speed; choose one of a",
        ),
        ("teacher", "knowledge", "teacher: knowledge solves only questions of its own world"),
    ],
)
def test_a_value_that_no_kind_knows_is_refused_with_the_file_that_has_it(
    edited: Edited, key: str, value: str, words: str
) -> None:
    edited.set(TASK, key, value)
    assert edited.refusal().startswith(f"{edited.folder / TASK}: {words}")


def test_the_kind_safety_needs_a_judge(edited: Edited) -> None:
    edited.set(TASK, "kind", "safety")
    edited.set(TASK, "teacher", "llama3-8b-instruct")
    edited.set(TASK, "data.tests.test.measures", "retained")
    assert edited.refusal() == (
        f"{edited.folder / TASK}: judge: missing; the kind safety needs a judge model, so add the section `judge`"
    )
    edited.set(TASK, "judge", JUDGE)
    assert edited.load().task("tiny-math").judge is not None


class Spelling(Section):
    language: str
    strict: bool = True


OWN = {"kind": "spelling", "spelling": {"language": "en"}}
"""The keys of a task of a new kind that other tasks do not have."""


def with_spelling(edited: Edited, **own: Any) -> Configuration:
    """The configuration with a kind `spelling`, and a task of it."""
    edited.write("tasks/spelling.yaml", {"extends": "tiny-math", **own})
    extensions = replace(EXTENSIONS, kinds={**EXTENSIONS.kinds, "spelling": Spelling}, check=lambda *_: None)
    return load(content(WORKFLOW), edited.folder, extensions)


def test_a_new_kind_has_its_section_in_the_file_of_its_task_and_no_other_task_needs_one(edited: Edited) -> None:
    places = with_spelling(edited, **OWN)
    assert places.faults == {}
    use = kind_use(places.task("spelling"))
    assert use.settings(Spelling) == Spelling(language="en", strict=True)
    assert kind_use(places.task("tiny-math")).model_dump() == {"name": "math", "worlds": ("arithmetic",)}


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ({"kind": "spelling"}, "spelling.language: Field required"),
        (OWN | {"spelling": {"language": 5}}, "spelling.language: Input should be a valid string, not '5'"),
        (OWN | {"spelling": {"lang": "en"}}, "spelling.language: Field required"),
        (OWN | {"speling": {}}, "speling: Extra inputs are not permitted"),
        (OWN | {"spelling": None}, "spelling: Input should be a valid dictionary or instance of Spelling, not 'None'"),
    ],
)
def test_a_wrong_setting_of_a_new_kind_is_named_with_file_and_key(
    edited: Edited, own: dict[str, Any], fault: str
) -> None:
    assert with_spelling(edited, **own).faults == {"spelling": f"{edited.folder}/tasks/spelling.yaml: {fault}"}


def test_the_section_of_an_unknown_kind_is_refused(edited: Edited) -> None:
    edited.write("tasks/spelling.yaml", {"extends": "tiny-math", "spelling": {"language": "en"}})
    assert edited.refusal() == f"{edited.folder}/tasks/spelling.yaml: spelling: Extra inputs are not permitted"


def test_a_stage_reads_a_task_with_the_sections_that_were_loaded(edited: Edited) -> None:
    places = with_spelling(edited, **OWN)
    read = Configuration.model_validate_json(places.model_dump_json())
    for name in ("spelling", "tiny-honesty", "tiny-math"):
        assert kind_use(read.task(name)).model_dump() == kind_use(places.task(name)).model_dump(), name
        assert read.task(name).model_dump() == places.task(name).model_dump()
    assert set(read.task("tiny-math").kind_sections) == {"factual", "honesty", "safety", "spelling"}


def test_a_reused_part_depends_on_the_section_of_a_new_kind(edited: Edited) -> None:
    with_spelling(edited, **OWN)
    edited.write("tasks/child.yaml", {"extends": "spelling", "reuse": ["original"], "spelling": {"language": "de"}})
    fault = with_spelling(edited, **OWN).faults["child"]
    assert "reuse: original depends on spelling, which differs from that of spelling; " in fault


def test_editors_know_the_section_of_a_new_kind() -> None:
    schemas = json_schemas({**EXTENSIONS.kinds, "spelling": Spelling}, [*EXTENSIONS.worlds, "letters"], ["mine"])
    task = jsonschema.Draft202012Validator(schemas["task.schema.json"])
    corpus = {"world": "letters", "mix": "a", "part": "all", "count": 1, "random_seed": 0, "distinct": True}
    data = {"seeds": {"a": {"licence": "MIT", "corpus": corpus}}}
    assert task.is_valid(OWN | {"data": data})
    assert not task.is_valid(OWN | {"spelling": {"language": 5}})
    assert task.is_valid({"judge": JUDGE | {"format": "mine"}})
    assert not task.is_valid({"judge": JUDGE})
    labelled = {"licence": "MIT", "file": "a.jsonl"}
    for judge in (labelled, {"shipped": None, "mine": labelled}, None):
        assert task.is_valid({"data": data | {"judge": judge}})
    for judge in ({"mine": "a.jsonl"}, {"mine": labelled | {"colum": "a"}}):
        assert not task.is_valid({"data": data | {"judge": judge}})
    assert "spelling" in schemas["config.schema.json"]["properties"]["tables"]["properties"]


def test_an_unknown_judge_format_is_refused_with_the_known_ones(edited: Edited) -> None:
    edited.set(TASK, "judge", JUDGE | {"format": "wildgard"})
    assert edited.refusal() == (
        f"{edited.folder / TASK}: judge.format: unknown format 'wildgard'; use one of llama-guard-2, llama-guard-3, "
        "llama-guard-4, qwen3guard, wildguard, shieldgemma, instructed, answer-first, strongreject, classifier, exact"
    )


@pytest.mark.parametrize(
    ("format", "key", "value", "readers"),
    [
        ("wildguard", "controversial", "failed", "qwen3guard"),
        ("qwen3guard", "threshold", 0.5, "strongreject"),
        ("strongreject", "controversial", "passed", "qwen3guard"),
        ("instructed", "threshold", 0.5, "strongreject"),
    ],
)
def test_a_setting_that_the_judges_format_does_not_read_is_refused(
    edited: Edited, format: str, key: str, value: Any, readers: str
) -> None:
    edited.set(SAFETY, "judge", JUDGE | {"format": format, key: value})
    assert edited.refusal() == (
        f"{edited.folder / SAFETY}: judge.{key}: the format {format} does not read it; remove it, or use a format that does: "
        f"{readers}"
    )
    edited.set(SAFETY, "judge", JUDGE | {"format": readers, key: value})
    assert getattr(edited.load().task("safety").judge, key) == value


def test_an_unknown_world_is_refused_in_tasks_and_models(edited: Edited) -> None:
    words = "corpus.world: Input should be 'arithmetic', 'confidentiality', 'facts', 'knowledge' or 'policy', not 'geometry'"
    edited.set(TASK, "data.seeds.arithmetic.corpus.world", "geometry")
    assert edited.refusal() == f"{edited.folder / TASK}: data.seeds.arithmetic.{words}"
    edited.set(TASK, "data.seeds.arithmetic.corpus.world", "arithmetic")
    edited.set(MODELS, "tiny-arithmetic.train.corpus.world", "geometry")
    assert edited.refusal() == f"{edited.folder / MODELS}: tiny-arithmetic.train.{words}"


def test_an_unknown_table_is_refused(edited: Edited) -> None:
    edited.set(WORKFLOW, "tables.maths", ["tiny-math"])
    place = f"{edited.folder / WORKFLOW}: tables.maths"
    assert edited.refusal() == f"{place}: unknown table; use factual, honesty, math, safety, ablation"
