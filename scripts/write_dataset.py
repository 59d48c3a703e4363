"""Write the instructions and labels of a task as a data set with a card: results/{task}/dataset/

python scripts/write_dataset.py --instructions results/tiny-math/iter?/instructions.jsonl --labels \
results/tiny-math/iter?/labels.jsonl --responses results/tiny-math/iter?/responses.jsonl --references \
results/tiny-math/iter?/references.jsonl --pairs results/tiny-math/iter?/pairs.jsonl --enhancement \
results/tiny-math/enhanced/*/train.jsonl --seeds results/tiny-math/seeds.jsonl --judge results/tiny-math/judge.json \
--evaluations results/tiny-math/iter?/eval.json --folder results/tiny-math/dataset --task tiny-math --reused --kind \
'{"name":"math","worlds":["arithmetic"]}' --sources '{"arithmetic":{"corpus":{"world":"arithmetic","mix":"seeds",'\
'"part":"train","count":5000,"random_seed":2,"distinct":true},"licence":"made here"}}' --models '{"target":"tiny-arithmetic"}' \
--configuration HASH --include-text true
"""

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.task import KindUse
from reversegen.reporting.dataset import read_arms, read_enhancement, read_origin, write_dataset
from reversegen.stage import run


def main(
    instructions: list[Path],
    labels: list[Path],
    responses: list[Path],
    references: list[Path],
    pairs: list[Path],
    enhancement: list[Path],
    seeds: Path,
    judge: Path,
    evaluations: list[Path],
    folder: Path,
    task: str,
    reused: list[str],
    kind: KindUse,
    sources: dict[str, DataSource],
    models: dict[str, str],
    configuration: str,
    include_text: bool,
) -> None:
    """Lists have the files of iterations 0 to N in order; `pairs` end at N - 1. `references` may be empty."""
    arms = read_arms(instructions, labels, responses, references, pairs)
    origin = read_origin(seeds, judge, evaluations, task, reused, sources, models, configuration)
    write_dataset(folder, arms, read_enhancement(enhancement), origin, kind, include_text)


if __name__ == "__main__":
    run(main)
