"""Write requirements*.txt and envs/*.yaml from the one table of versions, envs/pins.toml.

python scripts/write_pins.py --source envs/pins.toml --folder .
"""

from pathlib import Path

from reversegen.core.files import write_text
from reversegen.operations.pins import pinned_files
from reversegen.stage import run


def main(source: Path, folder: Path) -> None:
    """Write each file below the folder."""
    for name, text in pinned_files(source).items():
        write_text(folder / name, text)


if __name__ == "__main__":
    run(main)
