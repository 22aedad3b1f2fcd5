"""A finding's budget in words: `growth 200 KB (default), limit 64 MB (memgate.yml:3)`."""

from collections.abc import Iterable

from pytest_memgate.budget.rule import Allowance
from pytest_memgate.model.judgement.budget import BudgetRule
from pytest_memgate.model.judgement.finding import Finding


def budget_text(finding: Finding) -> str:
    """Return each part of the budget with its place, empty if there is none."""
    return rules_text(finding.rules, finding.unit)


def rules_text(rules: Iterable[BudgetRule], unit: str) -> str:
    """Return the parts of a budget with their places; amounts are in `unit`."""
    return ", ".join(f"{one.rule} {_allowed(one, unit)} ({one.source})" for one in rules)


def _allowed(rule: BudgetRule, unit: str) -> str:
    return str(Allowance(amount=rule.amount, percent=rule.percent, larger=rule.larger, unit=unit))
