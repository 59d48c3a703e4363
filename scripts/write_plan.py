"""Write what a task will cost and what it has used: results/{task}/plan.md

The script takes the whole configuration as JSON. The log of its rule shows this command in full.

snakemake -c1 results/tiny-math/plan.md
"""

from pathlib import Path

from reversegen.config.workflow import Configuration
from reversegen.core.files import write_text
from reversegen.operations.plan import plan_markdown
from reversegen.stage import run


def main(plan: Path, task: str, configuration: Configuration) -> None:
    """Write the plan. Nothing is run or downloaded; the files in the task's folder are counted."""
    write_text(plan, plan_markdown(task, configuration, plan.parent))


if __name__ == "__main__":
    run(main)
