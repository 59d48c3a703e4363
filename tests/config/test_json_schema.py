"""Editors accept the shipped files and refuse what the loader refuses."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from tests.support.edited_config import CONFIG, MODELS, SHIPPED, WORKFLOW, Edited, content, names
from tests.support.refused_values import BEYOND_SCHEMAS, REFUSED, shown
from tests.support.schemas import SCHEMAS

RATES = "throughputs.yaml"
EDITORS = {name: jsonschema.Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


def schema_of(file: str) -> str:
    return {WORKFLOW: "config", MODELS: "models", RATES: "throughputs"}.get(file, "task") + ".schema.json"


@pytest.mark.parametrize("key", ["type_entropy", "semantic_diversity"])
def test_the_bound_of_a_number_that_may_be_null_is_the_schemas_too(edited: Edited, key: str) -> None:
    whole = {"extends": "tiny-math", "alarm": {"action": "warn", key: -1.0}}
    edited.write("tasks/own.yaml", whole)
    assert f"alarm.{key}" in edited.refusal()
    assert f"alarm/{key}" in {
        "/".join(map(str, e.path)) for e in EDITORS[schema_of("tasks/own.yaml")].iter_errors(whole)
    }


def sections(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys that lead to each mapping in a file."""
    if isinstance(value, dict):
        yield above
        for name, inner in value.items():
            yield from sections(inner, (*above, name))


SECTIONS = [
    (file, keys)
    for file in SHIPPED
    if file != "lock.yaml"
    for keys in sections(content(file))
    if (file, *keys[1:2]) != (MODELS, "vllm")  # it takes any argument of vLLM, which alone knows them all
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """One copy for all sections. A test restores the file that it breaks."""
    return Edited(tmp_path_factory.mktemp("shared") / "config")


@pytest.mark.parametrize(("file", "keys"), SECTIONS, ids=lambda part: part if isinstance(part, str) else ".".join(part))
def test_a_misspelt_key_is_refused_in_every_section_by_the_loader_and_by_the_schema(
    shared: Edited, file: str, keys: tuple[str, ...]
) -> None:
    path = shared.folder / file
    whole = part = content(file)
    for key in keys:
        part = part[key]
    part["misspelt"] = []
    assert not EDITORS[schema_of(file)].is_valid(whole)
    shared.write(file, whole)
    try:
        message, key = shared.refusal(), ".".join([*keys, "misspelt"])
    finally:
        shutil.copyfile(CONFIG / file, path)
    assert names(message, path, key) or names(message, path, key.removeprefix("defaults."))


@pytest.mark.parametrize("file", [file for file in SHIPPED if file != "lock.yaml"])
def test_editors_accept_a_shipped_file_and_find_its_schema(file: str) -> None:
    jsonschema.validate(content(file), SCHEMAS[schema_of(file)])
    first = (CONFIG / file).read_text().partition("\n")[0]
    schema = (CONFIG / file).parent / first.removeprefix("# yaml-language-server: $schema=")
    assert schema.resolve() == CONFIG / "schema" / schema_of(file)


@pytest.mark.parametrize(("file", "key", "value"), [row for row in REFUSED if row not in BEYOND_SCHEMAS], ids=shown)
def test_editors_refuse_the_same_values(file: str, key: str, value: Any) -> None:
    whole = part = content(file)
    *above, last = key.removesuffix(".0").split(".")
    for name in above:
        part = part.setdefault(name, {})
    part[last] = value
    assert not EDITORS[schema_of(file)].is_valid(whole)


def test_the_shipped_schemas_are_those_of_the_code() -> None:
    written = {path.name: path.read_text() for path in (CONFIG / "schema").glob("*")}
    assert written == {name: json.dumps(schema, indent=2) + "\n" for name, schema in SCHEMAS.items()}
