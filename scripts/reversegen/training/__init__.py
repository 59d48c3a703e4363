"""Training: supervised fine-tuning and DPO by TRL, tiny models, checkpoints, and saving."""
