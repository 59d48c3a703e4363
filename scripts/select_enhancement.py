"""Select equally many rows of every source to enhance the target: results/{task}/enhanced/{source}/train.jsonl

python scripts/select_enhancement.py --instructions results/tiny-math/{iter0,control,iter?}/instructions.jsonl --labels \
results/tiny-math/{iter0,control,iter?}/labels.jsonl --references results/tiny-math/{iter0,control,iter?}/references.jsonl \
--responses results/tiny-math/{iter0,control}/responses.jsonl --reference-judgements --seeds results/tiny-math/seeds.jsonl \
--drawn-seeds results/tiny-math/enhanced/drawn_seeds.jsonl --seed-references results/tiny-math/enhanced/seed_references.jsonl \
--seed-judgements --probe --answers --tests results/tiny-math/tests/*.jsonl --reversegen reversegen.jsonl \
--warmup warmup.jsonl --warmup-failures warmup_failures.jsonl --seed-rows seeds.jsonl --selection selection.json --kind \
'{"name":"math","worlds":["arithmetic"]}' --settings '{"rows":1000,"seed_margin":null,"in_turns":true,"replay_rows":1200,'\
'"plain_rows":0,"training":{"learning_rate":0.002,"num_train_epochs":6,"per_device_train_batch_size":16,'\
'"gradient_accumulation_steps":1,"lr_scheduler_type":"cosine","warmup_steps":0,"weight_decay":0,"max_grad_norm":1,'\
'"max_length":128,"optim":"adamw_torch","bf16":false,"activation_checkpointing":false},"lora":null}' \
--decision majority --system null --random-seed 0
"""

from pathlib import Path

from reversegen.config.judge_settings import Decision
from reversegen.config.task import KindUse
from reversegen.config.training import Enhancement
from reversegen.core.sources import SOURCES
from reversegen.kinds import open_kind
from reversegen.loop.barred import read_barred
from reversegen.loop.enhancement import select_rows
from reversegen.loop.enhancement_files import read_answered_seeds, read_arms, read_responses, write_selection
from reversegen.loop.sampled_rows import read_drawn, with_sampled_rows
from reversegen.stage import run


def main(
    instructions: list[Path], labels: list[Path], references: list[Path], responses: list[Path], seeds: Path,
    reference_judgements: list[Path], drawn_seeds: Path, seed_references: Path, seed_judgements: list[Path],
    probe: list[Path], answers: list[Path], tests: list[Path], reversegen: Path, warmup: Path, warmup_failures: Path,
    seed_rows: Path, selection: Path, kind: KindUse, settings: Enhancement, decision: Decision,
    system: str | None, random_seed: int,
) -> None:  # fmt: skip
    """Lists have the files of iteration 0, the control and iterations 1 to N, in this order; `responses` the first two only.
    The judgements, `probe` and `answers`, the target's to the chosen instructions, are empty if the task has none."""
    arms = read_arms(instructions, labels, references, reference_judgements, decision)
    answered = read_answered_seeds(drawn_seeds, seed_references, seed_judgements, decision, probe)
    barred, replies = read_barred(tests, seeds, open_kind(kind)), read_responses(responses)
    selected = select_rows(arms[2:], arms[:2], answered, replies, barred, settings, system, random_seed)
    for path in answers:
        selected = with_sampled_rows(selected, read_drawn(path, selected), barred.kind, system)
    outputs = dict(zip(SOURCES, (reversegen, warmup, warmup_failures, seed_rows), strict=True))
    write_selection(selected, drawn_seeds, settings, outputs, selection)


if __name__ == "__main__":
    run(main)
