"""Failure clusters and page of 1,000, 10,000 and 100,000 failing instructions: time and memory to make, size, and time to open.

The instructions are the made texts of `corpora`, half of them failed and half passed in two iterations, with an answer of
three times their length. There is no embedding model, so tf-idf, the slower way, compares them. Each run is a separate
process, which reports its CPU time (on one core, including imports) and peak memory. A row's `ratio` holds the value in the
unit of its name, and its bar is a limit.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "scripts")]

from tests.benchmarks.corpora import made_corpus
from tests.benchmarks.timing import value_row
from tests.support.browser import CHROMIUM, browser

SECONDS = {1_000: 10.0, 10_000: 20.0, 100_000: 60.0}
MEGABYTES = {1_000: 600.0, 10_000: 800.0, 100_000: 2_000.0}
"""Limits, by number of failing instructions, of a process that makes both; the cluster job asks for 4,000 MB."""
PAGE, OPENS = 10.0, 3.0
"""Limits: megabytes of a page, and seconds until a browser shows it."""
ROUNDS = 3


def measure() -> list[dict[str, Any]]:
    """Four rows for each size; three if Chromium is not installed."""
    rows = []
    for size in SECONDS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write(folder, size)
            runs = [_made(folder) for _ in range(ROUNDS)]
            page = folder / "report.html"
            label = f"{size:,} failing instructions"
            measured = {
                "CPU seconds to make": ([m["seconds"] for m in runs], SECONDS[size]),
                "MB of memory": ([m["megabytes"] for m in runs], MEGABYTES[size]),
                "MB of the page": ([page.stat().st_size / 1e6], PAGE),
            }
            if CHROMIUM:
                with browser() as chromium:
                    measured["seconds to open"] = ([chromium.open(page) for _ in range(ROUNDS)], OPENS)
            else:
                print("not measured: seconds to open: Chromium is not installed")
            rows += [value_row(f"report: {name}", "a limit", label, *found) for name, found in measured.items()]
    return rows


def _write(folder: Path, size: int) -> None:
    """Write the files of two iterations as the stages write them."""
    from reversegen.core.records import Instruction, Label, Reference, Response, write_records
    from reversegen.ids import instruction_id

    texts = made_corpus(2 * size).texts
    for k in range(2):
        texts_by_id = {instruction_id(text): text for text in texts[k * size : (k + 1) * size]}
        plain: dict[str, Any] = {"answer": None, "subject": None, "invalid": None, "duplicate_of": None}
        instructions = [
            Instruction(id=i, text=t, samples=[i], splits=["train"], **plain) for i, t in texts_by_id.items()
        ]
        write_records(folder / f"iter{k}/instructions.jsonl", instructions)
        labels = [
            Label(instruction_id=i, verdict="failed" if n % 2 else "passed", score=None, detail="different answers")
            for n, i in enumerate(texts_by_id)
        ]
        write_records(folder / f"iter{k}/labels.jsonl", labels)
        responses = [
            Response(instruction_id=i, sample=0, text=" ".join([t] * 3), tokens=1, finished=True)
            for i, t in texts_by_id.items()
        ]
        write_records(folder / f"iter{k}/responses.jsonl", responses)
        trusted = [
            Reference(instruction_id=i, answer=t[:40], solution=t, teacher="made", invalid=None)
            for i, t in texts_by_id.items()
        ]
        write_records(folder / f"iter{k}/references.jsonl", trusted)


def _made(folder: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, str(folder)], check=True, stdout=subprocess.PIPE)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _make(folder: Path) -> None:
    """Run both stages in this process and print their time and memory."""
    import write_failure_clusters
    from reversegen.config.task import KindUse
    from reversegen.core.failure_records import Cluster
    from reversegen.core.metric import Metric
    from reversegen.core.records import read_records
    from reversegen.evaluation.eval_file import EvalFile
    from reversegen.reporting.failures import read_failures
    from reversegen.reporting.page.content import PageContent
    from reversegen.reporting.page.page import task_page

    def files(name: str) -> list[Path]:
        return [folder / f"iter{k}/{name}.jsonl" for k in range(2)]

    inputs = [files(name) for name in ("instructions", "labels", "responses", "references")]
    places = folder / "failure_clusters.jsonl", folder / "failures.parquet"
    write_failure_clusters.main(*inputs, [], *places, KindUse(name="math"), 0)
    metrics = {"failure_rate": Metric(value=0.5), "validity": Metric(value=1.0)}
    evaluation = EvalFile(
        task="made",
        kind="math",
        role="proposer",
        arm="iter0",
        variant=None,
        iteration=0,
        metrics=metrics,
        groups={},
        provenance={},
    )
    clusters, failures = read_records(places[0], Cluster), read_failures(places[1])
    content = PageContent([evaluation], run="made", clusters=clusters, failures=failures)
    (folder / "report.html").write_text(task_page(content))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": time.process_time(), "megabytes": megabytes}))


if __name__ == "__main__":
    _make(Path(sys.argv[1]))
