"""Draw the corpus that a tiny model is trained on, with worked answers: results/models/{model}.corpus.jsonl

python scripts/write_corpus.py --help
"""

from pathlib import Path

from reversegen import arithmetic
from reversegen.configuration import Corpus
from reversegen.kinds import KINDS
from reversegen.records import TrainingRow, write_records
from reversegen.references import solve
from reversegen.stage import run


def main(settings: Corpus, corpus: Path) -> None:
    """Write the questions of `settings` as conversations to `corpus`."""
    kind = KINDS["math"]
    questions = [(str(n), question) for n, question in enumerate(arithmetic.draw_questions(settings))]
    rows = []
    for (_, question), reference in zip(questions, solve(questions, "arithmetic", kind), strict=True):
        prompt, completion = kind.enhancement_row(question, str(reference.solution), None)
        rows.append(
            TrainingRow(prompt=prompt, completion=completion, instruction_id=reference.instruction_id, origin="corpus")
        )
    write_records(corpus, rows)


if __name__ == "__main__":
    run(main)
