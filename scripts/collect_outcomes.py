"""Collect a task's evaluations so far, with the outcomes of each prompt and question: results/{task}/outcomes.json

python scripts/collect_outcomes.py --evaluations results/tiny-math/iter?/eval.json results/tiny-math/original/eval.json \
--tests results/tiny-math/tests/*.jsonl --outcomes results/tiny-math/outcomes.json --task tiny-math --extends '' \
--kind '{"name":"math","worlds":["arithmetic"]}' --proposer tiny-arithmetic --target tiny-arithmetic --state ''
"""

import logging
from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.files import write_text
from reversegen.evaluation.outcomes import Run, collect, originals, read_test_sets
from reversegen.kinds import open_kind
from reversegen.reporting.rows import read_evaluation
from reversegen.stage import run


def main(
    evaluations: list[Path], tests: list[Path],
    outcomes: Path,
    task: str, extends: str, kind: KindUse, proposer: str, target: str, state: str,
) -> None:  # fmt: skip
    """Write the outcomes, from the files beside each evaluation. If these have been removed, its counts are left out.

    `extends` is empty for a task that extends none. `state` is a hash of the evaluations, so that a new one is collected.
    """
    opened, sets = open_kind(kind), read_test_sets(tests)
    read = [read_evaluation(path) for path in evaluations]
    every = zip(read, evaluations, originals(read, evaluations), strict=True)
    measured = [collect(one, path, sets, opened, original) for one, path, original in every]
    result = Run(
        task=task, kind=kind.name, proposer=proposer, target=target, extends=extends or None, measured=measured
    )
    write_text(outcomes, result.model_dump_json() + "\n")
    logging.getLogger("reversegen").info("%s: %d evaluations", outcomes, len(measured))


if __name__ == "__main__":
    run(main)
