"""Stop a run whose proposer exploits the judges that label: results/{task}/iter{iteration}/judge_gap.json

python scripts/check_judge_gap.py --evaluation results/tiny-safety/iter1/eval.json --judge-gap \
results/tiny-safety/iter1/judge_gap.json
"""

from pathlib import Path

from reversegen.evaluation.votes import check_gap
from reversegen.stage import run


def main(evaluation: Path, judge_gap: Path) -> None:
    """Raise BadInput if the evaluation has an alarm about the gap to the hold-out judge. It is a stage of its own, so that
    Snakemake keeps the evaluation."""
    check_gap(evaluation, judge_gap)


if __name__ == "__main__":
    run(main)
