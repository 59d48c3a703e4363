"""Write the JSON Schemas with which editors check config/: config/schema/*.json

make schema
"""

from pathlib import Path

from reversegen.config.json_schema import json_schemas
from reversegen.core.files import write_json
from reversegen.stage import run
from reversegen.workflow.configuration import EXTENSIONS, JUDGE_FORMATS


def main(folder: Path) -> None:
    """Write one file for config.yaml, one for tasks, one for models.yaml and one for throughputs.yaml."""
    for name, schema in json_schemas(EXTENSIONS.kinds, EXTENSIONS.worlds, JUDGE_FORMATS).items():
        write_json(folder / name, schema)


if __name__ == "__main__":
    run(main)
