"""What may grow by how much: rules, their text, and which of them holds for a test."""
