"""Choose the instructions that enhancement teaches, before the target answers them: results/{task}/enhanced/chosen.jsonl

python scripts/choose_instructions.py --instructions results/small/{iter0,control,iter?}/instructions.jsonl --labels \
results/small/{iter0,control,iter?}/labels.jsonl --references results/small/{iter0,control,iter?}/references.jsonl \
--responses results/small/{iter0,control}/responses.jsonl --reference-judgements --seeds results/small/seeds.jsonl \
--drawn-seeds results/small/enhanced/drawn_seeds.jsonl --seed-references results/small/enhanced/seed_references.jsonl \
--seed-judgements --probe --tests results/small/tests/*.jsonl --chosen chosen.jsonl --kind \
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
from reversegen.kinds import open_kind
from reversegen.loop.barred import read_barred
from reversegen.loop.enhancement import select_rows
from reversegen.loop.enhancement_files import read_answered_seeds, read_arms, read_responses
from reversegen.loop.sampled_rows import write_chosen
from reversegen.stage import run


def main(
    instructions: list[Path], labels: list[Path], references: list[Path], responses: list[Path],
    reference_judgements: list[Path], seeds: Path, drawn_seeds: Path, seed_references: Path, seed_judgements: list[Path],
    probe: list[Path], tests: list[Path], chosen: Path, kind: KindUse, settings: Enhancement, decision: Decision,
    system: str | None, random_seed: int,
) -> None:  # fmt: skip
    """The parameters are those of `select_enhancement`, which makes the same choice from them."""
    arms = read_arms(instructions, labels, references, reference_judgements, decision)
    answered = read_answered_seeds(drawn_seeds, seed_references, seed_judgements, decision, probe)
    barred, replies = read_barred(tests, seeds, open_kind(kind)), read_responses(responses)
    write_chosen(select_rows(arms[2:], arms[:2], answered, replies, barred, settings, system, random_seed), chosen)


if __name__ == "__main__":
    run(main)
