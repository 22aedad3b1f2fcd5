"""Runs that the HTML report is tried on: one with a finding of every kind, a hostile one, and a large one."""

from collections.abc import Mapping
from dataclasses import replace

from samples import ENVIRONMENT, FILE, FOLDER, METRIC, bound, exact, importers, sampled, settled, site

from pytest_memgate.compare.attribution import growth_by_site
from pytest_memgate.model.judgement.budget import BudgetRule, RuleKind
from pytest_memgate.model.judgement.finding import Evidence, Finding, Outcome
from pytest_memgate.model.judgement.remark import remarks_of
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.run import Change, ChangeKind, Problem, Run, Verdict
from pytest_memgate.model.site import Contribution, Lead, LeadKind, Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.units import DURATION, PLAIN, SIZE

HOSTILE = (
    "test_x[](javascript:alert(1))<img src=x onerror=alert(1)>::error::%0A</script><script>alert(1)</script>"
    "<!--<script>'\"`{{7*7}}${alert(1)}&lt;b&gt; \u2028\u202e\U0001f4a5]"
)

_SEND = ("tests/sending.py:11 in send", "tests/test_deliveries.py:19 in test_a_day_of_deliveries")
_CALLS = (
    site("__call__", 604_000, path="shop/middleware.py", line=38, via=_SEND, uses=("flask 3.1.0",)),
    site("read", 61_000, path="csv.py", line=178, via=("shop/deliveries.py:40 in parse", *_SEND)),
    site("parse", 52_000, path="shop/deliveries.py", line=44, via=_SEND),
    site("loads", 27_000, path="json/decoder.py", line=340, via=("shop/orders.py:12 in take", *_SEND)),
)
_CALLS_BEFORE = {"csv.py:read": 61_000, "shop/deliveries.py:parse": 59_000, "json/decoder.py:loads": 27_000}

_MODULES = (
    Site(
        path="node_modules/chart.js",
        size=412_000,
        uses=("chart.js 4.4.7",),
        modules={"dist/chart.js": 401_000, "dist/chunks/h.js": 11_000},
        via=importers("src/report.js", "src/main.js"),
    ),
    Site(path="node_modules/zod", size=61_000, uses=("zod 3.24.1",), modules={"lib/index.mjs": 61_000}),
    Site(path="node_modules/preact", size=23_000, uses=("preact 10.25.4",)),
    Site(path="src/report.js", size=18_000, via=importers("src/main.js")),
    *(Site(path=f"src/views/view{number}.js", size=9_000 - 400 * number) for number in range(12)),
    Site(path="src/main.js", size=4_100),
)
_MODULES_BEFORE = {one.path: one.size for one in _MODULES if "chart" not in one.path and one.path != "src/report.js"}

_PHASES = (
    Site(path="load delay", size=1_230),
    Site(path="load time", size=420),
    Site(path="render delay", size=260),
    Site(path="time to first byte", size=86),
)
_PHASES_BEFORE = {"load delay": 138, "load time": 415, "render delay": 255, "time to first byte": 86}

_RESOURCES = (
    Site(path="/assets/hero.jpg", size=310_000),
    Site(path="/assets/main.js", size=88_000),
    Site(path="fonts.example.com/sans.woff2", size=41_000),
    Site(path="/", size=2_900),
)


def judged(
    name: str,
    metric: str,
    outcome: Outcome,
    measurement: Measurement | None,
    *,
    file: str = "memgate.yml",
    unit: str = SIZE,
    baseline: float | None = None,
    before: Mapping[str, float] | None = None,
    allowed: float | None = None,
    why: str = "",
    details: tuple[str, ...] = (),
    line: int = 0,
) -> Finding:
    """Return a finding; with `before`, the sizes of the baseline's sites, it says what grew."""
    grew: tuple[Contribution, ...] = ()
    if before is not None and measurement and baseline is not None:
        grew = growth_by_site(measurement.sites, before, measurement.value - baseline)
    return Finding(
        subject=Subject(file, name),
        metric=metric,
        outcome=outcome,
        measurement=measurement,
        unit=unit,
        baseline=baseline,
        allowed=allowed,
        growth_by_site=grew,
        why=why,
        evidence=Evidence(lines=details),
        line=line,
        rules=(BudgetRule(rule=RuleKind.GROWTH, amount=200_000 if unit == SIZE else 300),),
    )


def over(by: str, budget: str) -> str:
    return f"{by} is over its budget of {budget}"


LEAK = judged(
    "test_a_day_of_deliveries",
    METRIC,
    Outcome.REGRESSED,
    replace(settled(744_000, sites=_CALLS), cold=747_000, warm=(743_000, 744_000)),
    file="tests/test_deliveries.py",
    baseline=147_000,
    before=_CALLS_BEFORE,
    allowed=200_000,
    why=over("+597 KB", "200 KB"),
    line=17,
)
BUNDLE = judged(
    "bundle[shop]",
    "bundle.initial.raw[main]",
    Outcome.REGRESSED,
    exact(sum(one.size for one in _MODULES) + 3_000, sites=_MODULES),
    baseline=sum(_MODULES_BEFORE.values()) + 2_900,
    before=_MODULES_BEFORE,
    allowed=200_000,
    why=over("+430 KB", "200 KB"),
    details=("zod is in it twice: node_modules/zod and node_modules/form/node_modules/zod",),
)
LCP = judged(
    "page[home]",
    "web.lcp",
    Outcome.REGRESSED,
    replace(
        sampled(1996, 1970, 2078, 1991, 2031, again=(2037, 2000, 2148), chrome="156", lighthouse="12"),
        sites=_PHASES,
        audits={"prioritize-lcp-image": 310.0, "unused-javascript": 150.0},
    ),
    unit=DURATION,
    baseline=894.0,
    before=_PHASES_BEFORE,
    allowed=300,
    why=over("+1102 ms", "300 ms"),
    details=("largest paint: img.hero <img class='hero'>",),
)
BYTES = judged(
    "page[home]", "web.bytes", Outcome.PASSED, exact(441_900, sites=_RESOURCES), baseline=441_900, allowed=200_000
)
BLOCKED = judged(
    "page[home]",
    "web.tbt",
    Outcome.UNSTABLE,
    replace(sampled(240, 180, 610), sites=(Site(path="/assets/main.js", size=200), Site(path="other", size=40))),
    unit=DURATION,
    baseline=120.0,
    before={"/assets/main.js": 90, "other": 30},
    allowed=100,
    why="the samples differ by more than the growth",
)
SHIFT = judged("page[home]", "web.cls", Outcome.NOT_GATED, sampled(0.021, 0.02, 0.021), unit=PLAIN, baseline=0.02)
ROWS = judged(
    "test_export", "custom.rows", Outcome.IMPROVED, exact(40), file=FILE, unit="rows", baseline=120, allowed=10
)
QUIET = judged(
    "test_order", METRIC, Outcome.PASSED, bound(152_000), file=FILE, baseline=147_000, allowed=200_000, line=9
)
GONE = judged("test_old", METRIC, Outcome.VANISHED, None, file=FILE, baseline=12_000)


def every_kind() -> Run:
    """Return a failed run with a finding of every kind, compared with a git ref."""
    subject = Subject(FILE, "test_report")
    return Run(
        environment=ENVIRONMENT,
        verdict=Verdict.FAILED,
        findings=(QUIET, LEAK, ROWS, BUNDLE, LCP, BYTES, BLOCKED, SHIFT, GONE),
        problems=(
            Problem(
                text=f"{subject}: baseline raised (2.76 KB -> 900 KB) without a reason of its own", hint="give one: …"
            ),
        ),
        changes=(
            Change(subject=subject, metric=METRIC, kind=ChangeKind.RAISED, before=2_760, after=900_000),
            Change(
                subject=Subject(FILE, "test_chart"),
                metric=METRIC,
                kind=ChangeKind.RAISED,
                before=10_000,
                after=300_000,
                reason="the chart is drawn on the server now",
            ),
            Change(subject=Subject(FILE, "test_new"), metric=METRIC, kind=ChangeKind.NEW, after=5_000),
        ),
        loosened=("growth of memory.peak: 200 KB -> 5 MB (memgate.yml:2); it counts once it is on the base",),
        baseline=FOLDER,
        compared_with="main",
        strict=True,
        skipped=2,
        failed=1,
    )


def history_of(run: Run, shares: tuple[float, ...] = (0.8, 0.82, 0.81, 0.97)) -> list[Run]:
    """Return earlier runs whose values were these shares of today's; the third one lacks the first finding."""
    found = []
    for number, share in enumerate(shares):
        past = tuple(
            replace(one, measurement=replace(one.measurement, value=one.measurement.value * share))
            for one in run.findings[1 if number == 2 else 0 :]
            if one.measurement
        )
        found.append(replace(run, findings=past, verdict=Verdict.PASSED))
    return found


_CAUSES = tuple(Lead(kind=kind, path=HOSTILE) for kind in LeadKind)


def hostile() -> Run:
    """Return a run with a hostile text in every place that takes one."""
    where = Site(path=f"shop/{HOSTILE}", size=900_000, function=HOSTILE, line=3, via=_CAUSES, uses=(HOSTILE,))
    part = Site(path=HOSTILE, size=900_000, via=_CAUSES, uses=(HOSTILE,), modules={HOSTILE: 5})
    bad = judged(
        HOSTILE,
        METRIC,
        Outcome.REGRESSED,
        replace(settled(900_000, sites=(where,)), remarks=remarks_of((HOSTILE,)), modules=(HOSTILE,)),
        file=f"tests/{HOSTILE}.py",
        baseline=1_000,
        before={},
        allowed=10,
        why=HOSTILE,
        details=(HOSTILE,),
    )
    page = replace(
        judged(
            HOSTILE,
            "web.lcp",
            Outcome.REGRESSED,
            replace(
                sampled(900_000, 2, 900_001, again=(3, 4)),
                sites=(part,),
                audits={HOSTILE: 3.0},
                conditions={HOSTILE: HOSTILE},
            ),
            unit=DURATION,
            baseline=1,
            before={HOSTILE: 1},
            allowed=1,
            why=HOSTILE,
        ),
        kept=(HOSTILE,),
        rules=(BudgetRule(rule=RuleKind.GROWTH, amount=1, source=HOSTILE),),
    )
    bundle = judged(f"bundle[{HOSTILE}]", f"bundle.total.raw[{HOSTILE}]", Outcome.PASSED, exact(900_000, sites=(part,)))
    blocked = replace(page, metric="web.tbt")
    own = judged(HOSTILE, f"custom.{HOSTILE}", Outcome.PASSED, exact(5), unit=HOSTILE, baseline=4)
    return Run(
        environment=replace(ENVIRONMENT, key=HOSTILE),
        verdict=Verdict.FAILED,
        findings=(bad, page, blocked, bundle, own),
        problems=(Problem(text=HOSTILE, hint=HOSTILE),),
        changes=(
            Change(
                subject=Subject(HOSTILE, HOSTILE),
                metric=HOSTILE,
                kind=ChangeKind.RAISED,
                before=1,
                after=2,
                reason=HOSTILE,
            ),
        ),
        loosened=(HOSTILE,),
        baseline=HOSTILE,
        compared_with=HOSTILE,
    )


# What Plotly would read as markup in its texts.
MARKED = ("<b>bold", "<a href='mailto:x'>go", "two<br>lines", "&lt;i&gt;", "%{label}")


def marked() -> Run:
    """Return a run whose bundle and page are made of parts with markup for names."""
    parts = tuple(Site(path=name, size=900 - 100 * at) for at, name in enumerate(MARKED))
    size = sum(one.size for one in parts)
    bundle = judged("bundle[x]", "bundle.initial.raw[main]", Outcome.PASSED, exact(size, sites=parts))
    blocked = judged("page[x]", "web.tbt", Outcome.PASSED, replace(sampled(size), sites=parts), unit=DURATION)
    phases = replace(blocked, metric="web.lcp")
    return Run(environment=ENVIRONMENT, verdict=Verdict.PASSED, findings=(bundle, blocked, phases), baseline=FOLDER)


def large(number: int = 5_000, *, failing: int = 40) -> Run:
    """Return a run of many tests, some of them red, with long names as real suites have them."""
    found = []
    for at in range(number):
        name = f"test_the_total_of_an_order_is_right[{at}-a customer with a discount-EUR]"
        file = f"tests/integration/orders/test_order_totals_{at % 97}.py"
        if at % max(1, number // failing) == 0:
            found.append(replace(LEAK, subject=Subject(file, name)))
        else:
            found.append(replace(QUIET, subject=Subject(file, name), baseline=140_000 + at, line=at))
    return Run(environment=ENVIRONMENT, verdict=Verdict.FAILED, findings=tuple(found), baseline=FOLDER)


def all_red(number: int = 5_000) -> Run:
    """Return a run in which every test grew: the one with most to say."""
    red = [replace(LEAK, subject=Subject(f"tests/test_{at % 97}.py", f"test_number_{at}")) for at in range(number)]
    return Run(environment=ENVIRONMENT, verdict=Verdict.FAILED, findings=tuple(red), baseline=FOLDER)
