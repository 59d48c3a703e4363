"""The content of a task's page, and how it is read from the files of the task's runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reversegen.config.workflow import Configuration
from reversegen.core.failure_records import Cluster, Failure
from reversegen.core.files import file_sha256, read_json
from reversegen.core.records import Verdict, read_records
from reversegen.evaluation.audit import read_audit
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeReport, read_judge_report
from reversegen.evaluation.outcomes import EvaluationOutcomes
from reversegen.evaluation.votes import read_votes
from reversegen.kinds.base import Kind
from reversegen.operations.job import Amount, Job
from reversegen.operations.plan import plan
from reversegen.operations.usage import used_amount
from reversegen.reporting.failures import read_failures
from reversegen.reporting.rows import read_evaluations, read_outcomes
from reversegen.reporting.tables import Cell

Rows = dict[str, dict[str, Cell]]
"""The cells of a table, by row and then by column."""
Curve = Sequence[Mapping[str, Any]]
"""What the trainer reported: one entry for each logged step."""


@dataclass(frozen=True)
class IterationAudit:
    """The audit of an iteration."""

    file: Path
    """`iter{iteration}/audit.csv`."""
    rows: Sequence[Mapping[str, str]]
    """Its rows, in its order."""
    votes: Mapping[str, Mapping[str, Verdict]]
    """The verdicts of each judge on the iteration, the hold-out judge last, by its name and then by instruction id."""


@dataclass(frozen=True)
class PageContent:
    """Everything that a page shows. The page has no section for a part that is empty."""

    evaluations: Sequence[EvalFile]
    """The evaluations of one task with one or several random seeds."""
    outcomes: Sequence[EvaluationOutcomes] = ()
    """The same evaluations with the verdict on each prompt or question."""
    harmful: bool = False
    """Whether the page masks the texts of failures."""
    abstains: bool = False
    """Whether an answer may say that the target does not know."""
    run: str = ""
    """The run that all parts below come from: the task with one of these random seeds."""
    clusters: Sequence[Cluster] | None = None
    failures: Sequence[Failure] = ()
    judge: JudgeReport | None = None
    audits: Sequence[IterationAudit] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """Training curves by part of the task: iter0, iter1, …, and the enhancement sources."""
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the files beside the page that it was made from or links to, by name."""
    job_costs: Sequence[tuple[Job, Amount | None]] = ()
    """What each job of a model used; None if nothing is recorded."""
    currency: str = ""
    settings: Sequence[str] = ()
    """Settings without which a model could not be asked, and system texts that nobody configured; one sentence for each."""


def read_results(
    evaluations: Sequence[Path], tests: Sequence[Path], task: str, reused: Sequence[str], kind: Kind
) -> PageContent:
    """Read the evaluations of all random seeds with their outcomes. `tests` are the test sets of all their runs."""
    return PageContent(
        evaluations=read_evaluations(evaluations, task, reused),
        outcomes=read_outcomes(evaluations, tests, task, reused, kind),
        harmful=kind.harmful,
        abstains=kind.abstains,
    )


def add_run(
    content: PageContent,
    failure_clusters: Path,
    failures: Path,
    judge: Path,
    models: Sequence[Path],
    texts: Sequence[Path],
) -> PageContent:
    """The content with the parts of one run: the run whose folder holds `failure_clusters`.

    `models` are the folders of trained models. `texts` holds one file if the task writes masked texts to a file, else none.
    """
    return replace(
        content,
        run=failure_clusters.parent.name,
        clusters=read_records(failure_clusters, Cluster),
        failures=read_failures(failures),
        judge=read_judge_report(judge),
        curves={folder.parent.name: read_json(folder / "curve.json") for folder in models},
        files={path.name: file_sha256(path) for path in (failure_clusters, failures, *texts)},
    )


def add_audits(content: PageContent, audits: Sequence[Path], judgements: Sequence[Path]) -> PageContent:
    """The content with the audits, of one run. `judgements` are `judgements/{judge}.jsonl` of the same iterations."""
    beside = defaultdict(list)
    for path in judgements:
        beside[path.parents[1]].append(path)
    read = [IterationAudit(file, read_audit(file), read_votes(beside[file.parent], ()).members) for file in audits]
    return replace(content, audits=read)


def add_costs(content: PageContent, folder: Path, configuration: Configuration) -> PageContent:
    """The content with what the model jobs of the run in `folder` used, and how these models had to be asked."""
    jobs = plan(folder.name, configuration, folder)
    turns = [
        f"A system text opens the user's turn of {name} (`system_turn: user`), because its chat template has no system turn."
        for name in dict.fromkeys(job.model for job in jobs)
        if configuration.models[name].system_turn == "user"
    ]
    return replace(
        content,
        job_costs=[(job, used_amount(job, configuration, folder)) for job in jobs],
        currency=configuration.workflow.costs.prices.currency,
        settings=turns + system_texts(content.evaluations),
    )


def system_texts(evaluations: Sequence[EvalFile]) -> list[str]:
    """A sentence for each role whose chat template gave its model another system text than the configured one."""
    recorded = [facts for e in evaluations for facts in e.provenance.get("system_texts", {}).items()]
    sentences = [
        f'The {role.partition(" ")[0]} {text["model"]} read a system text that its chat template wrote: "{text["read"]}". '
        + ("None is configured." if text["configured"] is None else f"The configured one is: {text['configured']}")
        for role, text in recorded
        if text["read"] and text["read"] != (text["configured"] or "")
    ]
    return list(dict.fromkeys(sentences))
