"""The bytes up to which a bound proves that a test is within its budget."""

from pytest_memgate.compare.judge import ceiling
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.metric import MEMORY_PEAK, MEMORY_RETAINED
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.plans.grouping import Known

_AMPLE = 1_000_000  # bytes above its baseline for a test without a ceiling; chosen


def known(gate: Gate, subject: Subject) -> Known | None:
    """Return the baseline of a test and its ceilings, in bytes; None if a bound cannot settle it.

    None is returned for a test that is new or not comparable, whose baseline cannot be read, or that cannot run twice:
    if its group did not settle it, nothing else would.
    """
    found = []
    for metric in (MEMORY_PEAK, MEMORY_RETAINED):
        try:
            reference = gate.baselines.bar(subject, metric.name).reference
        except BaselineError:
            return None
        if reference is None or not reference.repeatable:
            return None
        top = ceiling(gate.budget(subject, metric.name, {}), reference)
        found.append((reference.value, int(reference.value + _AMPLE if top is None else top)))
    (peak, room), (_, held_room) = found
    return Known(peak, room, held_room)
