"""What a metric may grow by, and the text that says so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pytest_memgate.units import format_size, parse_size

_PERCENT = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*%\s*")
_CHOICE = re.compile(r"\s*(max|min)\s*\((.*),(.*)\)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """`200KB`, `5%`, `max(200KB, 5%)` or `min(200KB, 5%)` of a base value."""

    size: int | None = None
    percent: float | None = None
    larger: bool = True

    @classmethod
    def parse(cls, text: str | int) -> Self:
        """Raises ValueError with what was expected."""
        if isinstance(text, str) and (match := _PERCENT.fullmatch(text)):
            return cls(percent=float(match[1]))
        if isinstance(text, str) and (match := _CHOICE.fullmatch(text)):
            parts = [cls.parse(match[2]), cls.parse(match[3])]
            sizes = [part.size for part in parts if part.size is not None]
            percents = [part.percent for part in parts if part.percent is not None]
            if len(sizes) == len(percents) == 1:
                return cls(size=sizes[0], percent=percents[0], larger=match[1].lower() == "max")
            raise ValueError(f"{match[1]}() takes one size and one percentage: {text!r}")
        try:
            return cls(size=parse_size(text))
        except ValueError as error:
            raise ValueError(
                f"not a budget: {text!r} (write it as 200KB, 5%, max(200KB, 5%) or min(200KB, 5%))"
            ) from error

    def of(self, base: int) -> int:
        """Return the bytes allowed above `base` bytes."""
        share = None if self.percent is None else int(base * self.percent / 100)
        amounts = [amount for amount in (self.size, share) if amount is not None]
        return max(amounts) if self.larger else min(amounts)

    def __str__(self) -> str:
        size = "" if self.size is None else format_size(self.size)
        percent = "" if self.percent is None else f"{self.percent:g}%"
        if size and percent:
            return f"{'max' if self.larger else 'min'}({size}, {percent})"
        return size or percent

    def looser_than(self, other: "Allowance") -> bool:
        """Say whether it allows more than `other` for a small, a middling or a large value."""
        return any(self.of(base) > other.of(base) for base in (0, 1000**2, 1000**3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one source says of a metric; what it leaves open is None.

    `sources` says for each part where it stands: `memgate.yml:3`, `marker`, `--memgate-growth`.
    """

    growth: Allowance | None = None
    limit: int | None = None
    drift: Allowance | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    def source(self, part: str) -> str:
        return self.sources.get(part, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What holds for one metric of one test: growth over the baseline, an absolute limit, growth over the anchor."""

    growth: Allowance
    limit: int | None = None
    drift: Allowance | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = {
            "growth": str(self.growth),
            "limit": "" if self.limit is None else format_size(self.limit),
            "drift": "" if self.drift is None else str(self.drift),
        }
        return ", ".join(f"{name} {text} ({self.sources.get(name, 'default')})" for name, text in parts.items() if text)


def resolve(rules: list[Rule]) -> Budget:
    """Return the budget that `rules`, most specific first, come to: each part is taken from the first that has it.

    The last rule is the built-in one and has a growth.
    """
    parts: dict[str, object] = {}
    sources: dict[str, str] = {}
    for rule in rules:
        for name in ("growth", "limit", "drift"):
            value = getattr(rule, name)
            if value is not None and name not in parts:
                parts[name] = value
                sources[name] = rule.source(name)
    return Budget(**parts, sources=sources)  # type: ignore[arg-type]
