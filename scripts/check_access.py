"""Ask the hub whether everything that is to be fetched can be had, before the first fetch; nothing is downloaded.

python scripts/check_access.py --models '{"meta-llama/Meta-Llama-3-8B":""}' --pickled '{}' --data '{}' --access access.json
"""

from pathlib import Path

from reversegen.core.files import write_json
from reversegen.models.hub import check_access
from reversegen.stage import run


def main(models: dict[str, str], pickled: dict[str, str], data: dict[str, str], access: Path) -> None:
    """Repositories with their locked revisions, empty if there is none; of `pickled` the .bin weights are converted."""
    check_access(models, pickled, data)
    write_json(access, {**models, **pickled, **data})


if __name__ == "__main__":
    run(main)
