"""How an OpenAI-compatible endpoint is asked: connection, batch API, replies, and what was asked and answered."""
