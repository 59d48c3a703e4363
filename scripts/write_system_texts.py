"""Render a question to each role of a task, and tell what its model reads as a system text: results/{task}/system_texts.json

python scripts/write_system_texts.py --help
"""

from pathlib import Path

from reversegen.core.files import write_json
from reversegen.stage import run
from reversegen.workflow.model_check import Readers


def main(models: Readers, system_texts: Path) -> None:
    """A chat template may write a text of its own, whatever is configured. Loads tokenizers alone."""
    from reversegen.workflow.model_check import system_texts as read

    write_json(system_texts, read(models))


if __name__ == "__main__":
    run(main)
