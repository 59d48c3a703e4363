"""Let the target answer the instructions: results/{task}/{chain}/responses.jsonl

python scripts/answer_instructions.py --help
"""

from pathlib import Path

from reversegen import generation
from reversegen.configuration import Answering, ModelUse
from reversegen.engines import Decoding, open_engine
from reversegen.kinds import KINDS
from reversegen.records import Instruction, read_records
from reversegen.stage import run


def main(
    instructions: Path,
    target: list[Path],
    responses: Path,
    kind: str,
    model: ModelUse,
    settings: Answering,
    threads: int,
) -> None:
    """Ask every well-formed instruction once. `target` is its folder, or empty for an endpoint."""
    asked = [(i.id, i.text) for i in read_records(instructions, Instruction) if i.asked]
    engine = open_engine(model, target[0] if target else None, Decoding(settings.max_new_tokens), threads)
    generation.answer_questions(responses, asked, engine, KINDS[kind], settings.system, settings.batch_size)


if __name__ == "__main__":
    run(main)
