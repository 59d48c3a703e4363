"""Render a conversation of each role with the tokenizers of a task's model folders, before any training or answering.

The doctor and the start of a run call this script with the whole configuration as JSON.

make doctor TASK=tiny-math
"""

import json

from reversegen.stage import run
from reversegen.workflow.role_conversations import RoleFolders, role_faults


def main(models: RoleFolders) -> None:
    """Print a line of JSON, with task, role and fault, for each role that a model cannot play."""
    for fault in role_faults(models):
        print(json.dumps(fault))


if __name__ == "__main__":
    run(main)
