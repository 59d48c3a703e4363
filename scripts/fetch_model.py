"""Fetch a model from the hub at its locked revision: resources/downloads/models/{model}/

python scripts/fetch_model.py --help
"""

from pathlib import Path

from reversegen import hub
from reversegen.stage import run


def main(repo: str, revision: str, folder: Path) -> None:
    """Take configuration, tokenizer and safetensors weights; nothing that runs code."""
    hub.fetch_model(repo, revision, folder)


if __name__ == "__main__":
    run(main)
