"""The JSON Schemas of the shipped configuration, made once for all tests of a process."""

from __future__ import annotations

from reversegen.config.json_schema import json_schemas
from reversegen.workflow.configuration import EXTENSIONS, JUDGE_FORMATS

SCHEMAS = json_schemas(EXTENSIONS.kinds, EXTENSIONS.worlds, JUDGE_FORMATS)
