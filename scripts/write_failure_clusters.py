"""Group failing instructions by meaning: results/{task}/failure_clusters.jsonl and failures.parquet

python scripts/write_failure_clusters.py --instructions results/tiny-math/iter?/instructions.jsonl --labels \
results/tiny-math/iter?/labels.jsonl --responses results/tiny-math/iter?/responses.jsonl --references \
results/tiny-math/iter?/references.jsonl --embeddings --failure-clusters results/tiny-math/failure_clusters.jsonl --failures \
results/tiny-math/failures.parquet --kind '{"name":"math","worlds":["arithmetic"]}' --random-seed 0
"""

from pathlib import Path

from reversegen.config.task import KindUse
from reversegen.core.records import write_records
from reversegen.kinds import open_kind
from reversegen.reporting.failure_clusters import make_failure_clusters
from reversegen.reporting.failures import read_judged_instructions, write_failures
from reversegen.stage import run
from reversegen.text.embeddings import read_embeddings


def main(
    instructions: list[Path],
    labels: list[Path],
    responses: list[Path],
    references: list[Path],
    embeddings: list[Path],
    failure_clusters: Path,
    failures: Path,
    kind: KindUse,
    random_seed: int,
) -> None:
    """Lists have the files of iterations 0 to N, in order. `references` and `embeddings` may be empty."""
    opened = open_kind(kind)
    judged = read_judged_instructions(instructions, labels, responses, references, opened)
    vectors = read_embeddings(embeddings) if embeddings else None
    clusters, rows = make_failure_clusters(judged, vectors, opened.harmful, random_seed)
    write_records(failure_clusters, clusters)
    write_failures(failures, rows)


if __name__ == "__main__":
    run(main)
