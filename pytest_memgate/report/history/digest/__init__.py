"""The digest of a day, a month or any other period: facts, then sections in words, then Markdown or HTML."""
