"""What every probe passes: those that memgate.yml declares, and those that observe the runs of a test."""

import re
from dataclasses import FrozenInstanceError, dataclass

import pytest
from harness import Project, Result
from probe_samples import SAMPLES, Sample

from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.judgement.finding import Finding
from pytest_memgate.model.measurement import Basis
from pytest_memgate.model.metric import CUSTOM, METRICS, base_name
from pytest_memgate.plugin.loop.observers.leftovers import Leftovers
from pytest_memgate.plugin.loop.observers.memory import Memory
from pytest_memgate.plugin.loop.observers.observer import Observer, Recorded
from pytest_memgate.plugin.loop.observers.own_leak import OwnLeak
from pytest_memgate.plugin.loop.observers.times import Times
from pytest_memgate.probes.check import settings_in
from pytest_memgate.probes.face import AnyProbe
from pytest_memgate.probes.table import PROBES

_NO_VALUE = {"no answer", "unmeasured", "not gated", "skipped", "unreadable"}


@dataclass(frozen=True, slots=True)
class Runs:
    """An update, a run of the same against it, and one of what cannot be measured."""

    sample: Sample
    updated: Result
    same: Result
    spoilt: Result

    def findings(self, result: Result) -> dict[str, Finding]:
        """Return the findings on the sample's test, by metric."""
        found = [decode(Finding, one) for one in result.run["findings"]]
        return {one.metric: one for one in found if one.subject.name == self.sample.test}


@pytest.fixture(scope="class", params=SAMPLES, ids=lambda sample: f"{sample.family}-{sample.test}")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    sample: Sample = request.param
    project = Project(tmp_path_factory.mktemp("contract") / "project", patience=600)
    if sample.needs_chrome:
        request.getfixturevalue("tools")
        (project.root / "node_modules").symlink_to(request.getfixturevalue("node_modules"))
    for name, text in sample.files.items():
        project.write(name, text)
    for data, to in sample.data.items():
        project.lay(data, to)
    args = ("-q", "-s", *sample.args)
    updated = project.update(*args, "--memgate-reason=a sample", plugins=sample.plugins)
    same = project.gate(*args, plugins=sample.plugins)
    for name, text in sample.spoilt.items():
        project.write(name, text)
    return Runs(sample, updated, same, project.gate(*args, plugins=sample.plugins))


@pytest.mark.timeout(900)  # a time waits until no other worker loads a page
class TestEveryProbe:
    """The contract, on real input."""

    def test_it_gives_the_metrics_it_answers_for_and_no_others(self, runs: Runs) -> None:
        found = {base_name(metric) for metric, one in runs.findings(runs.updated).items() if one.measurement}
        assert found == runs.sample.metrics
        own = {metric for metric in found if metric.partition(".")[0] == runs.sample.family}
        assert own
        assert all(METRICS[metric].family == "memory" for metric in found - own)  # of a test that is one of pytest's

    def test_each_value_is_in_the_unit_of_its_metric(self, runs: Runs) -> None:
        for metric, one in runs.findings(runs.same).items():
            assert metric.startswith(CUSTOM) or one.unit == METRICS[base_name(metric)].unit

    def test_what_it_gives_is_held_against_what_was_stored(self, runs: Runs) -> None:
        assert runs.same.code == 0, runs.same.out
        held = [one for one in runs.findings(runs.same).values() if one.metric.startswith(runs.sample.family)]
        assert any(one.is_held for one in held)

    def test_the_same_input_gives_the_same_value_where_it_is_exact(self, runs: Runs) -> None:
        before, after = runs.findings(runs.updated), runs.findings(runs.same)
        exact = {
            metric: one.value
            for metric, one in after.items()
            if one.measurement and one.measurement.basis is Basis.EXACT
        }
        assert exact == {metric: before[metric].value for metric in exact}

    def test_where_it_cannot_measure_it_says_why_in_one_line(self, runs: Runs) -> None:
        assert "Traceback" not in runs.spoilt.summary()
        said = [one for one in runs.spoilt.run["findings"] if one["subject"]["name"] == runs.sample.test]
        reasons = [one["reason"] for one in said if one["outcome"] in _NO_VALUE and runs.sample.why in one["reason"]]
        assert reasons, said
        assert all("\n" not in reason for reason in reasons)

    def test_a_finding_reads_back_as_it_was_written(self, runs: Runs) -> None:
        for result in (runs.updated, runs.same, runs.spoilt):
            for finding in runs.findings(result).values():
                assert decode(Finding, encode(finding)) == finding

    def test_it_prints_nothing(self, runs: Runs) -> None:
        for result in (runs.updated, runs.same):
            said = result.out.partition("= memgate =")[0].rstrip("= \n")
            assert re.fullmatch(r"\.\s*(\[100%\])?", said.strip()), said


@pytest.fixture(params=PROBES, ids=lambda probe: probe.check.kind)
def probe(request: pytest.FixtureRequest) -> AnyProbe:
    declared: AnyProbe = request.param
    return declared


class TestEveryDeclaredProbe:
    """What holds for a probe of memgate.yml, whatever it measures."""

    def test_its_spec_is_frozen_and_may_be_a_key(self, probe: AnyProbe) -> None:
        given = {name: "any" for name, setting in settings_in(probe.check).items() if setting.required}
        check = probe.check(name="one", **given)
        assert {check: 1}[probe.check(name="one", **given)] == 1
        with pytest.raises(FrozenInstanceError):
            check.name = "other"  # type: ignore[misc]

    def test_it_has_metrics_that_no_other_has(self, probe: AnyProbe) -> None:
        assert probe.metrics
        others = [other for other in PROBES if other is not probe]
        assert not {probe.family, probe.check.kind, probe.check.section} & {
            name for other in others for name in (other.family, other.check.kind, other.check.section)
        }

    def test_it_has_a_sample(self, probe: AnyProbe) -> None:
        assert probe.family in {sample.family for sample in SAMPLES}


@pytest.mark.parametrize("observer", [Recorded, Times, Memory, OwnLeak, Leftovers])
def test_every_observer_of_runs_has_a_sample(observer: type[Observer]) -> None:
    assert observer.family in {sample.family for sample in SAMPLES}
