"""Write the texts that the page of a harmful kind masks, by id: results/{task}/texts.jsonl

python scripts/write_texts.py --instructions results/tiny-math/iter?/instructions.jsonl \
--labels results/tiny-math/iter?/labels.jsonl --responses results/tiny-math/iter?/responses.jsonl \
--references results/tiny-math/iter?/references.jsonl --texts texts.jsonl --kind '{"name":"math","worlds":["arithmetic"]}'
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.records import write_records
from reversegen.kinds import open_kind
from reversegen.reporting.failures import failure_texts, read_judged_instructions
from reversegen.stage import run


def main(
    instructions: list[Path],
    labels: list[Path],
    responses: list[Path],
    references: list[Path],
    texts: Path,
    kind: KindUse,
) -> None:
    """Lists have the files of iterations 0 to N, in order. `references` is empty if the kind has none."""
    judged = read_judged_instructions(instructions, labels, responses, references, open_kind(kind))
    write_records(texts, failure_texts(judged))


if __name__ == "__main__":
    run(main)
