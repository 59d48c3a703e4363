"""Model folders: found, fetched, converted, loaded, described, and the GPUs and the memory that they take."""
