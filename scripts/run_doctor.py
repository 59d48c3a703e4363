"""List the problems that would stop a run of a task, with their fixes, before it starts.

make doctor TASK=safety PROFILE=slurm
"""

import logging
import sys
from pathlib import Path

from reversegen.core.errors import BadInput
from reversegen.operations.doctor.report import examine, report_text
from reversegen.stage import run


def main(task: str, profile: Path | None) -> None:
    """Print one finding on each line. Exit with status 1 if one would stop the run."""
    file = Path("config/config.yaml")
    if not file.is_file():
        raise BadInput(f"{file}: no such file; start in the folder that holds config/")
    findings = examine(task, profile, Path())
    print(report_text(task, findings))
    if any(finding.state == "stops" for finding in findings):
        sys.exit(1)


if __name__ == "__main__":
    logging.disable(logging.INFO)  # the findings are all there is to read
    run(main)
