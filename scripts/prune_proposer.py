"""Remove the weights of a proposer that nothing needs any more: results/{task}/iter{iteration}/pruned.json

python scripts/prune_proposer.py --proposer results/tiny-math/iter1/proposer --pruned results/tiny-math/iter1/pruned.json
"""

from pathlib import Path

from reversegen.core.files import write_json
from reversegen.models.folder import prune
from reversegen.stage import run


def main(proposer: Path, pruned: Path) -> None:
    """The folder stays, with its manifest, so that no plan makes it again."""
    write_json(pruned, prune(proposer))


if __name__ == "__main__":
    run(main)
