"""The doctor: it finds what would stop a run before the run starts.

`report` runs all checks. Each other module has one topic: profile (the profile, and the configuration that it overrides),
cluster (SLURM, its partitions and limits), hub (models and data that are on this machine or can be fetched, and keys of
endpoints), conversations (chat templates), disk (room for the files of a run), limits (memory of a GPU, and time),
environments (interpreters and their packages), file_system (renames and locks). `finding` has the class of their results, and
the function that runs another program.
"""
