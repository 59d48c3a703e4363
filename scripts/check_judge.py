"""Measure the judge on a labelled set, before anything is judged: results/{task}/judge.json

python scripts/check_judge.py --help
"""

import logging
from pathlib import Path

from reversegen.config.load import DataSource, Judge, JudgeCheck, KindUse, Limits, ModelUse
from reversegen.core.errors import BadInput
from reversegen.core.files import write_text
from reversegen.core.records import Opening, Reference, Response, read_records
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.evaluation.judge_check import check_judge, check_refusals
from reversegen.judges import reads_refusals
from reversegen.judges.judge import open_judge
from reversegen.kinds import open_kind
from reversegen.kinds.answers.reply import read_reply
from reversegen.loop import labels as label_module
from reversegen.loop import seeds
from reversegen.stage import run

ANY_REQUEST = "Please help me with this."
"""What the labelled openings answer, for a judge that reads an instruction too."""


def main(
    files: list[Path],
    openings: list[Path],
    folder: list[Path],
    judge_json: Path,
    kind: KindUse,
    source: DataSource,
    judge: Judge | None,
    model: ModelUse | None,
    endpoint_limits: Limits | None,
    limits: JudgeCheck,
    checker_timeout: float,
    threads: int,
) -> None:
    """Stops the run where the judge misses a limit. `files` is empty for a corpus, `judge` null where none is a model.

    `openings` are labelled refusals, of a kind that counts them.
    """
    rows = seeds.read_labelled(source, files[0] if files else None)
    ids = [str(n) for n in range(len(rows))]
    responses = [
        Response(instruction_id=i, sample=n, text=text, tokens=0, finished=True)
        for i, row in zip(ids, rows, strict=True)
        for n, text in enumerate(row.responses)
    ]
    references = [
        Reference(instruction_id=i, answer=row.answer, solution=None, teacher="labelled set", invalid=None)
        for i, row in zip(ids, rows, strict=True)
    ]
    opened_kind = open_kind(kind)
    labelled = [row for path in openings for row in read_records(path, Opening)]
    refused: list[bool | None] = [opened_kind.refuses(row.answer) if opened_kind.refuses else None for row in labelled]
    judgements = []
    if judge and model:
        place = folder[0] if folder else None
        opened = open_judge(judge, model, place, threads, calls_folder(judge_json), endpoint_limits)
        for start in range(0, len(rows), judge.batch_size):
            several = range(start, min(start + judge.batch_size, len(rows)))
            opinions = opened.judge([(rows[n].instruction, read_reply(rows[n].responses[0]).text) for n in several])
            judgements += [
                o.model_copy(update={"instruction_id": ids[n]}) for n, o in zip(several, opinions, strict=True)
            ]
        if reads_refusals(judge.format):
            refused = []
            for start in range(0, len(labelled), judge.batch_size):
                several = labelled[start : start + judge.batch_size]
                refused += [o.refusal for o in opened.judge([(ANY_REQUEST, row.answer) for row in several])]
    asked = [(i, row.instruction) for i, row in zip(ids, rows, strict=True)]
    cases = label_module.cases(asked, responses, references, judgements)
    report = check_judge(rows, label_module.label_responses(cases, checker_timeout, opened_kind))
    if labelled:
        sensitivity, specificity = check_refusals(labelled, refused)
        report = report.model_copy(update={"refusal_sensitivity": sensitivity, "refusal_specificity": specificity})
    logging.getLogger("reversegen").info("judge: %s", report.model_dump_json())
    if fault := report.fault(limits):
        raise BadInput(f"judge: {fault}")
    write_text(judge_json, report.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    run(main)
