"""This interpreter: what machine and versions it runs on, and what tests may have replaced in it."""
