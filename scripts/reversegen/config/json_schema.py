"""JSON Schemas that editors check `config/` with."""

from __future__ import annotations

from typing import Any

from reversegen.config.models import Model
from reversegen.config.task import Task
from reversegen.config.workflow import Workflow


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas for editors, by file name in config/schema/. A task's file may leave out what `defaults` gives."""
    task = Task.model_json_schema()
    for part in (task, *task["$defs"].values()):
        part.pop("required", None)
    model = Model.model_json_schema()
    models = {"type": "object", "$defs": model.pop("$defs"), "additionalProperties": model}
    workflow = Workflow.model_json_schema()
    workflow["properties"]["defaults"] = {**task, "additionalProperties": False}
    workflow["$defs"] |= workflow["properties"]["defaults"].pop("$defs")
    return {"config.schema.json": workflow, "task.schema.json": task, "models.schema.json": models}
