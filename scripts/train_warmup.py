"""Train proposer 0 by supervised fine-tuning (warm-up): results/{task}/iter0/proposer/

python scripts/train_warmup.py --warmup results/tiny-math/warmup.jsonl --base results/models/tiny-arithmetic --proposer \
results/tiny-math/iter0/proposer --model '{"dtype":"float32"}' --settings \
'{"rows":6000,"completion_only_loss":false,"training":{"learning_rate":0.003,"num_train_epochs":1,'\
'"per_device_train_batch_size":16,"gradient_accumulation_steps":1,"lr_scheduler_type":"cosine","warmup_steps":0,'\
'"weight_decay":0,"max_grad_norm":1,"max_length":128,"optim":"adamw_torch","bf16":false,"activation_checkpointing":false},'\
'"lora":null}' --random-seed 0 --threads 2 --tracking '{"report_to":[],"project":"reversegen"}'
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.training import Warmup
from reversegen.config.workflow import Tracking
from reversegen.core.records import TrainingRow, read_records
from reversegen.stage import run


def main(
    warmup: Path,
    base: Path,
    proposer: Path,
    model: ModelUse,
    settings: Warmup,
    random_seed: int,
    threads: int,
    tracking: Tracking,
) -> None:
    """Train the model in `base` on the three-shot rows."""
    from reversegen.training.common import TrainingRun
    from reversegen.training.sft import train_supervised

    training = TrainingRun(base, model, proposer, "proposer", random_seed, threads, tracking)
    rows = read_records(warmup, TrainingRow)
    train_supervised(rows, training, settings.training, settings.lora, settings.completion_only_loss)


if __name__ == "__main__":
    run(main)
