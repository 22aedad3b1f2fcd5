"""The gate of one run: for each test its bar, its budget and its finding."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from pytest_memgate.baseline.source import GitRef, Source, WorkTree
from pytest_memgate.baseline.store import Stores
from pytest_memgate.budget.rule import Budget, Rule
from pytest_memgate.budget.waiver import Waiver
from pytest_memgate.compare import judge as gate
from pytest_memgate.compare.attribution import growth_by_site
from pytest_memgate.compare.pairs import Paired, by_pairs
from pytest_memgate.config.schema import Settings
from pytest_memgate.config.sources import Config, load_settings
from pytest_memgate.errors import UsageError
from pytest_memgate.measure.process.base_side import BaseSide
from pytest_memgate.model.codec import decode
from pytest_memgate.model.environment import Environment
from pytest_memgate.model.judgement.budget import RuleKind
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reason import Cause, UsedWaiver
from pytest_memgate.model.judgement.reference import Bar
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.run import Measured
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.judge.baselines import Baselines
from pytest_memgate.units import PLAIN

# Beside the values of a measured base: what it is, and how its processes are started.
MEASURED, SIDE = "measured.json", "side.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The settings and baselines of one run; the same in every process of it.

    `config` holds the budgets that count: the base's if a ref was named. `own` are the work tree's settings. `loosened`
    are options in ini files and in the environment that would loosen the gate, a line each: they do not count. If a git
    ref was `measured` just now, its values take the place of baselines; it can be measured again at `side`. A run that
    measures such a ref `is_base`. `against` is what decides for all metrics, whatever their budgets say.
    """

    root: Path
    environment: Environment
    config: Config
    own: Settings
    baselines: Baselines
    base: GitRef | None = None
    measured: Measured | None = None
    side: BaseSide | None = None
    is_base: bool = False
    against: str | None = None
    loosened: tuple[str, ...] = ()
    today: date = field(default_factory=date.today)

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The work tree's waivers: each has a reason and an end, and new ones are listed."""
        return self.own.waivers

    def assess(
        self,
        subject: Subject,
        metric: str,
        measurement: Measurement,
        rules: Mapping[str, Rule],
        unit: str = PLAIN,
        *,
        paired: Paired | None = None,
    ) -> Finding:
        """Return the finding for a measurement; `rules`, by metric, come before the configured ones.

        Where it was `paired` with one of the base, the pairs decide whether it grew.
        Raises BaselineError for a baseline that cannot be read and ConfigError for a budget in another unit.
        """
        bar = self.baselines.bar(subject, metric, measurement.conditions)
        budget = self.budget(subject, metric, rules, unit)
        return self.judge(subject, metric, measurement, budget, bar, paired=paired)

    def budget(self, subject: Subject, metric: str, rules: Mapping[str, Rule], unit: str = PLAIN) -> Budget:
        """Return the budget of a metric of a test; raises ConfigError for one in another unit."""
        return self.config.budget(subject, metric, rules, unit)

    def judge(
        self,
        subject: Subject,
        metric: str,
        measurement: Measurement,
        budget: Budget,
        bar: Bar,
        *,
        paired: Paired | None = None,
    ) -> Finding:
        """Return the finding for a measurement, with the sites that grew and the waiver that covers it."""
        finding = gate.judge(subject, metric, measurement, budget, bar)
        if paired:
            finding = by_pairs(finding, paired)
        old = self.baselines.moved_from(subject)
        if old:
            finding = replace(finding, moved_from=str(old))
        if self.measured:
            is_new = finding.outcome is Outcome.NO_BASELINE
            outcome = Outcome.NEW if is_new else finding.outcome
            finding = replace(finding, outcome=outcome, measured_from=self.measured.ref)
        if finding.told_by_growth and finding.growth and bar.reference and measurement.sites:
            grown = growth_by_site(measurement.sites, bar.reference.sites, finding.growth)
            finding = replace(finding, growth_by_site=grown)
        elif finding.outcome.fails_test and measurement.sites:
            finding = replace(finding, growth_by_site=growth_by_site(measurement.sites, {}, measurement.value))
        finding = self._waived(finding) if finding.outcome.fails_test else finding
        return replace(finding, waits=True) if self._may_measure(finding, self.against or budget.against) else finding

    def _may_measure(self, finding: Finding, against: str) -> bool:
        """True if the base is to be measured now, at the end of the run, to decide what was found."""
        is_limit = finding.over is not None and finding.over.rule is RuleKind.LIMIT
        if self.base is None or against == "stored" or is_limit or finding.cause is Cause.NO_BUDGET:
            return False
        if finding.outcome in {Outcome.NO_BASELINE, Outcome.INCOMPARABLE}:
            return True
        if against == "measured":
            return finding.is_held
        is_noisy = finding.measurement is not None and finding.measurement.basis is Basis.SAMPLES
        return is_noisy and finding.outcome in {Outcome.REGRESSED, Outcome.UNSTABLE}

    def _waived(self, finding: Finding) -> Finding:
        for waiver in self.waivers:
            if not waiver.concerns(finding.subject, finding.metric) or waiver.expired(self.today):
                continue
            covers = finding.value is not None and waiver.covers(finding.value, finding.unit)
            finding = replace(finding, waivers=(*finding.waivers, _used(waiver, covers=covers)))
            if covers:
                return replace(finding, outcome=Outcome.WAIVED)
        return finding


def _beside_measured(
    root: Path, environment: Environment, own: Settings, folder: Path, options: Mapping[str, Rule], missing: str
) -> Gate:
    try:
        measured = decode(Measured, json.loads((folder / MEASURED).read_text(encoding="utf-8")))
        side = decode(BaseSide, json.loads((folder / SIDE).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UsageError(f"--memgate-measured {folder}: {error}", hint="run: memgate compare REF") from error
    settings = load_settings(GitRef(root, measured.commit))
    return Gate(
        root=root,
        environment=environment,
        config=Config(settings=settings if settings.file else own, options=options, missing=missing),
        own=own,
        baselines=Baselines(Stores(WorkTree(folder), environment.key), None, environment.header),
        measured=measured,
        side=side,
    )


def _used(waiver: Waiver, *, covers: bool) -> UsedWaiver:
    return UsedWaiver(
        until=waiver.until.isoformat(),
        reason=waiver.reason,
        source=waiver.source,
        ceiling=waiver.ceiling,
        unit=waiver.unit,
        covers=covers,
    )


def open_gate(
    root: Path,
    environment: Environment,
    *,
    base: str = "",
    measured: str = "",
    options: Mapping[str, Rule] | None = None,
    missing: str = "",
) -> Gate:
    """Return the gate for a project; `measured` is the folder of a base that `memgate compare` has measured.

    Raises ConfigError for its configuration and UsageError for a ref that git does not know.
    """
    tree: Source = WorkTree(root)
    own = load_settings(tree)
    if measured:
        return _beside_measured(root, environment, own, Path(measured), options or {}, missing)
    ref = GitRef(root, base) if base else None
    settings = load_settings(ref) if ref else own
    return Gate(
        root=root,
        environment=environment,
        config=Config(settings=settings, options=options or {}, missing=missing),
        own=own,
        baselines=Baselines(
            Stores(tree, environment.key, whose="the change's file" if ref else ""),
            Stores(ref, environment.key, whose="the base's file") if ref else None,
            environment.header,
        ),
        base=ref,
    )
