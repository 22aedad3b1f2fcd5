"""A performance gate for pytest: what a test costs, against what it cost before."""

__version__ = "0.1.0"
