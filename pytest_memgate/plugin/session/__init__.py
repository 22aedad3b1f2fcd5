"""What holds for a whole session: what was collected, what was asked for, what all processes have paid, the verdict.

It runs in the process that the user sees. Nothing here runs, traces or judges a single test.
"""
