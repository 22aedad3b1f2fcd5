"""Imports of a module, each in an interpreter of its own."""
