"""Functions of rules/judge.smk: the judges' settings and files, the labelled sets of their check, and the gap between them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from reversegen.config.data import DataSource
from reversegen.config.judge_settings import Judge
from reversegen.config.paths import model_folder
from reversegen.config.workflow import Configuration
from reversegen.judges import reported_categories
from reversegen.workflow.roles import judge_of
from reversegen.workflow.tasks import UNDECIDING, data_file, kind_of, part_file, shipped, task_of, uncompared

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def judge_setting(configuration: Configuration, wildcards: Wildcards) -> str:
    """The settings that decide the verdicts of the judge that the wildcard names, as JSON."""
    return judge_of(configuration, wildcards).model_dump_json(exclude=UNDECIDING)


def whole_judge(configuration: Configuration) -> Callable[[Wildcards, int], str]:
    """All settings of this judge, as JSON and as a param that reruns nothing. A rule with it also has `judge_setting`."""
    return uncompared(lambda wildcards: judge_of(configuration, wildcards).model_dump_json())


def judge_decision(configuration: Configuration, wildcards: Wildcards) -> str:
    """How the votes of the task's judges decide. A kind without a judge has no votes."""
    judge = task_of(configuration, wildcards).judge
    return judge.decision if judge else "majority"


def judge_categories(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The categories of harm that the judges that label may report, in the order of their formats."""
    judge = task_of(configuration, wildcards).judge
    members = judge.members if judge else []
    return list(dict.fromkeys(name for one in members for name in reported_categories(one.format)))


def holds_out(configuration: Configuration, wildcards: Wildcards) -> str:
    """Whether the judge that the wildcard names only measures, as JSON."""
    judge = task_of(configuration, wildcards).judge
    return json.dumps(bool(judge and judge.holdout == judge_of(configuration, wildcards)))


def panel_files(configuration: Configuration, path: str) -> Callable[[Wildcards], list[str]]:
    """A file of each judge that labels, in the order of the panel; `path` has JUDGE in place of the judge's name.

    Empty for a kind whose verdicts need no judge. The files of the hold-out judge are never among them, so whatever trains may
    read them.
    """

    def find(wildcards: Wildcards) -> list[str]:
        judge = task_of(configuration, wildcards).judge
        return [_judge_file(configuration, path, one, wildcards) for one in (judge.members if judge else [])]

    return find


def holdout_files(configuration: Configuration, path: str) -> Callable[[Wildcards], list[str]]:
    """The same of the hold-out judge; empty without one. Only evaluations may read it."""

    def find(wildcards: Wildcards) -> list[str]:
        judge = task_of(configuration, wildcards).judge
        return [_judge_file(configuration, path, judge.holdout, wildcards)] if judge and judge.holdout else []

    return find


def _judge_file(configuration: Configuration, path: str, judge: Judge, wildcards: Wildcards) -> str:
    return part_file(configuration, path.replace("JUDGE", judge.name))(wildcards)


def judge_folders(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The folders of all judges of the task that have one."""
    names = [judge.model for judge in task_of(configuration, wildcards).judges if judge.model]
    folders = [model_folder(name, configuration.models[name]) for name in names]
    return [str(folder) for folder in folders if folder]


def first_evaluation(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The evaluation of iteration 0, with which the gap of a later one is compared. Empty without a hold-out judge."""
    judge = task_of(configuration, wildcards).judge
    later = re.fullmatch(r"iter[1-9][0-9]*", wildcards.arm)
    return [part_file(configuration, "iter0/eval.json")(wildcards)] if judge and judge.holdout and later else []


def stops_on_gap(configuration: Configuration, wildcards: Wildcards) -> bool:
    """Whether a gap that grows too much ends the run."""
    task = task_of(configuration, wildcards)
    limit = task.alarm.judge_gap
    return bool(task.judge and task.judge.holdout and limit and limit.action == "stop")


def pairs_group(configuration: Configuration, wildcards: Wildcards) -> str | None:
    """The group of the gate behind an iteration's pairs. None if a gap may stop the run: then the gate waits for a job outside
    the group, which itself waits for the evaluation inside it."""
    return None if stops_on_gap(configuration, wildcards) else f"{wildcards.task}.iter{wildcards.iteration}"


def checked_gap(configuration: Configuration, iteration: str) -> Callable[[Wildcards], list[str]]:
    """The file which shows that the gap of an iteration is within its limit; `iteration` is "{iteration}" or "last".

    Empty if a gap cannot stop the run.
    """

    def find(wildcards: Wildcards) -> list[str]:
        if not stops_on_gap(configuration, wildcards):
            return []
        iterations = task_of(configuration, wildcards).iterations
        number = str(iterations) if iteration == "last" else wildcards.iteration
        return [f"results/{wildcards.task}/iter{number}/judge_gap.json"] if int(number) else []

    return find


def labelled_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The files of the labelled sets on which the judge is checked, without those of corpora, in the order of the sets."""
    return [file for source in labelled_sets(configuration, wildcards).values() for file in data_file(source)]


def labelled_sources(configuration: Configuration, wildcards: Wildcards) -> str:
    """The data sources of the labelled sets by name, as JSON."""
    sources = labelled_sets(configuration, wildcards)
    return json.dumps({name: source.model_dump(mode="json") for name, source in sources.items()})


def labelled_sets(configuration: Configuration, wildcards: Wildcards) -> dict[str, DataSource]:
    """The labelled sets of the task by name. Null, and a name with null, is the set that ships for its kind."""
    task = task_of(configuration, wildcards)
    ships: DataSource = DataSource.model_validate(
        {"file": shipped(f"resources/judge/{task.kind}.jsonl"), "licence": "Apache-2.0"}
    )
    return {name: source or ships for name, source in (task.data.judge or {"shipped": None}).items()}


def labelled_openings(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The labelled openings of answers that measure how well refusals are read. Empty for a kind that counts no refusals."""
    return [shipped("resources/judge/refusals.jsonl")] if kind_of(configuration, wildcards).refuses else []
