"""Along a history: where a series moved and what became of it, and which tests were renamed."""
