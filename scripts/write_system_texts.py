"""Write the system text that the model of each role reads, from a rendered question: results/{task}/system_texts.json

python scripts/write_system_texts.py --models '{"readers":[{"role":"target","model":"tiny-arithmetic","use":{},'\
'"folder":"results/models/tiny-arithmetic","system":null}]}' --system-texts results/tiny-math/system_texts.json
"""

from pathlib import Path

from reversegen.core.files import write_json
from reversegen.stage import run
from reversegen.workflow.role_conversations import SystemTextReaders, read_system_texts


def main(models: SystemTextReaders, system_texts: Path) -> None:
    """Write the texts. A chat template may add its own, whatever is configured. Only tokenizers are loaded."""
    write_json(system_texts, read_system_texts(models))


if __name__ == "__main__":
    run(main)
