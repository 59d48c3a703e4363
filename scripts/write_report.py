"""Show a task's findings as one self-contained page: results/{task}/report.html

python scripts/write_report.py --help
"""

from pathlib import Path

from reversegen.config.load import Configuration, KindUse
from reversegen.core.files import file_sha256, read_json, write_text
from reversegen.core.records import Cluster, read_records
from reversegen.evaluation.judge_check import read_judge_report
from reversegen.kinds import open_kind
from reversegen.operations import costs
from reversegen.reporting.failures import read_failures
from reversegen.reporting.page import report
from reversegen.reporting.rows import read_evaluations, read_outcomes
from reversegen.stage import run


def main(
    proposers: list[Path],
    targets: list[Path],
    tests: list[Path],
    failure_clusters: Path,
    failures: Path,
    judge: Path,
    models: list[Path],
    texts: list[Path],
    page: Path,
    task: str,
    reused: list[str],
    kind: KindUse,
    configuration: Configuration,
) -> None:
    """The evaluations are of one task, with one or several random seeds; all else is of the one that has the failure clusters.

    `models` are the folders of trained models; `texts` is there where the task wants masked texts in a file.
    """
    evaluations = read_evaluations([*proposers, *targets], task, reused)
    of_run, opened, paths = failure_clusters.parent, open_kind(kind), [*proposers, *targets]
    jobs = costs.plan(of_run.name, configuration, of_run)
    asked = {job.model: configuration.models[job.model] for job in jobs}
    stored = report.Stored(
        evaluations=evaluations,
        outcomes=read_outcomes(paths, tests, task, reused, opened),
        run=of_run.name,
        clusters=read_records(failure_clusters, Cluster),
        failures=read_failures(failures),
        harmful=opened.harmful,
        judge=read_judge_report(judge),
        curves={folder.parent.name: read_json(folder / "curve.json") for folder in models},
        spent=[(job, costs.used(job, configuration, of_run)) for job in jobs],
        currency=configuration.workflow.costs.prices.currency,
        settings=[
            f"A system text opens the user's turn of {name} (`system_turn: user`): its chat template takes no system turn."
            for name, model in asked.items()
            if model.system_turn == "user"
        ]
        + report.system_texts(evaluations),
        files={path.name: file_sha256(path) for path in (failure_clusters, failures, *texts)},
    )
    write_text(page, report.page(stored))


if __name__ == "__main__":
    run(main)
