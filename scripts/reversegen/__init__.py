"""ReverseGen (arXiv 2410.16736) as a library: everything the workflow's scripts do, importable without torch."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType


def _end_in_one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report an error that stops a stage before `stage.run`, such as a missing package.

    One line goes to the terminal, and the traceback to the log.
    """
    import traceback

    from reversegen.core.errors import fault_line

    main = sys.modules["__main__"]
    job = getattr(main, "snakemake", None)
    flag = sys.argv.index("--log") + 1 if "--log" in sys.argv else len(sys.argv)
    log_file = str(job.log) if job else "".join(sys.argv[flag : flag + 1])
    whole = "".join(traceback.format_exception(kind, error, trace))
    line = fault_line(Path(str(main.__file__)).stem, error, log_file or None)
    try:
        Path(log_file).write_text(f"{whole}{line}\n", encoding="utf-8")
    except OSError:  # the stage has no log, or its log cannot be written
        sys.stderr.write(whole)
    sys.stderr.write(f"{line}\n")


def report_faults_of_stages() -> None:
    """If this process runs one of the workflow's scripts, let an error that stops it before `stage.run` end in one line."""
    if Path(getattr(sys.modules["__main__"], "__file__", None) or "").absolute().parent == Path(__file__).parents[1]:
        sys.excepthook = _end_in_one_line


report_faults_of_stages()
