"""Render a conversation of each role by the tokenizers of a task's model folders, before anything is trained or asked.

python scripts/check_models.py --help
"""

import json

from reversegen.stage import run
from reversegen.workflow.role_conversations import RoleFolders, role_faults


def main(models: RoleFolders) -> None:
    """Print a line for each role that a model cannot play: task, role and what is wrong, as JSON."""
    for fault in role_faults(models):
        print(json.dumps(fault))


if __name__ == "__main__":
    run(main)
