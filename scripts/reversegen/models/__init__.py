"""Model folders: checking, fetching, converting, loading and describing them, and the GPUs and memory that they take."""
