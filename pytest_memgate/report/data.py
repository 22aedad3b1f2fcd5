"""A finding as JSON data: the model's fields, and values that follow from these, in numbers and in words."""

from typing import Any

from pytest_memgate.model.codec import encode
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.report.words.budget import budget_text
from pytest_memgate.report.words.details import detail_lines
from pytest_memgate.report.words.reason import reason
from pytest_memgate.report.words.remarks import remark_texts


def finding_data(finding: Finding) -> dict[str, Any]:
    """Return a finding as in its run's file. `decode` passes over the values beside the model's fields."""
    data: dict[str, Any] = encode(finding)
    words = {"reason": reason(finding), "budget": budget_text(finding), "details": detail_lines(finding)}
    numbers = {name: getattr(finding, name) for name in ("value", "bound", "growth")}
    if finding.measurement and (notes := remark_texts(finding.measurement)):
        data["measurement"]["notes"] = notes
    return {
        **data,
        **{name: text for name, text in words.items() if text},
        "test": str(finding.subject),
        **{name: number for name, number in numbers.items() if number is not None},
    }
