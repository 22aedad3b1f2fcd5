"""Probes: what a test costs, and where it was measured."""
