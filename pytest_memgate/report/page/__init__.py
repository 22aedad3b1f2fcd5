"""The HTML report: what it shows, its text, its style and its scripts."""
