"""What a run will cost, has used and needs: plan, budget, resources, SLURM profile, doctor."""
