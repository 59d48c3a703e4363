"""What would stop a run, found before it. `report` looks at everything; each other module looks at one concern.

profile: the profile, and what it changes of the configuration · cluster: SLURM, its partitions and limits · hub: models and
data that are here or can be fetched, and keys of endpoints · conversations: chat templates · disk: room for what a run writes ·
limits: memory of a GPU, and time · environments: interpreters and their packages · file_system: renames and locks. `finding`
holds what they say, and how they ask another program.
"""
