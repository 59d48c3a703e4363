"""Look up the commit of every hub id that the configuration names: config/lock.yaml

python scripts/pin_revisions.py --models meta-llama/Meta-Llama-3-8B --data openai/gsm8k --lock config/lock.yaml
"""

from pathlib import Path

from reversegen.models.hub import pin_revisions
from reversegen.stage import run


def main(models: list[str], data: list[str], lock: Path) -> None:
    """Add the commits that `lock` lacks. To get a newer commit, remove its line first."""
    pin_revisions(models, data, lock)


if __name__ == "__main__":
    run(main)
