"""Heaps of running programs, as files of the format pprof."""
