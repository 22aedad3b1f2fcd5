"""What memgate.yml may declare: a folder a probe, and one table of them.

Here lives, for each kind of check, its spec (the keys of memgate.yml that it has) and what it measures. How a bundle, a
page or an import is read stands in `measure`; what is held against a value is asked of the face that `tasks` fills.
"""
