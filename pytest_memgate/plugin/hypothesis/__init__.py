"""Hypothesis under the gate: a storage of its own, the same examples in each run, stored failures replayed."""
