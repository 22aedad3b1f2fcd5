"""Remarks on a measurement, in words."""

from pytest_memgate.model.judgement.remark import Remark, RemarkKind, RepeatedCalls
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.units import SIZE, counted, format_amount, format_growth


def remark_texts(measurement: Measurement) -> list[str]:
    """Return all remarks on a measurement, a text each."""
    calls = [_calls(measurement.repeated)] if measurement.repeated else []
    return [*map(remark_text, measurement.remarks), *calls]


def remark_text(remark: Remark) -> str:  # noqa: C901, PLR0911  # one for each kind
    """Return one remark: `ran beside 2 other thread(s): worker-1, worker-2`."""
    match remark.kind:
        case RemarkKind.PROCESSES:
            return _processes(remark)
        case RemarkKind.THREADS:
            return f"ran beside {_numbers(remark.amounts)} other thread(s): {', '.join(remark.names)}"
        case RemarkKind.NOT_REPEATABLE | RemarkKind.OTHER_WORK:
            return f"not repeatable: {remark.text or _other_work(remark.amounts)}"
        case RemarkKind.ROUNDS:
            return f"of {_numbers(remark.amounts)} rounds"
        case RemarkKind.RUNS:
            return f"first run {_numbers(remark.amounts[:1])}; again {_numbers(remark.amounts[1:])}"
        case RemarkKind.PAIRS:
            return _pairs(remark)
        case RemarkKind.CONTROL:
            return f"the base against itself: {'slower' if sum(remark.amounts) else 'not slower'}"
        case RemarkKind.LOADS:
            return _loads(remark)
        case RemarkKind.SOAK:
            return soak_text(remark)
        case RemarkKind.TEXT:
            return remark.text


def _pairs(remark: Remark) -> str:
    """Return what pairs say: `20 pairs of both sides, in turn: 1.25 times as long, 1.18 to 1.31 for certain`."""
    if len(remark.amounts) != 4:  # in a run file that somebody else wrote
        return remark.text
    pairs, ratio, low, high = remark.amounts
    certain = f", {low:.2f} to {high:.2f} for certain" if low > 0 and high > 0 else ""
    return f"{pairs:.0f} pairs of both sides, in turn: {ratio:.2f} times as long{certain}"


def _loads(remark: Remark) -> str:
    """Return what pairs of loads say: `5 pairs of both sides, in turn: +312 ms, +290 ms to +331 ms for certain`."""
    if len(remark.amounts) not in {2, 4}:  # in a run file that somebody else wrote
        return remark.text
    growth, *bounds = (format_growth(amount, remark.text) for amount in remark.amounts[1:])
    certain = f", {bounds[0]} to {bounds[1]} for certain" if bounds else ""
    return f"{remark.amounts[0]:.0f} pairs of both sides, in turn: {growth}{certain}"


def _processes(remark: Remark) -> str:
    if not remark.amounts:
        return "starts processes, whose memory is not counted"
    return f"{counted(int(remark.amounts[0]), 'process', 'processes')}: {'; '.join(remark.names)}"


def soak_text(remark: Remark) -> str:
    """Return what is known of a service: `no leak above 1.3 B a request (2500 requests, Python's heap …)`."""
    if len(remark.amounts) != 3:  # in a run file that somebody else wrote
        return remark.text
    least, most, requests = remark.amounts
    if least:
        known = f"each request leaves {format_amount(least, SIZE)} at least"
    else:
        known = f"no leak above {format_amount(max(most, 1), SIZE)} a request"
    return f"{known} ({requests:.0f} requests, {remark.text})"


def _other_work(amounts: tuple[float, ...]) -> str:
    return f"its first run and a later one need {' and '.join(format_amount(amount, SIZE) for amount in amounts)}"


def _numbers(amounts: tuple[float, ...]) -> str:
    return ", ".join(f"{amount:.15g}" for amount in amounts)


def _calls(repeated: RepeatedCalls) -> str:
    """Return how a leak was looked for, and how sure the answer is."""
    series = f" in {repeated.series} series" if repeated.series > 1 else ""
    calls = f"{repeated.calls} calls{series}, after {repeated.warmup} to warm up"
    if repeated.is_certain:
        return f"{calls}: each of {repeated.blocks} blocks grew; confidence {repeated.confidence * 100:.6g} %"
    if repeated.grows:
        return f"{calls}: {repeated.grew} of {repeated.blocks} blocks grew, which is not certain"
    if repeated.share:
        share = f"{repeated.share * 100:.2g}"
        return f"{calls}: nothing was left; confidence 95 % that fewer than {share} % of the calls leave any"
    return f"{calls}: nothing that grows with the calls"
