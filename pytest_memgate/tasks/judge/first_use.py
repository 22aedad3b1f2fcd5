"""The ledger of first use: memory that a process pays once for a package or a file, in whichever test."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pytest_memgate.compare.first_use import Parts, grown, growth, has_changed, is_module
from pytest_memgate.measure.stacks.owners import package_of
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import FreshProcess
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import FIRST_USE
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import LEDGER, Subject
from pytest_memgate.probes.imports.probe import ImportCheck
from pytest_memgate.tasks.judge.gate import Gate
from pytest_memgate.tasks.judge.probed import probe_findings


class Ledger:
    """The first use that one process has paid so far, in bytes by owner: a package, or a file of the project."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._paid: dict[str, dict[str, float]] = defaultdict(dict)

    def add(self, first: Mapping[str, Parts]) -> list[str]:
        """Add the first use of one test; return its owners, sorted.

        A module is loaded once a process, so its bytes count once. A call site may be reached by several first uses,
        which add up.
        """
        for owner, parts in first.items():
            paid = self._paid[owner]
            for part, size in parts.items():
                paid[part] = max(paid.get(part, 0), size) if is_module(part) else paid.get(part, 0) + size
        return sorted(first)

    def finding(self, owner: str) -> Finding:
        """Return the finding on the bytes paid so far for `owner`, held against the stored ledger."""
        return judged(self._gate, owner, self._paid[owner])

    def known(self, owner: str) -> Parts:
        """Return the parts of `owner` in the stored ledger."""
        bar = self._gate.baselines.bar(Subject(LEDGER, owner), FIRST_USE.name)
        return bar.reference.sites if bar.reference else {}

    def imports(self, owner: str, *, anyway: bool) -> list[Finding]:
        """Return the findings on importing a package alone, if its modules are not those of the ledger, or `anyway`.

        Only such an import shows its peak: in a test, other code may hold more at that moment. Raises MeasureError.
        """
        paid = {part: size for part, size in self._paid[owner].items() if is_module(part)}
        subject = Subject(LEDGER, owner)
        if sum(paid.values()) <= FIRST_USE.noise:
            return []
        if not (anyway or has_changed(paid, self.known(owner))):
            return []
        return probe_findings(self._gate, subject, ImportCheck(name=owner, source="first use"), {})

    def told(self, owner: str) -> Finding:
        """Return the finding on the bytes paid so far for `owner`, without the stored ledger, for an update."""
        measurement = _measured(self._paid[owner], sum(self._paid[owner].values()))
        return replace(self.finding(owner), measurement=measurement)


def judged(gate: Gate, owner: str, paid: Parts) -> Finding:
    """Return the finding on the bytes that a process paid for `owner`, which need not be all of them.

    Raises BaselineError for a ledger that cannot be read.
    """
    subject = Subject(LEDGER, owner)
    bar = gate.baselines.bar(subject, FIRST_USE.name)
    budget = gate.budget(subject, FIRST_USE.name, {})
    known, total = (bar.reference.sites, bar.reference.value) if bar.reference else ({}, 0)
    measurement = _measured(grown(paid, known), total + max(0, growth(paid, known, total)))
    return gate.judge(subject, FIRST_USE.name, measurement, budget, bar)


def seen_afresh(gate: Gate, found: Finding, findings: Iterable[Finding], tests: int) -> tuple[Finding, float]:
    """Return `found` corrected by a fresh process, and the bytes of growth that were not seen there.

    Each of the `findings` of that process has all bytes paid until a test had run; the last one has all of them.
    """
    told = [one for one in findings if (one.subject, one.metric) == (found.subject, found.metric)]
    paid = _parts(told[-1]) if told else {}
    again = judged(gate, found.subject.name, paid)
    unseen = (found.growth or 0) - (again.growth or 0)
    fresh = FreshProcess(tests=tests, paid=sum(paid.values()), growth=again.growth or 0, before=found.growth or 0)
    if again.outcome is found.outcome:
        above = {one.site.key for one in again.growth_by_site if one.site and one.growth > 0}
        return _told_of_payers(replace(found, fresh=fresh), told, above), unseen
    return replace(found, outcome=Outcome.PASSED, over=None, fresh=fresh, growth_by_site=()), unseen


def _told_of_payers(found: Finding, told: list[Finding], above: set[str]) -> Finding:
    """Return the finding with the tests that paid for the grown parts, the largest share first."""
    shares: dict[Subject, float] = defaultdict(float)
    lines: dict[Subject, int] = {}
    before = 0.0
    for finding in told:
        until = sum(size for part, size in _parts(finding).items() if part in above)
        for test in finding.paid_by:
            shares[test] += until - before
            lines[test] = finding.line
        before = until
    payers = sorted((test for test, share in shares.items() if share > 0), key=lambda test: -shares[test])
    if not payers:
        return found
    return replace(found, paid_by=tuple(payers), line=lines[payers[0]])


def in_the_ledger(gate: Gate, sites: Iterable[Site]) -> float:
    """Return the bytes of call sites that the ledger lists, too: in another order, another test pays them."""
    known: dict[str, float] = {}
    for site in sites:
        for owner in (site.path, package_of(site.path)):
            bar = gate.baselines.bar(Subject(LEDGER, owner), FIRST_USE.name)
            if bar.reference and site.key in bar.reference.sites:
                known[site.key] = min(site.size, bar.reference.sites[site.key])
    return sum(known.values())


def settled(gate: Gate, findings: Iterable[Finding], anew: Mapping[str, Parts], *, whole: bool) -> list[Finding]:
    """Return the findings that the ledger is to hold, one for each owner, from the payments of an update's processes.

    `anew` are the bytes that they may pay in another order, by owner. Only a `whole` run, which paid for everything,
    can lower an entry. Raises BaselineError for a ledger that cannot be read.
    """
    paid: dict[str, dict[str, float]] = defaultdict(dict)
    told = [*((one.subject.name, _parts(one)) for one in findings), *anew.items()]
    for owner, parts in told:
        for part, size in parts.items():
            paid[owner][part] = max(paid[owner].get(part, 0), size)
    found = [_settled(gate, owner, parts, whole=whole) for owner, parts in sorted(paid.items())]
    return [one for one in found if whole or FIRST_USE.keeps(one.value or 0)]


def without_first_use(gate: Gate, findings: Iterable[Finding], first_uses: Iterable[Finding]) -> list[Finding]:
    """Return what an update stores of tests that cannot run twice: without call sites that are new in the ledger.

    As `in_the_ledger` takes them off a value that is judged later: like is held against like.
    """
    new: dict[str, float] = {}
    for one in first_uses:
        bar = gate.baselines.bar(one.subject, FIRST_USE.name)
        known = bar.reference.sites if bar.reference else {}
        new |= {part: size for part, size in _parts(one).items() if part not in known and not is_module(part)}
    return [_without(finding, new) for finding in findings]


def _without(finding: Finding, parts: Parts) -> Finding:
    measurement = finding.measurement
    if measurement is None or measurement.basis is not Basis.COLD:
        return finding
    paid = sum(min(site.size, parts[site.key]) for site in measurement.sites if site.key in parts)
    value, imports = max(0, measurement.value - paid), measurement.imports + paid
    return replace(finding, measurement=replace(measurement, value=value, imports=imports))


def _settled(gate: Gate, owner: str, paid: Parts, *, whole: bool) -> Finding:
    held = judged(gate, owner, paid)
    assert held.measurement is not None  # noqa: S101  # it has just been made
    measurement = _measured(paid, sum(paid.values())) if whole else held.measurement
    return replace(held, measurement=measurement)


def _measured(parts: Parts, value: float) -> Measurement:
    sites = [
        Site(path=part, size=size) if is_module(part) else replace(Site.of_key(part), size=size)
        for part, size in parts.items()
    ]
    sites.sort(key=lambda site: (-site.size, site.key))
    return Measurement(value=value, basis=Basis.WARM, settled=True, sites=tuple(sites))


def _parts(finding: Finding) -> dict[str, float]:
    return {site.key: site.size for site in finding.measurement.sites} if finding.measurement else {}
