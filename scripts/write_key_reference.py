"""Write the reference of all configuration keys: docs/configuration-reference.md

make reference
"""

from pathlib import Path

from reversegen.config.json_schema import json_schemas
from reversegen.core.files import write_text
from reversegen.reporting.key_tables import configuration_page
from reversegen.stage import run
from reversegen.workflow.configuration import EXTENSIONS, JUDGE_FORMATS


def main(shipped: Path, page: Path) -> None:
    """One page for config.yaml, tasks and models.yaml, with the defaults of `shipped`, which is config/config.yaml."""
    schemas = json_schemas(EXTENSIONS.kinds, EXTENSIONS.worlds, JUDGE_FORMATS)
    write_text(page, configuration_page(schemas, shipped.read_text(encoding="utf-8")))


if __name__ == "__main__":
    run(main)
