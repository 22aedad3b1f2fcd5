"""What in the code of a change would loosen the gate: marks, and arguments of calls."""
