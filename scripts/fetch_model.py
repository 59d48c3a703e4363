"""Fetch a model from the hub at its locked revision: resources/downloads/models/{model}/, or bin/{model}/ for .bin weights

python scripts/fetch_model.py --repo meta-llama/Meta-Llama-3-8B --revision COMMIT --weights safetensors \
--folder resources/downloads/models/llama3-8b
"""

from pathlib import Path

from reversegen.models.download import fetch_model
from reversegen.models.hub import Weights
from reversegen.stage import run


def main(repo: str, revision: str, weights: Weights, folder: Path) -> None:
    """Fetch configuration, tokenizer and weights, but no files with code. No file is opened."""
    fetch_model(repo, revision, weights, folder)


if __name__ == "__main__":
    run(main)
