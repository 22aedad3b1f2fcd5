"""Findings on pytest's reports, and reports that wait for a verdict."""
