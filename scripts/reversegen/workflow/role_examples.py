"""One training row and one prompt of each role of a task, made from its seeds before anything has been trained or asked.

The loop's own functions write them. What only a run can give, such as a teacher's answer, has a stand-in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reversegen.config.models import ModelUse
from reversegen.config.task import Task
from reversegen.core.records import Message, Pair, Reference, Seed, TrainingRow
from reversegen.engines.base import Request
from reversegen.judges import JUDGES
from reversegen.judges.judge import judge_request
from reversegen.kinds import kind_use, open_kind
from reversegen.kinds.base import Kind
from reversegen.loop.answering import question_requests
from reversegen.loop.prompts import build_prompts, build_warmup
from reversegen.loop.references import solve
from reversegen.loop.solvability import solvability_requests
from reversegen.loop.teaching import teacher_system
from reversegen.worlds import SOLVERS

ANSWER, RESPONSE = "the teacher's answer", "the target's response"
"""Stand-ins for texts that only a run gives."""


class RoleExamples(NamedTuple):
    """The examples of a task. A role that reads no prompt has none."""

    warmup: TrainingRow
    pair: Pair
    enhancement: TrainingRow
    prompts: Mapping[str, Request]
    """By role, as in `task_models`. A classifier's is a whole conversation, without a generation prompt."""
    masked: bool
    """Whether stand-ins take the place of the seeds' texts, which may do harm."""


def role_examples(task: Task, seeds: Sequence[Seed], models: Mapping[str, ModelUse]) -> RoleExamples:
    """The examples of a task, from seeds in the order of their file. `models` holds the models of its roles by name.

    The row of the warm-up and the proposer's prompt are the first ones of the task, unless a probe removes seeds. If the kind
    is harmful, and the task does not ask for its texts, every seed has a stand-in. Raises BadInput for too few seeds.
    """
    kind = open_kind(kind_use(task))
    masked = kind.harmful and not task.report.include_text
    if masked:
        seeds = [seed.model_copy(update={"text": f"instruction {n}"}) for n, seed in enumerate(seeds)]
    header, random_seed = task.prompts.header, task.random_seed
    warmup, *_ = build_warmup(seeds, task.warmup.rows, header, random_seed, kind)
    asked, *_ = build_prompts(seeds, task.prompts, 0, random_seed, kind)
    others = [seed for seed in seeds if seed.split == "train" and seed.id not in asked.seeds]
    first, second = (others + [seed for seed in seeds if seed.id in asked.seeds])[:2]
    sides = [f" {kind.write_item(seed.text, seed.answer)}" for seed in (first, second)]
    pair = Pair(
        prompt=asked.text,
        chosen=sides[0],
        rejected=sides[1],
        chosen_id=first.id,
        rejected_id=second.id,
        pairing="same_prompt",
    )
    row = kind.enhancement_row(first.text, _reference(task, first, kind), "failed", task.responses.system)
    enhancement = TrainingRow(prompt=row[0], completion=row[1], instruction_id=first.id, origin="reversegen")
    prompts = {"proposer": Request(text=asked.text), **_prompts(task, first, kind, models)}
    return RoleExamples(warmup, pair, enhancement, prompts, masked)


def _reference(task: Task, seed: Seed, kind: Kind) -> Reference:
    """The solver's reference, or a stand-in for the teacher's with the answer of the data set, if it has one."""
    if task.teacher in SOLVERS:
        [solved] = solve([(seed.id, seed.text)], task.teacher, kind)
        if solved.answer is not None:
            return solved
    option = next(iter(kind.choice.letters(seed.text)), None) if kind.choice else None
    return Reference(
        instruction_id=seed.id,
        answer=seed.answer or option or ANSWER,
        solution=ANSWER,
        teacher=task.teacher,
        invalid=None,
    )


def _prompts(task: Task, seed: Seed, kind: Kind, models: Mapping[str, ModelUse]) -> dict[str, Request]:
    """The requests of a target, of a teacher that is a model, and of judges that are models, about one seed."""
    question = [(seed.id, seed.text)]
    requests = {"target": question_requests(question, kind, task.responses.system)[0]}
    if teacher := models.get(task.teacher):
        form = kind.structured if teacher.endpoint is not None and teacher.endpoint.structured else None
        requests["teacher"] = question_requests(question, kind, teacher_system(task.references, form))[0]
        if check := solvability_requests(question, task.references):
            requests["teacher, whether there is an answer"] = check[0]
    turns = [Message(role="user", content=seed.text), Message(role="assistant", content=RESPONSE)]
    for judge in (judge for judge in task.judges if judge.model):
        adapter = JUDGES.get(judge.format)  # a classifier has no entry
        asked = judge_request(adapter, seed.text, RESPONSE) if adapter else Request(messages=turns)
        requests[f"judge {judge.model}"] = asked
    return requests
