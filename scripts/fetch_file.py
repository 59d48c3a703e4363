"""Fetch a file that is pinned by its hash: resources/downloads/files/{file}

python scripts/fetch_file.py --content toxichat.jsonl --manifest toxichat.jsonl.manifest.json --source \
'{"sha256":"806da95ba491888626a18c0324e9d6ec906450ba9fef92b54343ebf44e48682a","address":"https://raw.githubusercontent.com/'\
'abaheti95/ToxiChat/6c77dc5500989c4b11bf443cde9013e57128cc8e/data/ToxiChat/train.jsonl"}'
"""

from pathlib import Path

from reversegen.config.data import UrlData
from reversegen.models.download import fetch_file
from reversegen.stage import run


def main(source: UrlData, content: Path, manifest: Path) -> None:
    """Write the file as its publisher ships it, and a manifest with its hash, which later jobs check."""
    fetch_file(source, content, manifest)


if __name__ == "__main__":
    run(main)
