"""The last week of each article's stock, by the hour, for those who buy."""

import numpy as np

_WEEK = 7 * 24  # hours


class Trends:
    """What is kept of the tills' exports, which go back for years."""

    def __init__(self) -> None:
        self._weeks: dict[str, np.typing.NDArray[np.int64]] = {}

    def load(self, article: str, export: bytes) -> None:
        """Take an article's whole export: pieces that came or went in each hour, as little-endian 32-bit numbers."""
        levels = np.frombuffer(export, dtype="<i4").cumsum(dtype=np.int64)
        self._weeks[article] = levels[-_WEEK:].copy()  # a slice alone would keep the years before it, too

    def change(self, article: str) -> int:
        """Return by how many pieces the stock changed within the week."""
        week = self._weeks[article]
        return int(week[-1] - week[0])
