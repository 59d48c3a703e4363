"""Training by TRL: supervised fine-tuning, DPO, tiny models; checkpoints and saving."""
