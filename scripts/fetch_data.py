"""Fetch a split of a data set from the hub at its locked revision: resources/downloads/data/{data}.jsonl

python scripts/fetch_data.py --source '{"repo":"openai/gsm8k","name":"main","split":"train"}' --revision COMMIT \
--rows gsm8k.jsonl --manifest gsm8k.manifest.json
"""

from pathlib import Path

from reversegen.config.data import HubData
from reversegen.models.download import fetch_data
from reversegen.stage import run


def main(source: HubData, revision: str, rows: Path, manifest: Path) -> None:
    """Write the split as JSON Lines in its published form, and a manifest with its hash, which later jobs check."""
    fetch_data(source, revision, rows, manifest)


if __name__ == "__main__":
    run(main)
