"""The way of one test: it runs until what is to be known of it is known, is judged between its runs, and is reported.

Here lives what happens from `pytest_runtest_protocol` to the reports of a test. What holds for a whole session, what is
declared in memgate.yml and what a test may call are elsewhere; numbers are judged by `tasks` and `compare`.
"""
