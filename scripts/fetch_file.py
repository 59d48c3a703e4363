"""Fetch a file that is pinned by its hash: resources/downloads/files/{file}

python scripts/fetch_file.py --help
"""

from pathlib import Path

from reversegen.config.data import UrlData
from reversegen.models.download import fetch_file
from reversegen.stage import run


def main(source: UrlData, content: Path, manifest: Path) -> None:
    """Write the file as its publisher ships it, and a manifest that later jobs hold it to."""
    fetch_file(source, content, manifest)


if __name__ == "__main__":
    run(main)
