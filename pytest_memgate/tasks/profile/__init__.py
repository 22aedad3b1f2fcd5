"""`memgate profile`: one test's memory on two commits."""
