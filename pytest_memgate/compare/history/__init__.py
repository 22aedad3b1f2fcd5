"""Changes in the history of a series: found, explained, ended."""
