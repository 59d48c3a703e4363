"""ReverseGen (arXiv 2410.16736) as a library: everything the workflow's scripts do, importable without torch."""
