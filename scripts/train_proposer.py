"""Train the next proposer by DPO on the pairs of the previous iteration: results/{task}/iter{iteration}/proposer/

python scripts/train_proposer.py --pairs results/tiny-math/iter0/pairs.jsonl --previous results/tiny-math/iter0/proposer \
--reference results/tiny-math/iter0/proposer --proposer results/tiny-math/iter1/proposer --model '{"dtype":"float32"}' \
--settings '{"reference":"previous","min_steps":16,"beta":0.1,"loss_type":["sigmoid","sft"],"loss_weights":[1,2],'\
'"training":{"learning_rate":0.0004,"num_train_epochs":1,"per_device_train_batch_size":64,"gradient_accumulation_steps":1,'\
'"lr_scheduler_type":"cosine","warmup_steps":0,"weight_decay":0,"max_grad_norm":1,"max_length":128,"optim":"adamw_torch",'\
'"bf16":false,"activation_checkpointing":false},"lora":null}' --random-seed 0 --threads 2 --tracking \
'{"report_to":[],"project":"reversegen"}'
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.training import Preference
from reversegen.config.workflow import Tracking
from reversegen.core.records import Pair, read_records
from reversegen.stage import run


def main(
    pairs: Path,
    previous: Path,
    reference: Path,
    proposer: Path,
    model: ModelUse,
    settings: Preference,
    random_seed: int,
    threads: int,
    tracking: Tracking,
) -> None:
    """Start from `previous`, with `reference` as DPO's reference model: the same folder by default, or else proposer 0."""
    from reversegen.training.common import TrainingRun
    from reversegen.training.dpo import train_preference

    training = TrainingRun(previous, model, proposer, "proposer", random_seed, threads, tracking)
    train_preference(read_records(pairs, Pair), training, reference, settings)


if __name__ == "__main__":
    run(main)
