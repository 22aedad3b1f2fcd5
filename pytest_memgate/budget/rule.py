"""What a metric may grow by, and the text that says so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pytest_memgate.model.judgement.budget import BY_SETTINGS, DEFAULT, BudgetRule, Origin, RuleKind
from pytest_memgate.units import SIZE, format_amount, parse_amount, parse_any
from pytest_memgate.values import one_of

AGAINST = ("auto", "stored", "measured")
_PERCENT = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*%\s*")
_EXAMPLES = {"B": "200KB, 5%, max(200KB, 5%) or min(200KB, 5%)", "ms": "300ms, 5% or max(300ms, 5%)"}
_CHOICE = re.compile(r"\s*(max|min)\s*\((.*),(.*)\)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """`200KB`, `5%`, `max(200KB, 5%)` or `min(200KB, 5%)` of a base value; `amount` is in `unit`."""

    amount: float | None = None
    percent: float | None = None
    larger: bool = True
    unit: str = SIZE

    @classmethod
    def parse(cls, text: str | float, unit: str | None = SIZE) -> Self:
        """Read a budget of a metric in `unit`; if that is None, in the unit that the text names.

        Raises ValueError that says what was expected.
        """
        if isinstance(text, str) and (match := _PERCENT.fullmatch(text)):
            return cls(percent=float(match[1]), unit=unit or "")
        if isinstance(text, str) and (match := _CHOICE.fullmatch(text)):
            parts = [cls.parse(match[2], unit), cls.parse(match[3], unit)]
            amounts = [part for part in parts if part.amount is not None]
            percents = [part.percent for part in parts if part.percent is not None]
            if len(amounts) == len(percents) == 1:
                larger = match[1].lower() == "max"
                return cls(amount=amounts[0].amount, percent=percents[0], larger=larger, unit=amounts[0].unit)
            raise ValueError(f"{match[1]}() takes one amount and one percentage: {text!r}")
        try:
            amount, named_unit = parse_any(text) if unit is None else (parse_amount(text, unit), unit)
        except ValueError as error:
            raise ValueError(f"not a budget: {text!r} (write it as {_EXAMPLES.get(unit or '', '20 or 5%')})") from error
        return cls(amount=amount, unit=named_unit)

    def of(self, base: float) -> float:
        """Return the growth allowed above `base`, in its unit."""
        share = None if self.percent is None else base * self.percent / 100
        if share is not None and self.unit == SIZE:
            share = int(share)
        amounts = [amount for amount in (self.amount, share) if amount is not None]
        return max(amounts) if self.larger else min(amounts)

    def __str__(self) -> str:
        amount = "" if self.amount is None else format_amount(self.amount, self.unit)
        percent = "" if self.percent is None else f"{self.percent:g}%"
        if amount and percent:
            return f"{'max' if self.larger else 'min'}({amount}, {percent})"
        return amount or percent

    def looser_than(self, other: "Allowance") -> bool:
        """True if it allows more than `other` for a small, a middling or a large value."""
        return any(self.of(base) > other.of(base) for base in (0, 1, 1000, 1000**2, 1000**3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one source says of a metric, in `unit` (empty if it names none); a part that it leaves open is None.

    `against` is one of `AGAINST`: what beside a base decides, its stored value or a measurement of it now.
    `sources` gives the place of each part: `memgate.yml:3`, `marker`, `--memgate-growth`. `origin` says who set them.
    """

    growth: Allowance | None = None
    limit: float | None = None
    drift: Allowance | None = None
    against: str | None = None
    unit: str = SIZE
    sources: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = BY_SETTINGS

    @classmethod
    def parse(
        cls,
        parts: Mapping[str, str | float],
        unit: str | None,
        sources: Mapping[str, str],
        origin: Origin = BY_SETTINGS,
    ) -> Self:
        """Read a rule for a metric in `unit`; if that is None, in the unit that its parts name.

        Raises PartError, a ValueError, for a part that has no meaning; its `part` names it.
        """
        read: dict[str, Any] = {}
        named_unit = ""
        for name, text in parts.items():
            try:
                if name == "against":
                    read[name], own = one_of("value", AGAINST)(text), ""
                elif name == "limit":
                    read[name], own = parse_any(text) if unit is None else (parse_amount(text, unit), unit)
                else:
                    read[name] = Allowance.parse(text, unit)
                    own = read[name].unit
            except ValueError as error:
                raise PartError(name, str(error)) from error
            if own and named_unit and own != named_unit:
                raise PartError(name, f"it is in {own}, the budget's other parts are in {named_unit}")
            named_unit = named_unit or own
        return cls(**read, unit=named_unit, sources=sources, origin=origin)

    def source(self, part: str) -> str:
        """Return the place where a part (`growth`, `limit`, `drift`) stands, empty if it does not."""
        return self.sources.get(part, "")


class PartError(ValueError):
    """A part of a rule (`growth`, `limit`, `drift`) that has no meaning."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.part = part


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The budget of one metric of one test: growth over the baseline, an absolute limit, growth over the anchor.

    With none of the three, no value can fail and the metric is not gated. `against` is as in a rule. `sources` gives
    the place of each part, `origins` who set it, unless the project's settings did.
    """

    growth: Allowance | None = None
    limit: float | None = None
    drift: Allowance | None = None
    against: str = "auto"
    unit: str = SIZE
    sources: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def gates(self) -> bool:
        """True if any part is set, so that a value can fail."""
        return self.growth is not None or self.limit is not None or self.drift is not None

    @property
    def rules(self) -> tuple[BudgetRule, ...]:
        """The parts that are set, each with its place, as a finding carries them."""
        limit = None if self.limit is None else Allowance(amount=self.limit, unit=self.unit)
        parts = {RuleKind.GROWTH: self.growth, RuleKind.LIMIT: limit, RuleKind.DRIFT: self.drift}
        return tuple(
            BudgetRule(
                rule=kind,
                amount=part.amount,
                percent=part.percent,
                larger=part.larger,
                source=self.sources.get(kind, DEFAULT),
                origin=self.origins.get(kind, BY_SETTINGS),
            )
            for kind, part in parts.items()
            if part is not None
        )


def resolve(rules: list[Rule], unit: str = SIZE) -> Budget:
    """Return the budget of several `rules`, most specific first: each part is taken from the first that has it."""
    parts: dict[str, object] = {}
    sources: dict[str, str] = {}
    origins: dict[str, Origin] = {}
    for rule in rules:
        for name in ("growth", "limit", "drift", "against"):
            value = getattr(rule, name)
            if value is not None and name not in parts:
                parts[name] = replace(value, unit=unit) if isinstance(value, Allowance) else value
                sources[name] = rule.source(name)
                if rule.origin != BY_SETTINGS:
                    origins[name] = rule.origin
    return Budget(**parts, unit=unit, sources=sources, origins=origins)  # type: ignore[arg-type]
