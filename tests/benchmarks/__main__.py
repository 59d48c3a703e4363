"""Run all benchmarks, or those named: python -m tests.benchmarks [NAME ...]"""

import json
import sys
from importlib import import_module
from pathlib import Path

BENCHMARKS = (
    "demo",
    "dry_run",
    "self_bleu",
    "near_duplicates",
    "embeddings",
    "semantic_duplicates",
    "equivalence",
    "endpoints",
    "choose",
    "vllm_engine",
    "saving",
    "real_model",
    "report",
    "host_memory",
    "hostile_judges",
    "judge_correction",
)
"""Modules of this package. Each has `measure`, which returns rows of results/benchmarks.json."""


def main(names: list[str]) -> None:
    """Print each result and write results/benchmarks.json. End with status 1 if a value exceeds its bar."""
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}")
    rows = [row for name in names or BENCHMARKS for row in import_module(f"tests.benchmarks.{name}").measure()]
    for row in rows:
        print(json.dumps(row))
    path = Path("results/benchmarks.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rows, indent=2) + "\n")
    sys.exit(0 if all(row["holds"] for row in rows) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
