"""Functions of rules/report.smk: files of all random seeds of a task, existing results, and the tasks of a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.ids import content_id
from reversegen.workflow.enhance import of_sources
from reversegen.workflow.evaluate import own_evals
from reversegen.workflow.judge import checked_gap
from reversegen.workflow.tasks import kind_of, shipped, task_of, test_questions

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def test_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The test sets of a run, relative to its folder."""
    return [f"tests/{name}.jsonl" for name in task_of(configuration, wildcards).data.tests]


def gate_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The contamination reports of a run, relative to its folder, without those of a warm-up that it reuses."""
    task = task_of(configuration, wildcards)
    warmup = [] if "iter0" in task.reuse else ["contamination/warmup.json"]
    pairs = [f"contamination/iter{k}.json" for k in range(task.iterations)]
    return [*warmup, *pairs, *(["contamination.json"] if of_sources(configuration, "target")(wildcards) else [])]


def gap_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The file which shows that the gap to the hold-out judge is within its limit in the last iteration, relative to the run's
    folder; empty if a gap cannot stop the run. Each iteration before it is checked on the way."""
    return [file.partition(f"results/{wildcards.task}/")[2] for file in checked_gap(configuration, "last")(wildcards)]


def pooled_runs(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The runs of all random seeds that a table pools. Only one run if the task's name has a seed."""
    base, _, seed = wildcards.task.partition(".s")
    if seed:
        return [wildcards.task]
    return [f"{base}.s{number}" if number else base for number in configuration.workflow.random_seeds]


def replicates(
    configuration: Configuration, files: Callable[[Configuration, Wildcards], list[str]]
) -> Callable[[Wildcards], list[str]]:
    """Files of the task for all random seeds that a table pools."""

    def find(wildcards: Wildcards) -> list[str]:
        names = pooled_runs(configuration, wildcards)
        return [configuration.place(name, path) for name in names for path in files(configuration, wildcards)]

    return find


def first_replicate(configuration: Configuration, file: str) -> Callable[[Wildcards], str]:
    """A file of the task for the first random seed that a table pools."""
    return lambda wildcards: configuration.place(pooled_runs(configuration, wildcards)[0], file)


def trained_models(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The folders of all models that the run with the first random seed trained."""
    count = task_of(configuration, wildcards).iterations + 1
    proposers = [f"iter{k}/proposer" for k in range(count)]
    targets = of_sources(configuration, "target")(wildcards)
    return [first_replicate(configuration, path)(wildcards) for path in proposers + targets]


def audit_files(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The audits of all iterations of the run with the first random seed."""
    return _of_iterations(configuration, ["audit.csv"], wildcards)


def audited_judgements(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """What each judge says in these iterations, the hold-out judge last. Empty for a kind without a judge."""
    judges = task_of(configuration, wildcards).judges
    return _of_iterations(configuration, [f"judgements/{judge.name}.jsonl" for judge in judges], wildcards)


def _of_iterations(configuration: Configuration, files: Sequence[str], wildcards: Wildcards) -> list[str]:
    iterations = range(task_of(configuration, wildcards).iterations + 1)
    return [first_replicate(configuration, f"iter{k}/{file}")(wildcards) for k in iterations for file in files]


def clear_texts(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The file of the texts that the page masks. Empty unless the task asks for it."""
    wanted = kind_of(configuration, wildcards).harmful and task_of(configuration, wildcards).report.include_text
    return [first_replicate(configuration, "texts.jsonl")(wildcards)] if wanted else []


def reused_tasks(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The tasks whose files this task may reuse, directly or through another task."""
    names, task = [], task_of(configuration, wildcards)
    while task.reuse and task.extends:
        names.append(task.extends)
        task = configuration.tasks[task.extends]
    return names


def extended_task(configuration: Configuration, wildcards: Wildcards) -> str:
    """The task that this one extends. Empty if it extends none."""
    return task_of(configuration, wildcards).extends or ""


def benchmarked(_: Configuration, wildcards: Wildcards) -> str:
    """A hash of the task's benchmarks so far, and of the sizes of its stored calls.

    A plan is written again when this hash changes. Calls count because a killed job has no benchmark, but its calls are paid.
    """
    folder = Path(f"results/{wildcards.task}")
    excluded = {folder / f"benchmarks/{rule}.tsv" for rule in ("write_plan", "write_resource_usage")}
    files = sorted({*(folder / "benchmarks").rglob("*.tsv")} - excluded)
    calls = sorted(folder.rglob("*.calls/*.jsonl"))
    facts = [(file, file.read_text()) for file in files] + [(file, str(file.stat().st_size)) for file in calls]
    return content_id(*(str(part) for fact in facts for part in fact))


def existing_evals(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The existing evaluations of a run. Missing ones are left out, because as inputs they would start trainings."""
    return [file for file in own_evals(configuration, wildcards) if Path(file).is_file()]


def existing_evals_hash(configuration: Configuration, wildcards: Wildcards) -> str:
    """A hash of the existing evaluations, so that they are collected again when it changes."""
    return content_id(*(Path(file).read_text() for file in existing_evals(configuration, wildcards)))


def tests_there(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The test sets of a run. Empty if one of them is missing."""
    files = test_questions(configuration, wildcards)
    return files if all(Path(file).is_file() for file in files) else []


def _listed_tasks(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    return configuration.workflow.tables[wildcards.table]


def faulty_tasks(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The faulty tasks of a table, each with its error message."""
    names = _listed_tasks(configuration, wildcards)
    faults = {name: configuration.faults.get(name.partition(".s")[0]) for name in names}
    return [f"{name} ({fault})" for name, fault in faults.items() if fault]


def table_tasks(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The tasks of a table, in the order of the configuration, without faulty ones."""
    listed = _listed_tasks(configuration, wildcards)
    names = [name for name in listed if name.partition(".s")[0] not in configuration.faults]
    for name in names:
        try:
            configuration.task(name)
        except BadInput as error:
            raise BadInput(f"config/config.yaml: tables.{wildcards.table}: {error}") from None
    return names


def own_runs(name: str) -> list[str]:
    """The runs of a task that have results, with any random seed. Only existing runs are used; none is planned."""
    folders = [f.name for f in Path("results").glob(f"{name}*") if re.fullmatch(rf"{name}(\.s[1-9][0-9]*)?", f.name)]
    with_results = [run for run in folders if any(Path("results", run).rglob("eval.json"))]
    return sorted(with_results, key=lambda run: (len(run), run))


def shipped_runs(name: str) -> list[str]:
    """The stored results of a task that ship with the workflow, for users without own results."""
    folder = Path(shipped("resources/example"))
    files = [*folder.glob(f"{name}.json"), *folder.glob(f"{name}.s[0-9]*.json")]
    return sorted(map(str, files), key=lambda file: (len(file), file))


def own_outcomes(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The outcome files of the user's own runs of a table's tasks."""
    names = table_tasks(configuration, wildcards)
    return [f"results/{run}/outcomes.json" for name in names for run in own_runs(name)]


def shipped_outcomes(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The outcome files of shipped runs, for the table's tasks that the user has not run."""
    tasks = [name for name in table_tasks(configuration, wildcards) if not own_runs(name)]
    return [file for name in tasks for file in shipped_runs(name)]


def shipped_outcomes_hash(configuration: Configuration, wildcards: Wildcards) -> str:
    """A hash of these files, so that a table is made again when one changes; a checkout changes only their times."""
    return content_id(*(Path(file).read_text() for file in shipped_outcomes(configuration, wildcards)))


def without_results(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The table's tasks without results."""
    names = table_tasks(configuration, wildcards)
    return [name for name in names if not own_runs(name) and not shipped_runs(name)]
