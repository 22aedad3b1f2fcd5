"""Modules without compiled files are compiled in a process of their own while memory is traced."""
