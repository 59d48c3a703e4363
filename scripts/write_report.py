"""Write a task's findings as one self-contained page, from the whole configuration as JSON: results/{task}/report.html

snakemake -c1 results/tiny-math/report.html
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.config.workflow import Configuration
from reversegen.core.files import write_text
from reversegen.kinds import open_kind
from reversegen.reporting.page.content import add_audits, add_costs, add_run, read_results
from reversegen.reporting.page.page import task_page
from reversegen.stage import run


def main(
    proposers: list[Path], targets: list[Path], tests: list[Path], failure_clusters: Path, failures: Path, judge: Path,
    audits: list[Path], judgements: list[Path], models: list[Path], texts: list[Path], page: Path, task: str,
    reused: list[str], kind: KindUse, configuration: Configuration,
) -> None:  # fmt: skip
    """Write the page. Evaluations may have several random seeds; all other files belong to the seed of `failure_clusters`."""
    content = read_results([*proposers, *targets], tests, task, reused, open_kind(kind))
    content = add_run(content, failure_clusters, failures, judge, models, texts)
    content = add_audits(content, audits, judgements)
    content = add_costs(content, failure_clusters.parent, configuration)
    write_text(page, task_page(content))


if __name__ == "__main__":
    run(main)
