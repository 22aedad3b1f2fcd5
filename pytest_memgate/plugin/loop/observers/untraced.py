"""Memory that a test keeps in allocators that memray does not see, where such an allocator is loaded.

A run that the resident memory has grown in is made again, and again: what each of them adds is kept.
"""

from dataclasses import dataclass, field

import pytest

from pytest_memgate.compare.judge import needs_rerun
from pytest_memgate.errors import BaselineError, CaptureError
from pytest_memgate.measure.resources.other_allocators import OtherAllocators, pool_bytes, resident
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.judgement.remark import Remark, RemarkKind
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import MEMORY_UNTRACED
from pytest_memgate.plugin.items import is_declared
from pytest_memgate.plugin.loop.observers.observer import Observer
from pytest_memgate.plugin.test import Run, RunAgain, Test, brief
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.units import SIZE, format_amount

_REPEATS = 3  # what each of them adds is steady; chosen


@dataclass(slots=True, eq=False)
class _Looks:
    """What the runs of one test have added to the resident memory, and to pyarrow's pool."""

    before: int | None = None
    pool: int | None = None
    added: list[float] = field(default_factory=list)
    pools: list[float | None] = field(default_factory=list)


_LOOKS = pytest.StashKey[_Looks]()


class Untraced(Observer):
    """Judges what stays behind in other allocators. `settle` asks for a value that can be stored."""

    family = "memory"

    def __init__(self, gate: Gate, *, settle: bool) -> None:
        self._gate = gate
        self._settle = settle
        self._others = OtherAllocators()

    def before(self, test: Test) -> None:
        """Look at the memory before a run."""
        if not self._others.names() or is_declared(test.item) or test.outcome:
            return
        looks = test.item.stash.setdefault(_LOOKS, _Looks())
        looks.before, looks.pool = resident(), pool_bytes()

    def after(self, test: Test) -> None:
        """Look at what a run has added."""
        looks = test.item.stash.get(_LOOKS, None)
        if looks is None or looks.before is None:
            return
        pool = pool_bytes()
        looks.pools.append(None if pool is None or looks.pool is None else pool - looks.pool)
        now, before, looks.before = resident(), looks.before, None
        if now is not None:
            looks.added.append(now - before)

    def findings(self, test: Test, run_again: RunAgain) -> list[Finding]:
        """Return the finding on a test that keeps something, nearly always none."""
        looks = test.item.stash.get(_LOOKS, None)
        if looks is None or not looks.added or test.outcome:
            return []
        name = MEMORY_UNTRACED.name
        try:
            bar = self._gate.baselines.bar(test.subject, name)
        except BaselineError:
            return []  # the finding on its memory says it
        budget = self._gate.budget(test.subject, name, test.rules)
        first = max(0.0, looks.added[0])
        measurement = Measurement(value=first, basis=Basis.BOUND, cold=first)
        if budget.gates and (needs_rerun(measurement, budget, bar) or (self._settle and MEMORY_UNTRACED.keeps(first))):
            measurement = self._repeated(test, looks, run_again, first)
        known = bar.reference is not None and MEMORY_UNTRACED.keeps(bar.reference.value)
        if not (known or (measurement.settled and MEMORY_UNTRACED.keeps(measurement.value))):
            return []
        return [self._gate.judge(test.subject, name, measurement, budget, bar)]

    def _repeated(self, test: Test, looks: _Looks, run_again: RunAgain, first: float) -> Measurement:
        start, why = len(looks.added), ""
        for _ in range(_REPEATS):
            run = Run()
            run_again(test, run)
            if run.failure:
                why = brief(run.failure)
                break
        added, pools = looks.added[start:], [pool for pool in looks.pools[start:] if pool is not None]
        if not added:
            remark = Remark(kind=RemarkKind.NOT_REPEATABLE, text=why)
            return Measurement(value=first, basis=Basis.BOUND, cold=first, remarks=(remark,))
        value = max(0.0, min(added) - _retained(test))
        told = [f"pyarrow's pool: {format_amount(max(0.0, min(pools)), SIZE)} more each run"] if pools else []
        texts = (f"by {', '.join(self._others.names())}, which memray does not see", *told)
        remarks = tuple(Remark(kind=RemarkKind.TEXT, text=text) for text in texts)
        return Measurement(value=value, basis=Basis.WARM, cold=first, warm=tuple(added), settled=True, remarks=remarks)


def _retained(test: Test) -> float:
    """Return what a traced run has kept that memray sees: it has a metric of its own."""
    last = test.captures[-1] if test.captures else None
    try:
        return last.retained if last and last.together == 1 else 0
    except CaptureError:
        return 0
