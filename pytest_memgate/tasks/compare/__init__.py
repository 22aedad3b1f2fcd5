"""`memgate compare`: a git ref and the work tree, both measured now, on this machine."""
