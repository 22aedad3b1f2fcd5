"""The verbs of `memgate history`: add, sync, show, build, check, confirm, digest."""
