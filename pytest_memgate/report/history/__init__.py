"""What a history shows in words: one series after another in the terminal, and the digest of a day or a month."""
