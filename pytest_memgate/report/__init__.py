"""A view of a run, and a pure renderer for each format."""
