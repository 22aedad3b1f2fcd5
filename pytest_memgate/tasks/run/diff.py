"""What grew between two runs."""

from dataclasses import dataclass

from pytest_memgate.compare.attribution import growth_by_site
from pytest_memgate.errors import RunFileError
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.metric import metric as metric_of
from pytest_memgate.model.run import Run
from pytest_memgate.model.site import Contribution
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.run.select import select


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One test in two runs; amounts in `unit`.

    `base` or `head` is only a bound if `base_is_bound` or `head_is_bound`. `by_site` is empty if no profile was
    recorded; `note` says why.
    """

    subject: Subject
    metric: str
    base: float
    head: float
    unit: str
    base_is_bound: bool = False
    head_is_bound: bool = False
    both_passed: bool = False
    by_site: tuple[Contribution, ...] = ()
    note: str = ""

    @property
    def growth(self) -> float | None:
        """The growth, None if one of the values is not known."""
        return None if self.base_is_bound or self.head_is_bound else self.head - self.base


def differences(base: Run, head: Run, tests: tuple[str, ...]) -> list[Difference]:
    """Return the tests that both runs measured, most growth first, and those of unknown growth last.

    Raises RunFileError for runs of different environments, or without a test in common.
    """
    if base.environment != head.environment:
        what = base.environment.header.differences(head.environment.header)
        keys = f"{base.environment.key} and {head.environment.key}"
        raise RunFileError(f"the runs cannot be compared: {what or keys}")
    olds = {(one.subject, one.metric): one for one in base.findings if one.measurement}
    news = {(one.subject, one.metric): one for one in head.findings if one.measurement}
    common = {key for key in olds.keys() & news.keys() if olds[key].unit == news[key].unit}
    if not common:
        raise RunFileError("the runs have no measured test in common")
    wanted = select({subject for subject, _ in common}, tests, "the runs")
    found = [_difference(olds[key], news[key]) for key in common if key[0] in wanted]
    return sorted(found, key=lambda one: (one.growth is None, -(one.growth or 0), one.subject, one.metric))


def _difference(old: Finding, new: Finding) -> Difference:
    assert old.measurement is not None  # noqa: S101  # only measured ones are compared
    assert new.measurement is not None  # noqa: S101
    base, base_is_bound, note = old.measurement.value, old.is_bound, ""
    by_site: tuple[Contribution, ...] = ()
    if old.measurement.sites and new.measurement.sites and not (old.is_bound or new.is_bound):
        sites = {site.key: site.size for site in old.measurement.sites}
        by_site = growth_by_site(new.measurement.sites, sites, new.measurement.value - base)
    elif new.growth_by_site and new.baseline is not None and (not old.is_bound or old.baseline == new.baseline):
        # The base run was within its baseline, so nobody read its profile: the baseline's stands for it.
        base, base_is_bound, by_site = new.baseline, False, new.growth_by_site
        note = "base: the baseline, which the base run was within"
    elif metric_of(new.metric).is_traced and not (old.is_bound or new.is_bound):
        note = "no profile: the test was within its baseline"
    return Difference(
        subject=new.subject,
        metric=new.metric,
        base=base,
        head=new.measurement.value,
        unit=new.unit,
        base_is_bound=base_is_bound,
        head_is_bound=new.is_bound,
        both_passed=old.outcome is new.outcome is Outcome.PASSED,
        by_site=by_site,
        note=note,
    )
