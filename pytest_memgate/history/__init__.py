"""The store of all runs: SQLite by default, PostgreSQL by URL, carried between CI jobs by a git ref.

Here lives what reads and writes stored runs. What the values mean is in `model/history.py`; which of them changed is
judged in `compare/`; nothing here makes words for people.
"""
