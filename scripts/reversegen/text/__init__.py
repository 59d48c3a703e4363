"""Measures of texts that need no generative model: words, duplicates, embeddings, diversity."""
