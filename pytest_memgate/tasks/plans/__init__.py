"""Plans: which runs of a test it takes until its values are known, and which tests one tracker measures together.

A plan asks for runs and is sent what they gave; nothing here runs or reads anything.
"""
