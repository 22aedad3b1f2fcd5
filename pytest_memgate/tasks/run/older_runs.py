"""Run files of formats 1 and 2, which have words for what is data now: they are read only here."""

import re
from typing import Any

from pytest_memgate.budget.rule import Allowance
from pytest_memgate.model.codec import encode
from pytest_memgate.model.judgement.budget import BudgetRule, Origin, OriginKind, RuleKind
from pytest_memgate.model.judgement.remark import RemarkKind
from pytest_memgate.model.metric import MEMORY_LEAK, base_name
from pytest_memgate.model.site import LeadKind
from pytest_memgate.model.subject import LEDGER
from pytest_memgate.units import SIZE, parse_size

_PART = re.compile(r"(growth|limit|drift) (.+?) \((.*?)\)(?:, (?=(?:growth|limit|drift) )|$)")
_CALLER = re.compile(r"(.+):(\d{1,9}) in (.+)")
_IMPORTER = re.compile(r"(lazily )?imported by (.+?)(?::(\d{1,9}))?")
_MODULE = re.compile(r"(.+) ([\d.]{1,9} [KMG]?B)")  # of a package; a package itself has a version behind it
_OVER_LIMIT = "is over its limit of"


def upgraded(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an older run's file as those of a new one; data of another shape is left to the reader."""
    findings = data.get("findings")
    if not isinstance(findings, list):
        return data
    return {**data, "findings": [_finding(one) if isinstance(one, dict) else one for one in findings]}


def _finding(old: dict[str, Any]) -> dict[str, Any]:
    new = {key: value for key, value in old.items() if key not in {"reason", "budget", "details"}}
    if "reason" in old:
        new["why"] = old["reason"]
    if rules := _rules(old):
        new["rules"] = [encode(rule) for rule in rules]
    if _OVER_LIMIT in str(old.get("reason", "")):
        new["over"] = _over_limit(old, rules)
    if "details" in old and not _is_told_anyway(old):
        new["evidence"] = {"lines": old["details"]}
    if isinstance(measurement := old.get("measurement"), dict):
        new["measurement"] = _measurement(measurement)
    if isinstance(grown := old.get("growth_by_site"), list):
        new["growth_by_site"] = [
            {**one, "site": _site(one["site"])} if isinstance(one, dict) and "site" in one else one for one in grown
        ]
    return new


def _measurement(old: dict[str, Any]) -> dict[str, Any]:
    new = dict(old)
    if isinstance(notes := old.get("notes"), list):
        new["remarks"] = [{"kind": RemarkKind.TEXT, "text": note} for note in notes]
    if isinstance(sites := old.get("sites"), list):
        new["sites"] = [_site(one) for one in sites]
    return new


def _site(old: Any) -> Any:
    if not isinstance(old, dict):
        return old
    new = dict(old)
    if isinstance(lines := old.get("via"), list):
        new["via"] = [_lead(line) if isinstance(line, str) else line for line in lines]
    if isinstance(uses := old.get("uses"), list):
        modules = [found for use in uses if isinstance(use, str) and (found := _MODULE.fullmatch(use))]
        new["uses"] = [use for use in uses if not (isinstance(use, str) and _MODULE.fullmatch(use))]
        new["modules"] = {module[1]: parse_size(module[2]) for module in modules}
    return new


def _lead(line: str) -> dict[str, Any]:
    """Return a line on the way to a site as data; a line that names no caller or importer is a cause."""
    if called := _CALLER.fullmatch(line):
        return {"kind": LeadKind.CALLER, "path": called[1], "line": int(called[2]), "function": called[3]}
    if imported := _IMPORTER.fullmatch(line):
        kind = LeadKind.LAZY_IMPORTER if imported[1] else LeadKind.IMPORTER
        return {"kind": kind, "path": imported[2], "line": int(imported[3] or 0)}
    return {"kind": LeadKind.CAUSE, "path": line}


def _rules(old: dict[str, Any]) -> list[BudgetRule]:
    """Return the parts of a budget in words or, if they cannot be read, the growth that it allowed."""
    unit, allowed = old.get("unit", SIZE), old.get("allowed")
    try:
        return [_rule(kind, amount, source, unit) for kind, amount, source in _PART.findall(old.get("budget", ""))]
    except (TypeError, ValueError):
        return [BudgetRule(rule=RuleKind.GROWTH, amount=allowed)] if isinstance(allowed, (int, float)) else []


def _rule(kind: str, amount: str, source: str, unit: str) -> BudgetRule:
    allowance = Allowance.parse(amount, unit)
    origin = Origin()
    if source == "marker":
        origin = Origin(kind=OriginKind.MARKER)
    elif source.partition(" in ")[0] == "call":
        origin = Origin(kind=OriginKind.CALL, file=source.partition(" in ")[2])
    return BudgetRule(
        rule=RuleKind(kind),
        amount=allowance.amount,
        percent=allowance.percent,
        larger=allowance.larger,
        source=source,
        origin=origin,
    )


def _over_limit(old: dict[str, Any], rules: list[BudgetRule]) -> dict[str, Any]:
    limit = next((rule.amount for rule in rules if rule.rule is RuleKind.LIMIT and rule.amount is not None), 0)
    return {"rule": RuleKind.LIMIT, "amount": old.get("value", old.get("bound", 0)), "allowed": limit}


def _is_told_anyway(old: dict[str, Any]) -> bool:
    """True if the details follow from the finding: who paid for a first use, or the line on a leak."""
    subject = old.get("subject")
    is_first_use = isinstance(subject, dict) and subject.get("file") == LEDGER
    return is_first_use or base_name(str(old.get("metric", ""))) == MEMORY_LEAK.name
