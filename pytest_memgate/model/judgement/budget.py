"""The budget that a finding was judged by, part by part, as values."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT = "default"  # the source of a part that nobody has set


class RuleKind(StrEnum):
    """The parts of a budget, each of which can be broken."""

    GROWTH = "growth"  # above the baseline
    LIMIT = "limit"  # of the value itself
    DRIFT = "drift"  # above the anchor


class OriginKind(StrEnum):
    """Who set a part of a budget."""

    SETTINGS = "settings"  # memgate.yml, an option, or the default of a metric
    MARKER = "marker"
    CALL = "call"  # a call of the `memgate` fixture


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who set a part of a budget; `file` is that of the call, if it is not the test's own file."""

    kind: OriginKind = OriginKind.SETTINGS
    file: str = ""


BY_SETTINGS = Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRule:
    """One part of a budget: `amount` in the unit of its finding, `percent` of the value that growth is counted from.

    With both, the larger one holds if `larger` is True, else the smaller one. `source` is the place of the part:
    `memgate.yml:3`, `default`, `--memgate-growth`, `marker`, `call`.
    """

    rule: RuleKind
    amount: float | None = None
    percent: float | None = None
    larger: bool = True
    source: str = DEFAULT
    origin: Origin = BY_SETTINGS
