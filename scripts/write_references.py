"""Let the labeller answer the instructions: results/{task}/{chain}/references.jsonl

python scripts/write_references.py --help
"""

from pathlib import Path

from reversegen import generation
from reversegen.configuration import Answering, ModelUse
from reversegen.engines import Decoding, open_engine
from reversegen.kinds import KINDS
from reversegen.records import Instruction, Seed, read_records, write_records
from reversegen.references import SOLVERS, solve
from reversegen.stage import run


def main(
    instructions: list[Path],
    seeds: list[Path],
    folder: list[Path],
    references: Path,
    kind: str,
    labeller: str,
    model: ModelUse | None,
    settings: Answering,
    threads: int,
) -> None:
    """Answer what `instructions` and `seeds` hold. `folder` is the labeller model's, empty for a solver or an endpoint."""
    asked = [(i.id, i.text) for path in instructions for i in read_records(path, Instruction) if i.asked]
    asked += [(s.id, s.text) for path in seeds for s in read_records(path, Seed) if s.split == "train"]
    if labeller in SOLVERS:
        write_records(references, solve(asked, labeller, KINDS[kind]))
        return
    assert model is not None
    engine = open_engine(model, folder[0] if folder else None, Decoding(settings.max_new_tokens), threads)
    size = settings.batch_size
    generation.label_by_model(references, asked, labeller, engine, KINDS[kind], settings.system, size)


if __name__ == "__main__":
    run(main)
