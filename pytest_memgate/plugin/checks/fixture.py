"""The `memgate` fixture under the gate: measurements that a test makes besides its own memory."""

import re
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pytest_memgate.baseline.paths import file_key
from pytest_memgate.budget.rule import Rule
from pytest_memgate.config.sources import covers
from pytest_memgate.errors import MemgateError
from pytest_memgate.measure.bundle.routes.find import FRAMEWORKS
from pytest_memgate.model.judgement.budget import Origin, OriginKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import CUSTOM, MEMORY_LEAK, named
from pytest_memgate.plugin.checks.leak_calls import Calls, is_awaited, wrong_argument
from pytest_memgate.plugin.items import subject_of
from pytest_memgate.plugin.marker import asks_for_leak, parse_rule, read_marker
from pytest_memgate.plugin.test import TEST, Phase
from pytest_memgate.probes.bundle.probe import BundleCheck
from pytest_memgate.probes.check import Check
from pytest_memgate.probes.page.probe import PageCheck
from pytest_memgate.probes.service.probe import GAUGES, URL, ServiceCheck
from pytest_memgate.probes.table import probe_of
from pytest_memgate.tasks.judge.answer import answered, without_verdict
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.leak import ROUNDS, WARM_UP, LeakCheck
from pytest_memgate.tasks.judge.probed import probe_findings
from pytest_memgate.units import MOST, to_base
from pytest_memgate.values import one_of, unknown, words

_NAME = re.compile(r"[\w.-]+")
_NAMED = 3  # metrics that a message lists
Budgets = Mapping[str, Mapping[str, str | float]]


class Recorder:
    """The measurements of one test; a run that is made for its memory alone records nothing again."""

    def __init__(self, item: pytest.Item, gate: Gate, *, update: bool, cache: Path | None) -> None:
        self._gate = gate
        self._update = update
        self._cache = cache
        self._test = item.stash[TEST]
        self._subject = subject_of(item, gate.root)
        self._marked, _ = read_marker(item)
        self._asks_for_leak = asks_for_leak(item)

    def record(
        self,
        name: str,
        value: float,
        unit: str = "",
        *,
        growth: str | float | None = None,
        limit: str | float | None = None,
        drift: str | float | None = None,
    ) -> None:
        """Record one value as `custom.<name>`; it is gated if it has a budget, here or in memgate.yml.

        `unit` is any word; sizes (`B`, `KB`, `MiB`) and durations (`ms`, `s`) are stored and shown as such. Wrong
        arguments fail the test.
        """
        if self._is_left_out("custom", "record()"):
            return
        metric = f"{CUSTOM}{name}"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            _fail(f"record(): not a name: {name!r} (letters, digits, dots, dashes)")
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < MOST:
            _fail(f"record({name!r}): a number from 0 on is expected, not {value!r}")
        if not isinstance(unit, str):
            _fail(f"record({name!r}): a unit is a word, not {unit!r}")
        if any(finding.metric == metric for finding in self._test.findings):
            _fail(f"record({name!r}): recorded twice in one test")
        parts = {"growth": growth, "limit": limit, "drift": drift}
        given = {part: amount for part, amount in parts.items() if amount is not None}
        rules = self._rules("record()", {metric: given} if given else {})
        kept, base_unit = to_base(int(value) if isinstance(value, Integral) else float(value), unit)
        measurement = Measurement(value=kept, basis=Basis.EXACT, settled=True)
        self._found("custom", lambda: [self._gate.assess(self._subject, metric, measurement, rules, base_unit)])

    def bundle(
        self,
        stats: str | Path = "",
        *,
        files: str | Iterable[str] = (),
        lazy: str | Iterable[str] = (),
        root: str | Path = "",
        entries: str | Iterable[str] = (),
        screens: Mapping[str, str | Iterable[str]] | None = None,
        framework: str = "",
        with_: str | Iterable[str] = (),
        name: str = "",
        budgets: Budgets | None = None,
    ) -> dict[str, float]:
        """Measure a bundle as `bundles:` in memgate.yml does; return its sizes in bytes by metric.

        `name` tells it from another bundle of the same test. The memory of a test that measures a bundle is not gated.
        Wrong arguments, and a bundle that gives no number, fail the test.
        """
        if bool(str(stats) or framework) == bool(files):
            _fail("bundle(): it takes either a bundler's stats file, or framework=, or files=, globs")
        if framework and framework not in ("auto", *FRAMEWORKS):
            _fail(f"bundle(): {unknown('framework', framework, FRAMEWORKS)}")
        check = BundleCheck(
            name=name,
            framework=framework,
            stats=str(stats),
            files=_several("bundle(): files=", files),
            lazy=_several("bundle(): lazy=", lazy),
            root=str(root),
            entries=_several("bundle(): entries=", entries),
            screens={page: _several("bundle(): screens=", parts) for page, parts in (screens or {}).items()},
            with_=_several("bundle(): with_=", with_),
        )
        return self._probe(check, "bundle()", budgets)

    def lighthouse(
        self,
        url: str = "",
        *,
        serve: str | Path = "",
        path: str = "/",
        runs: int = 5,
        form_factor: str = "mobile",
        throttling: str = "simulate",
        settings: Mapping[str, object] | None = None,
        lighthouserc: str | Path = "",
        redirects: bool = False,
        name: str = "",
        budgets: Budgets | None = None,
    ) -> dict[str, float]:
        """Load a page as `pages:` in memgate.yml does, at a running `url` or of a static folder (`serve`).

        Return the values by metric, in the metric's unit. `name` tells the page from another one of the same test.
        Wrong arguments, and a page that gives no number, fail the test.
        """
        if bool(url) == bool(str(serve)):
            _fail("lighthouse(): it takes either a url, or serve=, a folder")
        if not isinstance(runs, int) or runs < 1:
            _fail(f"lighthouse(): runs is a whole number from 1 on, not {runs!r}")
        check = PageCheck(
            name=name,
            url=url,
            serve=str(serve),
            path=path,
            runs=runs,
            form_factor=form_factor,
            throttling=throttling,
            settings=settings or {},
            lighthouserc=str(lighthouserc),
            redirects=redirects,
        )
        return self._probe(check, "lighthouse()", budgets)

    def service(
        self,
        start: str,
        *,
        url: str = URL,
        ready: str = "",
        send: str | Iterable[str] = (),
        load: str = "",
        warmup: int = 500,
        requests: int = 2500,
        gauge: str = "auto",
        heap: str | Iterable[str] = (),
        name: str = "",
        budgets: Budgets | None = None,
    ) -> dict[str, float]:
        """Start a service, send it requests, and judge what it holds, as `services:` in memgate.yml does.

        Return the values by metric, in the metric's unit. `name` tells the service from another one of the same test.
        Wrong arguments, and a service that gives no number, fail the test.
        """
        try:
            check = ServiceCheck(
                name=name,
                start=words(start),
                url=words(url),
                ready=ready,
                send=_several("service(): send=", send),
                load=load,
                warmup=warmup,
                requests=requests,
                gauge=one_of("gauge", GAUGES)(gauge),
                heap=_several("service(): heap=", heap),
            )
        except ValueError as error:
            _fail(f"service(): {error}")
        if wrong := check.why_wrong():
            _fail(f"service(): {wrong}")
        return self._probe(check, "service()", budgets)

    def leak(
        self,
        function: Callable[..., object],
        *args: object,
        warmup: int = WARM_UP,
        rounds: int = ROUNDS,
        limit: str | float | None = None,
        name: str = "",
    ) -> Coroutine[Any, Any, None] | None:
        """Call a function again and again with `args`, and gate the bytes that each call leaves behind.

        `warmup` calls come first and do not count, then `rounds`; more if these leave something. `limit` is the size
        that a call may leave, by default nothing. `name` tells it from another leak of the same test. An async function
        is run in a loop of its own or, in an async test, awaited: `await memgate.leak(function)`. The other memory of
        such a test is not gated. Wrong arguments fail the test.
        """
        awaited = is_awaited(function, sys._getframe(1))
        if self._is_left_out(MEMORY_LEAK.name, "leak()"):
            return _nothing() if awaited else None
        if wrong := wrong_argument(function, warmup, rounds, name):
            _fail(f"leak(): {wrong}")
        metric = named(MEMORY_LEAK.name, name)
        rules = self._rules("leak()", {} if limit is None else {metric: {"limit": limit}})
        if self._asks_for_leak:
            _fail("leak(): the test's marker has leak=, which makes the test itself what is called: take one of them")
        self._test.probed = "leak"
        check = LeakCheck(gate=self._gate, subject=self._subject, metric=metric, rules=rules, settle=self._update)
        calls = Calls(check, self._test, function, args)
        if awaited:
            why = "leak() gave what nobody awaited: await memgate.leak(…)"
            pending = Finding(subject=self._subject, metric=metric, outcome=Outcome.NO_ANSWER, why=why)
            self._test.findings.append(pending)
            return self._awaited(calls, pending, rounds, warmup)
        self._found(metric, lambda: [calls.run(rounds, warmup)])
        return None

    async def _awaited(self, calls: Calls, pending: Finding, rounds: int, warmup: int) -> None:
        self._test.findings.remove(pending)
        try:
            found = await calls.run_async(rounds, warmup)
        except MemgateError as error:
            found = without_verdict(self._subject, pending.metric, error)
        self._found(pending.metric, lambda: [found])

    def _rules(self, where: str, budgets: Budgets | None) -> dict[str, Rule]:
        """Return the rules of a call and those of the test's marker, which wins."""
        rules: dict[str, Rule] = {}
        wrong = ""
        if budgets is not None and not isinstance(budgets, Mapping):
            _fail(f"{where}: budgets= maps metrics to their budgets, and is not {budgets!r}")
        for metric, parts in (budgets or {}).items():
            try:
                rules[metric] = parse_rule(metric, parts, *self._place_of_call())
            except ValueError as error:
                wrong = wrong or f"{where}: {metric}: {error}"
        if wrong:
            _fail(wrong)
        return {**rules, **self._marked}

    def _place_of_call(self) -> tuple[str, Origin]:
        """Return the place of the call in words and as a value: `call`, with its file if it is not the test's own."""
        frame = sys._getframe()
        while frame.f_back and frame.f_code.co_filename == __file__:
            frame = frame.f_back
        file = file_key(Path(frame.f_code.co_filename), self._gate.root)
        if file == self._subject.file:
            return "call", Origin(kind=OriginKind.CALL)
        return f"call in {file}", Origin(kind=OriginKind.CALL, file=file)

    def _probe(self, check: Check, where: str, budgets: Budgets | None) -> dict[str, float]:
        """Measure a check, whose name is its part; return its values by metric."""
        rules, family = self._rules(where, budgets), probe_of(check).family
        if self._is_left_out(family, where):
            return {}
        self._test.probed = check.kind
        found = self._found(
            family,
            lambda: probe_findings(
                self._gate, self._subject, check, rules, part=check.name, settle=self._update, cache=self._cache
            ),
        )
        for metric in budgets or {}:
            if not any(covers(metric, finding.metric) for finding in found):
                known = ", ".join(finding.metric for finding in found[:_NAMED])
                _fail(f"{where}: budgets= names {metric!r}, which was not measured (it gave {known} …)")
        return {finding.metric: finding.measurement.value for finding in found if finding.measurement}

    def _is_left_out(self, family: str, where: str) -> bool:
        """True if nothing is to be measured: in a run for memory alone, or if the test's marker leaves it out."""
        test = self._test
        if test.run.phase is Phase.TEARDOWN:
            _fail(f"{where}: the test was judged when its call ended: measure before that")
        if test.outcome is Outcome.SKIPPED and all(finding.metric != family for finding in test.findings):
            left_out = Finding(subject=self._subject, metric=family, outcome=test.outcome, why=test.why)
            test.findings.append(left_out)
        return test.run.is_repeat or test.outcome is Outcome.SKIPPED

    def _found(self, family: str, measure: Callable[[], list[Finding]]) -> list[Finding]:
        found = answered(self._subject, family, measure)
        known = {finding.metric for finding in self._test.findings}
        if twice := [finding.metric for finding in found if finding.metric in known]:
            _fail(f"{twice[0]} is measured twice in one test: tell them apart by name=")
        self._test.findings += found
        if found[0].outcome is Outcome.NO_ANSWER:
            _fail(found[0].why)
        return found


async def _nothing() -> None: ...


def _several(where: str, given: str | Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,) if given else ()
    several = tuple(given) if isinstance(given, Iterable) else ()
    if not isinstance(given, Iterable) or not all(isinstance(one, str) for one in several):
        _fail(f"{where} is a text, or several, and not {given!r}")
    return several


def _fail(message: str) -> NoReturn:
    pytest.fail(f"memgate: {message}", pytrace=False)
