"""Let the judge model read answers: results/{task}/{arm}/judgements.jsonl

python scripts/judge_responses.py --help
"""

from pathlib import Path

from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import Judge
from reversegen.core.records import Instruction, Question, Reference, Response, Seed, read_records
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.judges import reads_refusals
from reversegen.judges.judge import open_judge
from reversegen.kinds.answers.reply import read_reply
from reversegen.loop.judging import judge_answers
from reversegen.stage import run


def main(
    instructions: list[Path],
    seeds: list[Path],
    tests: list[Path],
    responses: list[Path],
    references: list[Path],
    folder: list[Path],
    judgements: Path,
    judge: Judge,
    model: ModelUse,
    endpoint_limits: Limits | None,
    shard: str,
    threads: int,
) -> None:
    """Judge the first response, or the teacher's solution, to the shard's instructions, seeds and tests that have one.

    Of the tests attacks alone are judged, and all if the judge reads refusals.
    """
    texts = {i.id: i.text for path in instructions for i in read_records(path, Instruction)}
    texts |= {s.id: s.text for path in seeds for s in read_records(path, Seed)}
    questions = [q for path in tests for q in read_records(path, Question)]
    texts |= {q.id: q.text for q in questions if q.measure == "attack_success_rate" or reads_refusals(judge.format)}
    said = {
        r.instruction_id: read_reply(r.text, r.finished, r.invalid)
        for path in responses
        for r in read_records(path, Response)
        if r.sample == 0
    }
    solved = (r for path in references for r in read_records(path, Reference))
    said |= {r.instruction_id: read_reply(r.solution) for r in solved if r.solution}
    answers = [(i, texts[i], answer) for i, answer in said.items() if i in texts]
    place = folder[0] if folder else None
    opened = open_judge(judge, model, place, threads, calls_folder(judgements), endpoint_limits)
    judge_answers(judgements, answers, opened, judge.batch_size, shard)


if __name__ == "__main__":
    run(main)
