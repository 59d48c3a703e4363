"""Measures of texts that need no model that generates: words, duplicates, embeddings, diversity."""
