"""Remove the weights of a proposer that are no longer needed: results/{task}/iter{iteration}/pruned.json

python scripts/prune_proposer.py --proposer results/tiny-math/iter1/proposer --pruned results/tiny-math/iter1/pruned.json
"""

from pathlib import Path

from reversegen.core.files import write_json
from reversegen.models.folder import prune
from reversegen.stage import run


def main(proposer: Path, pruned: Path) -> None:
    """Remove the weights. The folder and its manifest stay, so that the proposer is not trained again."""
    write_json(pruned, prune(proposer))


if __name__ == "__main__":
    run(main)
