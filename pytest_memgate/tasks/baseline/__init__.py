"""Verbs on baselines: make, update, accept, anchor, check, show, rename. None judges a measurement."""
