"""Render a question to each role of a task, and tell what its model reads as a system text: results/{task}/system_texts.json

python scripts/write_system_texts.py --models '{"readers":[{"role":"target","model":"tiny-arithmetic","use":{},'\
'"folder":"results/models/tiny-arithmetic","system":null}]}' --system-texts results/tiny-math/system_texts.json
"""

from pathlib import Path

from reversegen.core.files import write_json
from reversegen.stage import run
from reversegen.workflow.role_conversations import SystemTextReaders, read_system_texts


def main(models: SystemTextReaders, system_texts: Path) -> None:
    """A chat template may write a text of its own, whatever is configured. Loads tokenizers alone."""
    write_json(system_texts, read_system_texts(models))


if __name__ == "__main__":
    run(main)
