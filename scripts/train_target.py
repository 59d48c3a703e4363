"""Enhance the target with the rows of one source: results/{task}/enhanced/{source}/target/

python scripts/train_target.py --rows results/tiny-math/enhanced/reversegen/train.jsonl --base results/models/tiny-arithmetic \
--target results/tiny-math/enhanced/reversegen/target --model '{"dtype":"float32"}' --settings \
'{"rows":1000,"seed_margin":null,"in_turns":true,"replay_rows":1200,"plain_rows":0,"training":{"learning_rate":0.002,'\
'"num_train_epochs":6,"per_device_train_batch_size":16,"gradient_accumulation_steps":1,"lr_scheduler_type":"cosine",'\
'"warmup_steps":0,"weight_decay":0,"max_grad_norm":1,"max_length":128,"optim":"adamw_torch","bf16":false,'\
'"activation_checkpointing":false},"lora":null}' --random-seed 0 --threads 2 --tracking \
'{"report_to":[],"project":"reversegen"}'
"""

from pathlib import Path

from reversegen.config.models import ModelUse
from reversegen.config.training import Enhancement
from reversegen.config.workflow import Tracking
from reversegen.core.records import TrainingRow, read_records
from reversegen.stage import run


def main(
    rows: Path,
    base: Path,
    target: Path,
    model: ModelUse,
    settings: Enhancement,
    random_seed: int,
    threads: int,
    tracking: Tracking,
) -> None:
    """Fine-tune the original target on the conversations of `rows`; the loss is on the answers alone."""
    from reversegen.training.common import TrainingRun
    from reversegen.training.sft import train_supervised

    training = TrainingRun(base, model, target, "target", random_seed, threads, tracking)
    train_supervised(
        read_records(rows, TrainingRow), training, settings.training, settings.lora, completion_only_loss=True
    )


if __name__ == "__main__":
    run(main)
