"""Ask the hub, before the first fetch, whether everything that a run needs can be fetched. Nothing is downloaded.

python scripts/check_access.py --models '{"meta-llama/Meta-Llama-3-8B":""}' --pickled '{}' --data '{}' --access access.json
"""

from pathlib import Path

from reversegen.core.files import write_json
from reversegen.models.hub import check_access
from reversegen.stage import run


def main(models: dict[str, str], pickled: dict[str, str], data: dict[str, str], access: Path) -> None:
    """Check repositories, given with their locked revision or "". Those in `pickled` have .bin weights to convert."""
    check_access(models, pickled, data)
    write_json(access, {**models, **pickled, **data})


if __name__ == "__main__":
    run(main)
