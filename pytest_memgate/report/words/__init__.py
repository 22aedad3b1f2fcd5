"""The sentences about findings: why, by which budget, made of what. Every report and every message takes them here."""
