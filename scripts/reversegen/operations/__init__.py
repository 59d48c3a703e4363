"""The operation of a run: its display, plan, budget, used resources, SLURM profile and doctor."""
