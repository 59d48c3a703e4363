"""Write the planned and the used amounts of a task: results/{task}/plan.md

python scripts/write_plan.py --help
"""

from pathlib import Path

from reversegen.config.workflow import Configuration
from reversegen.core.files import write_text
from reversegen.operations.plan import plan_markdown
from reversegen.stage import run


def main(plan: Path, task: str, configuration: Configuration) -> None:
    """Count existing files of the task's folder; nothing is run or downloaded."""
    write_text(plan, plan_markdown(task, configuration, plan.parent))


if __name__ == "__main__":
    run(main)
