"""Render a conversation of each role by the tokenizers of a task's model folders, before anything is trained or asked.

python scripts/check_models.py --help
"""

import json

from reversegen.stage import run
from reversegen.workflow.model_check import AskedModels, faults


def main(models: AskedModels) -> None:
    """Print a line for each role that a model cannot play: task, role and what is wrong, as JSON."""
    for fault in faults(models):
        print(json.dumps(fault))


if __name__ == "__main__":
    run(main)
