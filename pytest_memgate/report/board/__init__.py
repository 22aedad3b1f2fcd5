"""The board: a static site of a whole history, which works offline."""
