"""Measure a proposer on the held-out prompts: results/{task}/iter{iteration}/eval.json

python scripts/evaluate_proposer.py --samples results/tiny-math/iter0/samples.jsonl --instructions \
results/tiny-math/iter0/instructions.jsonl --labels results/tiny-math/iter0/labels.jsonl --judgements --holdout --judge \
results/tiny-math/judge.json --first --audit results/tiny-math/iter0/audit.csv --seeds results/tiny-math/seeds.jsonl \
--earlier --embeddings --seed-embeddings --earlier-embeddings --pairs --proposer results/tiny-math/iter0/proposer --target \
results/models/tiny-arithmetic --system-texts results/tiny-math/system_texts.json --eval-json \
results/tiny-math/iter0/eval.json --task tiny-math --kind '{"name":"math","worlds":["arithmetic"]}' --arm iter0 --settings \
'{"bootstrap":1000,"diversity_sample":500}' --embedding null --alarm '{"action":"warn","unique_share":0.5,'\
'"type_entropy":null,"semantic_diversity":null,"largest_cluster":null,"self_bleu":null,'\
'"judge_gap":{"action":"warn","growth":0.1}}' --configuration HASH --random-seed 0
"""

from pathlib import Path

from reversegen.config.task import Alarm, Embedding, Evaluation, KindUse
from reversegen.evaluation.audit import audit_metrics
from reversegen.evaluation.judge_check import read_judge_report
from reversegen.evaluation.proposer import measure_proposer, write_proposer_file
from reversegen.evaluation.proposer_files import read_known, read_meanings, read_writing
from reversegen.evaluation.provenance import kept_metric, proposer_provenance, provenance
from reversegen.evaluation.votes import read_votes
from reversegen.kinds import open_kind
from reversegen.stage import run


def main(
    samples: Path, instructions: Path, labels: Path, judgements: list[Path], holdout: list[Path], judge: Path,
    first: list[Path], audit: list[Path], seeds: Path, earlier: list[Path], embeddings: list[Path],
    seed_embeddings: list[Path], earlier_embeddings: list[Path], pairs: list[Path], proposer: Path, target: list[Path],
    system_texts: Path, eval_json: Path, task: str, kind: KindUse, arm: str, settings: Evaluation,
    embedding: Embedding | None, alarm: Alarm, configuration: str, random_seed: int,
) -> None:  # fmt: skip
    """`arm` is iter{k} or untrained. For proposer 0 `earlier`, `pairs` and `first`, the evaluation of iter0, are empty."""
    writing, votes = read_writing(samples, instructions, labels), read_votes(judgements, holdout, first)
    known, judged = read_known(seeds, earlier), read_judge_report(judge)
    meanings = read_meanings(embedding, embeddings, seed_embeddings, earlier_embeddings)
    metrics, groups = measure_proposer(writing, votes, known, judged, settings, random_seed, open_kind(kind), meanings)
    metrics |= audit_metrics(audit, writing, votes.disagreements, random_seed)
    metrics |= kept_metric(proposer) if arm != "untrained" else {}
    data = [samples, instructions, labels, *judgements, *holdout, seeds, judge]
    origin = provenance(configuration, {"proposer": [proposer], "target": target}, data, random_seed)
    origin |= proposer_provenance(system_texts, pairs)
    write_proposer_file(eval_json, (task, kind.name, arm), (metrics, groups), writing, alarm, origin)


if __name__ == "__main__":
    run(main)
