"""Write every token of a training row and a prompt of each role, before anything is trained: results/{task}/rendered.md

The script takes the whole configuration as JSON. The log of its rule shows this command in full.

snakemake -c1 results/tiny-math/rendered.md
"""

from pathlib import Path

from reversegen.config.workflow import Configuration
from reversegen.core.files import write_text
from reversegen.core.records import Seed, read_records
from reversegen.stage import run


def main(
    seeds: Path,
    proposer: list[Path],
    target: list[Path],
    teacher: list[Path],
    judge: list[Path],
    rendered: Path,
    task: str,
    configuration: Configuration,
) -> None:
    """Write the file from the task's seeds and the tokenizers in its models' folders; no weights are loaded."""
    from reversegen.reporting.rendered import rendered_markdown, role_models

    settings = configuration.task(task)
    folders = {"proposer": proposer, "target": target, "teacher": teacher, "judge": judge}
    models = role_models(settings, configuration.models, folders)
    write_text(rendered, rendered_markdown(task, settings, read_records(seeds, Seed), models))


if __name__ == "__main__":
    run(main)
