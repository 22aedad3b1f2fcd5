"""From what was measured to findings, one module a kind of metric; a plan asks for runs and makes none."""
