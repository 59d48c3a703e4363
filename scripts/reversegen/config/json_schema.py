"""The JSON Schemas with which editors check the files of `config/`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reversegen.config.fields import Section
from reversegen.config.models import Model
from reversegen.config.task import task_section
from reversegen.config.workflow import ABLATION, AssumedRates, Workflow


def json_schemas(
    kinds: Mapping[str, type[Section] | None], worlds: Collection[str], judge_formats: Collection[str]
) -> dict[str, dict[str, Any]]:
    """The schemas by their file name in config/schema/.

    `kinds` and `worlds` are those of `load.Extensions`; `judge_formats` are the allowed values of `judge.format`. The schema
    of a task requires no key, because the defaults may give any of them.
    """
    task = task_section(kinds).model_json_schema()
    task["properties"] = _with_sections(task["properties"], [name for name, section in kinds.items() if section])
    # one set may stand without a name, which the type of the read value does not show
    task["$defs"]["Data"]["properties"]["judge"]["anyOf"].insert(0, {"$ref": "#/$defs/DataSource"})
    for part in (task, *task["$defs"].values()):
        part.pop("required", None)
    model = Model.model_json_schema()
    for schema in (task, model):
        _list_names(schema["$defs"]["Corpus"]["properties"], "world", worlds)
    _list_names(task["$defs"]["Judge"]["properties"], "format", judge_formats)
    task["$defs"]["Judging"]["properties"]["format"]["anyOf"][0] = {"enum": list(judge_formats)}
    models = {"type": "object", "$defs": model.pop("$defs"), "additionalProperties": model}
    rates = AssumedRates.model_json_schema()
    throughputs = {"type": "object", "$defs": rates.pop("$defs"), "additionalProperties": rates}
    workflow = Workflow.model_json_schema()
    tables = workflow["properties"]["tables"]
    tables["properties"] = dict.fromkeys((*kinds, ABLATION), tables["additionalProperties"])
    tables["additionalProperties"] = False
    workflow["properties"]["defaults"] = {**task, "additionalProperties": False}
    workflow["$defs"] |= workflow["properties"]["defaults"].pop("$defs")
    return {
        "config.schema.json": workflow,
        "task.schema.json": task,
        "models.schema.json": models,
        "throughputs.schema.json": throughputs,
    }


def _with_sections(properties: dict[str, Any], sections: Collection[str]) -> dict[str, Any]:
    """The keys of a task, with the sections of kinds moved behind those of the judge, where a reader expects them."""
    names = [name for name in properties if name not in sections]
    place = names.index("judge_check") + 1
    return {name: properties[name] for name in (*names[:place], *sections, *names[place:])}


def _list_names(properties: dict[str, Any], key: str, names: Collection[str]) -> None:
    properties[key] = {"enum": list(names), **properties[key]}
