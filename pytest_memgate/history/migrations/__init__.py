"""The story of the store's tables, one module a version, run by Alembic.

A migration adds tables and columns that may be empty, so that PostgreSQL locks no reader out; it rewrites no table.
"""
