"""The values of a run, as far as a history keeps them: out of its findings, or straight out of its file's data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pytest_memgate.model.codec import decode
from pytest_memgate.model.history import Precision
from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Run
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import SIZE

Parts = Callable[[], Sequence[Site]]
_PRECISIONS = {Basis.EXACT.value: Precision.EXACT, Basis.SAMPLES.value: Precision.NOISY}
_BASES = {basis.value for basis in Basis}
_NUMBER = (int, float)


class Value(NamedTuple):
    """One value; fields as in a finding and its measurement. `parts` gives its sites where it has some."""

    subject: Subject
    metric: str
    unit: str
    precision: Precision
    amount: float
    is_bound: bool
    samples: Sequence[float]
    spread: float
    baseline: float | None
    anchor: float | None
    allowed: float | None
    limit: float | None
    parts: Parts | None


def values_of(run: Run) -> Iterator[Value]:
    """Yield the values of a run's findings."""
    for finding in run.findings:
        if finding.measurement is not None:
            yield _of(finding, finding.measurement)


def _of(finding: Finding, measured: Measurement) -> Value:
    limit = finding.rule(RuleKind.LIMIT)
    return Value(
        subject=finding.subject,
        metric=finding.metric,
        unit=finding.unit,
        precision=_PRECISIONS.get(measured.basis.value, Precision.NEAR_EXACT),
        amount=measured.value,
        is_bound=measured.is_bound,
        samples=measured.samples,
        spread=measured.spread,
        baseline=finding.baseline,
        anchor=finding.anchor,
        allowed=finding.allowed,
        limit=limit.amount if limit else None,
        parts=(lambda: measured.sites) if measured.sites else None,
    )


def values_in(findings: Any) -> Iterator[Value]:
    """Yield the values of the findings of a run's file: a run of 10,000 tests has too many to read all that they say.

    Raises ValueError, with the path to the place, for data of another shape.
    """
    if not isinstance(findings, list):
        raise ValueError("findings: a list is expected")  # noqa: TRY004 - of data, as the codec raises it
    for at, one in enumerate(findings):
        try:
            measured = one.get("measurement")
            if measured is not None:
                yield _in(one, measured)
        except KeyError as error:
            raise ValueError(f"findings[{at}]: {error} is missing") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"findings[{at}]: {error}") from error


def _in(one: Mapping[str, Any], measured: Mapping[str, Any]) -> Value:
    basis = measured["basis"]
    if basis not in _BASES:
        raise ValueError(f"unknown basis {basis!r:.40}")
    is_bound = "bound" in measured
    samples = measured.get("samples", ())
    if basis == Basis.SAMPLES.value and not (samples and all(map(_is_number, samples))):
        raise ValueError("measurement: 'samples' is missing or holds no numbers")
    subject = one["subject"]
    limits = [rule.get("amount") for rule in one.get("rules", ()) if rule["rule"] == RuleKind.LIMIT.value]
    sites = measured.get("sites")
    return Value(
        subject=Subject(_text(subject["file"]), _text(subject["name"])),
        metric=_text(one["metric"]),
        unit=_text(one.get("unit", SIZE)),
        precision=_PRECISIONS.get(basis, Precision.NEAR_EXACT),
        amount=_number(measured["bound"] if is_bound else measured["value"]),
        is_bound=is_bound,
        samples=samples,
        spread=_number(measured.get("spread", 0)),
        baseline=_amount(one.get("baseline")),
        anchor=_amount(one.get("anchor")),
        allowed=_amount(one.get("allowed")),
        limit=_amount(limits[0]) if limits else None,
        parts=(lambda: decode(tuple[Site, ...], sites)) if sites else None,
    )


def _is_number(value: Any) -> bool:
    return type(value) in _NUMBER


def _number(value: Any) -> float:
    if type(value) not in _NUMBER:
        raise ValueError(f"a number is expected, not {value!r:.40}")
    return float(value)


def _amount(value: Any) -> float | None:
    return None if value is None else _number(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"a text is expected, not {value!r:.40}")
    return value
