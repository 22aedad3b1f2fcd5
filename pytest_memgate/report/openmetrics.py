"""A run in OpenMetrics text, for a collector of text files or a CI's own metrics report."""

from typing import TYPE_CHECKING

from pytest_memgate.errors import UsageError
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.run import Run
from pytest_memgate.report.escape import one_line
from pytest_memgate.report.view import counts
from pytest_memgate.units import DURATION, SIZE

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_LABELS = ("test", "metric", "unit", "environment")
_UNITS = {SIZE: ("bytes", 1.0), DURATION: ("seconds", 1000.0)}  # the base units that the format asks for


def openmetrics(run: Run) -> str:
    """Return the measured values, their baselines and the verdict.

    Sizes are in bytes and times in seconds. Raises UsageError if prometheus-client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.openmetrics.exposition import generate_latest
    except ImportError as error:
        what = "the format openmetrics needs prometheus-client"
        raise UsageError(what, hint='pip install "pytest-memgate[openmetrics]"') from error
    registry = CollectorRegistry()
    _findings(run, registry)
    _verdict(run, registry)
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


def _findings(run: Run, registry: "CollectorRegistry") -> None:
    from prometheus_client import Gauge

    gauges = {
        "value": Gauge("memgate_value", "What was measured", _LABELS, registry=registry),
        "bound": Gauge("memgate_bound", "What it is no more than, where no more is known", _LABELS, registry=registry),
        "baseline": Gauge("memgate_baseline", "What it was compared with", _LABELS, registry=registry),
        "allowed": Gauge("memgate_allowed_growth", "What it may grow by", _LABELS, registry=registry),
    }
    for finding in run.findings:
        unit, divisor = _UNITS.get(finding.unit, (one_line(finding.unit), 1.0))
        labels = _labels(finding, unit, run.environment.key)
        amounts = {
            "value": finding.value,
            "bound": finding.bound,
            "baseline": finding.baseline,
            "allowed": finding.allowed,
        }
        for name, amount in amounts.items():
            if amount is not None:
                gauges[name].labels(*labels).set(amount / divisor)


def _labels(finding: Finding, unit: str, environment: str) -> tuple[str, str, str, str]:
    return one_line(str(finding.subject)), one_line(finding.metric), unit, environment


def _verdict(run: Run, registry: "CollectorRegistry") -> None:
    from prometheus_client import Gauge

    outcomes = Gauge("memgate_findings", "How many findings came out so", ("outcome",), registry=registry)
    for outcome, number in counts(run.findings).items():
        outcomes.labels(str(outcome)).set(number)
    verdict = Gauge("memgate_exit_code", "0 passed, 1 the gate says no, 3 no answer", registry=registry)
    verdict.set(run.verdict.exit_code)
