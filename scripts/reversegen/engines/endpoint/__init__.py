"""Access to an OpenAI-compatible endpoint: connection, Batch API, replies, and a log of all requests and answers."""
