"""Importing packages alone, in a clean process."""
