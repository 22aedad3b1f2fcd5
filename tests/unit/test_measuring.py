"""Real captures with memray: what they see, what they leave, and when repeated runs have settled."""

import asyncio
import gc
import importlib
import mmap
import os
import platform
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from gc import get_freeze_count
from pathlib import Path
from typing import Any

import memray
import pytest

from pytest_memgate.compare.agreement import MOST_RUNS
from pytest_memgate.measure.memory.capture import Capture
from pytest_memgate.measure.memory.recorder import Recorder
from pytest_memgate.measure.python import environment
from pytest_memgate.measure.python.gc_freeze import forget, thaw, was_asked
from pytest_memgate.measure.stacks.call_sites import Sites
from pytest_memgate.measure.stacks.source_paths import Places
from pytest_memgate.model.measurement import Basis, Measurement
from pytest_memgate.model.metric import MEMORY_PEAK, MEMORY_RETAINED
from pytest_memgate.model.site import Site
from pytest_memgate.report.words.remarks import remark_texts
from pytest_memgate.tasks.plans.repeats import Again, Asked, carry_out, measure

MB = 1_000_000
HERE = Path(__file__)
RECORDER = Recorder()


def hold_a_megabyte() -> int:
    return len(bytearray(MB))


def hold_small_objects() -> int:
    return len([str(number) for number in range(10_000)])


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


@pytest.fixture
def places() -> Places:
    return Places(HERE.parent)


def refuse(why: str) -> None:
    raise AssertionError(why)


def captured(function: Callable[..., Any], *args: Any) -> Capture:
    captures: list[Capture] = []
    RECORDER.traced(function, captures.append, refuse)(*args)
    return captures[0]


@pytest.fixture
def megabyte() -> Iterator[Capture]:
    capture = captured(hold_a_megabyte)
    yield capture
    capture.close()


def test_a_megabyte_is_seen_as_a_megabyte(megabyte: Capture) -> None:
    assert MB <= megabyte.peak <= 1.01 * MB


def test_the_function_that_holds_it_is_named_and_the_sizes_sum_to_the_peak(megabyte: Capture, places: Places) -> None:
    found = megabyte.sites(MEMORY_PEAK.name, places)
    assert found.sites[0].key == f"{HERE.name}:hold_a_megabyte"
    assert found.sites[0].line == hold_a_megabyte.__code__.co_firstlineno + 1
    assert sum(site.size for site in found.sites) == megabyte.peak
    assert found.imports == 0


def test_small_objects_are_seen_one_by_one() -> None:
    capture = captured(hold_small_objects)
    assert capture.peak > 10_000 * sys.getsizeof("9999") * 0.9
    capture.close()


def test_two_calls_are_two_captures() -> None:
    captures: list[Capture] = []
    call = RECORDER.traced(hold_a_megabyte, captures.append, refuse)
    assert [call(), call()] == [MB, MB]
    assert len({capture.path for capture in captures}) == 2
    assert abs(captures[0].peak - captures[1].peak) < 4000
    for capture in captures:
        capture.close()


def test_a_coroutine_is_traced_through_its_waits() -> None:
    async def later() -> int:
        await asyncio.sleep(0)
        return hold_a_megabyte()

    captures: list[Capture] = []
    traced = RECORDER.traced(later, captures.append, refuse)
    assert asyncio.run(traced()) == MB
    assert captures[0].peak >= MB
    captures[0].close()


def test_a_call_that_fails_keeps_its_error_and_its_capture() -> None:
    def fails() -> None:
        held = bytearray(MB)
        raise LookupError(len(held))

    captures: list[Capture] = []
    with pytest.raises(LookupError, match=str(MB)):
        RECORDER.traced(fails, captures.append, refuse)()
    assert captures[0].peak >= MB
    captures[0].close()


def test_nothing_is_left_on_disk_or_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    captured(hold_a_megabyte).close()  # what a first trace opens for good
    before = open_files()
    for _ in range(3):
        captured(hold_a_megabyte).close()
    assert open_files() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="captures are named files on this platform")
def test_a_capture_has_no_name_even_while_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: Places
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    capture = captured(hold_a_megabyte)
    assert list(tmp_path.iterdir()) == []
    assert capture.sites(MEMORY_PEAK.name, places).sites
    capture.close()


def test_without_memory_files_a_capture_lies_in_the_temporary_directory_until_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: Places
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    capture = captured(hold_a_megabyte)
    assert [path.suffix for path in tmp_path.iterdir()] == [".bin"]
    assert capture.sites(MEMORY_PEAK.name, places).sites[0].size >= MB
    capture.close()
    assert list(tmp_path.iterdir()) == []


def test_a_kept_capture_is_a_file_that_memray_opens(megabyte: Capture, tmp_path: Path) -> None:
    megabyte.save(tmp_path / "kept.bin")
    with memray.FileReader(tmp_path / "kept.bin") as reader:
        assert reader.metadata.peak_memory == megabyte.peak


def test_beside_an_active_tracker_the_function_runs_untraced(tmp_path: Path) -> None:
    async def later() -> int:
        return 7

    refusals: list[str] = []
    captures: list[Capture] = []
    plain = RECORDER.traced(lambda: 5, captures.append, lambda _: refusals.append("plain"))
    coroutine = RECORDER.traced(later, captures.append, lambda _: refusals.append("async"))
    before = open_files()
    with memray.Tracker(tmp_path / "other.bin"):
        assert plain() == 5
        assert asyncio.run(coroutine()) == 7
    assert (captures, refusals) == ([], ["plain", "async"])
    assert open_files() == before


def test_children_threads_and_imports_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_imported_here.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def does_it_all() -> None:
        importlib.import_module("only_imported_here")
        os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", ""], os.environ), 0)

    stop = threading.Event()
    beside = threading.Thread(target=stop.wait, name="beside")
    beside.start()
    try:
        capture = captured(does_it_all)
    finally:
        stop.set()
        beside.join()
        sys.modules.pop("only_imported_here", None)
    assert "only_imported_here" in capture.modules
    assert "beside" in capture.threads
    assert capture.started_processes
    capture.close()


def test_a_quiet_call_notes_nothing(megabyte: Capture) -> None:
    assert (megabyte.modules, megabyte.threads, megabyte.started_processes) == ((), (), False)


class Knot:
    """What only the collector frees: it holds itself."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    thaw()
    yield Recorder()
    thaw()


def test_what_is_alive_between_tests_is_not_walked_again(recorder: Recorder) -> None:
    assert get_freeze_count() > 0
    thaw()  # a test has asked for it
    kept = [Knot() for _ in range(1000)]
    recorder.rest()
    assert get_freeze_count() > len(kept)


def test_what_came_between_two_tests_is_hidden_with_the_rest(recorder: Recorder) -> None:
    recorder.rest()
    frozen, kept = get_freeze_count(), [Knot() for _ in range(20_000)]
    recorder.rest()
    assert get_freeze_count() >= frozen + len(kept)


def test_what_died_while_it_was_frozen_is_freed(recorder: Recorder) -> None:
    knot = Knot()
    dead = weakref.ref(knot)
    thaw()
    recorder.rest()
    del knot
    recorder.collect()
    assert dead() is not None
    recorder._due = 0.0  # it comes after some seconds in a process which has run thousands of tests
    recorder.rest()
    assert dead() is None


def test_whoever_asks_the_collector_meets_a_heap_that_is_not_frozen(recorder: Recorder) -> None:
    thaw()
    kept, functions = [Knot()], dict(vars(gc))
    recorder.rest()
    assert gc.get_freeze_count() == 0
    assert vars(gc) == functions
    recorder.rest()
    assert get_freeze_count() > 0
    assert [one for one in gc.get_referrers(kept[0]) if one is kept or isinstance(one, tuple)] == [kept]
    recorder.rest()
    gc.freeze()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    assert gc.get_freeze_count() == 0


def test_whoever_collects_or_lists_what_is_frozen_is_noted(recorder: Recorder) -> None:
    thaw()
    recorder.rest()
    for ask in (gc.get_objects, gc.collect):
        forget()
        ask()
        assert was_asked()
    assert get_freeze_count() > 0
    forget()
    assert not was_asked()


def test_what_others_put_in_the_place_of_a_function_stays_there(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.rest()
    monkeypatch.setattr(gc, "collect", lambda: "theirs")
    thaw()
    recorder.rest()
    assert gc.collect() == "theirs"  # type: ignore[comparison-overlap]
    monkeypatch.undo()
    assert gc.collect() >= 0


def test_garbage_of_before_is_not_counted_in_a_call(recorder: Recorder) -> None:
    knot = Knot()
    dead = weakref.ref(knot)
    del knot
    captures: list[Capture] = []
    assert recorder.traced(lambda: dead() is None, captures.append, refuse)()
    captures[0].close()


class Fake(Capture):
    """A capture of a given peak: what the settling asks of one, without a run."""

    def __init__(self, peak: int, *, imports: int = 0, threads: tuple[str, ...] = ()) -> None:
        self.peak = peak
        self.threads = threads
        self.together = 1
        self.modules = ("json.decoder",)
        self._imports = imports

    def sites(self, metric: str, places: Places) -> Sites:  # noqa: ARG002  # all are of the peak here
        return Sites(sites=(Site(path=str(places.root), function="f", size=self.peak),), imports=self._imports)


def asked(places: Places, needed: Callable[[Measurement], bool]) -> Asked[Fake]:
    return Asked(
        metric=MEMORY_PEAK,
        bound=lambda capture: capture.peak,
        value=lambda capture: capture.peak,
        sites=lambda capture: capture.sites(MEMORY_PEAK.name, places),
        first=lambda sites: sites.imports,
        is_open=needed,
    )


def settle(
    places: Places,
    *peaks: int,
    needed: Callable[[Measurement], bool] = lambda _: True,
    cut: str = "",
    together: int = 1,
    first_counts: bool = False,
) -> tuple[Measurement, int, int]:
    """Return the measurement, the peak of its capture, and how many more runs there were."""
    runs = iter(peaks[1:])
    count = 0

    def again() -> Again[Fake]:
        nonlocal count
        count += 1
        peak = next(runs, None)
        return Again(None, cut) if peak is None else Again(Fake(peak))

    first = Fake(peaks[0], imports=77)
    first.together = together
    wanted = replace(asked(places, needed), first_counts=first_counts)
    ((measurement, capture),) = carry_out(measure(first, [wanted]), again)
    return measurement, capture.peak, count


def test_a_first_run_that_settles_the_verdict_is_the_only_one(places: Places) -> None:
    measurement, peak, count = settle(places, MB, needed=lambda _: False)
    assert measurement == Measurement(value=MB, basis=Basis.BOUND, cold=MB)
    assert (peak, count) == (MB, 0)


def test_a_second_run_that_settles_the_verdict_is_the_last(places: Places) -> None:
    measurement, peak, count = settle(places, 2 * MB, MB, needed=lambda one: one.value > MB)
    assert (measurement.value, measurement.warm, measurement.settled) == (MB, (MB,), False)
    assert measurement.modules == ("json.decoder",)
    assert (peak, count) == (MB, 1)


def test_two_runs_that_agree_settle_the_value(places: Places) -> None:
    measurement, peak, count = settle(places, 3 * MB, MB, MB + 900)
    assert measurement == Measurement(
        value=MB + 900,
        basis=Basis.WARM,
        cold=3 * MB,
        warm=(MB, MB + 900),
        settled=True,
        modules=("json.decoder",),
        sites=measurement.sites,
    )
    assert sum(site.size for site in measurement.sites) == measurement.value == peak
    assert (count, measurement.first_use) == (2, 2 * MB - 900)


def test_a_first_run_that_agrees_with_the_second_settles_a_value_to_be_stored(places: Places) -> None:
    measurement, peak, count = settle(places, MB + 3_999, MB, first_counts=True)
    assert (measurement.value, measurement.basis, measurement.warm, measurement.settled) == (
        MB,
        Basis.WARM,
        (MB,),
        True,
    )
    assert (peak, count) == (MB, 1)
    assert settle(places, MB + 40_000, MB, MB, first_counts=True)[2] == 2  # it paid for something
    assert settle(places, MB, MB, MB, first_counts=True, together=2)[2] == 2  # a bound says nothing of the value
    assert settle(places, MB, MB, MB)[2] == 2  # nor does a verdict rest on a first run


def test_later_runs_that_need_far_more_than_the_first_are_other_work(places: Places) -> None:
    measurement, peak, count = settle(places, 66_000, 212_000, 212_000, first_counts=True)
    assert (measurement.value, measurement.basis, measurement.settled) == (66_000 - 77, Basis.COLD, True)
    assert (peak, count) == (66_000, 2)
    assert remark_texts(measurement) == ["not repeatable: its first run and a later one need 66 KB and 212 KB"]
    assert settle(places, 66_000, 212_000, 66_000, 66_000)[0].value == 66_000  # that was chance
    assert settle(places, 66_000, 130_000, 130_000)[0].basis is Basis.WARM
    assert settle(places, 66_000, 130_000, 212_000, 150_000, 300_000)[0].basis is Basis.WARM  # these never agree
    assert settle(places, 66_000, 212_000, 212_000, together=2)[0].basis is Basis.WARM


def test_runs_that_never_agree_give_the_largest_with_their_spread(places: Places) -> None:
    measurement, peak, count = settle(places, 9 * MB, MB, 2 * MB, 4 * MB, 3 * MB)
    assert (measurement.value, measurement.spread, measurement.settled) == (4 * MB, 3 * MB, True)
    assert (peak, count) == (4 * MB, MOST_RUNS - 1)


def test_a_test_that_cannot_run_twice_keeps_its_first_value(places: Places) -> None:
    measurement, peak, _ = settle(places, MB, cut="ValueError: once only")
    assert (measurement.value, measurement.basis, measurement.settled, measurement.imports) == (
        MB - 77,
        Basis.COLD,
        True,
        77,
    )
    assert remark_texts(measurement) == ["not repeatable: ValueError: once only"]
    assert peak == MB


def test_a_test_that_fails_on_its_third_run_keeps_its_warm_value(places: Places) -> None:
    measurement, peak, count = settle(places, 2 * MB, MB, cut="ValueError: twice only")
    assert (measurement.value, measurement.basis, measurement.warm, measurement.settled) == (
        MB,
        Basis.WARM,
        (MB,),
        True,
    )
    assert (peak, count) == (MB, 2)


def test_each_metric_is_run_until_it_is_known_and_no_longer(places: Places) -> None:
    """The peak is known from the first run; what is retained, from two that agree."""
    retained = {9 * MB: 5000, 8 * MB: 70_000, 7 * MB: 70_010}
    runs = iter([8 * MB, 7 * MB])
    peak = asked(places, lambda _: False)
    kept = replace(
        peak, metric=MEMORY_RETAINED, value=lambda capture: retained[capture.peak], is_open=lambda one: one.value > 4000
    )
    (one, _), (other, capture) = carry_out(measure(Fake(9 * MB), [peak, kept]), lambda: Again(Fake(next(runs))))
    assert (one.basis, one.value, one.warm) == (Basis.BOUND, 9 * MB, ())
    assert (other.basis, other.value, other.warm) == (Basis.WARM, 70_010, (70_000, 70_010))
    assert (other.cold, capture.peak) == (5000, 7 * MB)


def test_a_quick_bound_that_is_enough_is_the_answer(places: Places) -> None:
    def read(_: Capture) -> float:
        raise AssertionError("the records were read")

    quick = replace(asked(places, lambda one: one.value > MB), metric=MEMORY_RETAINED, value=read)
    ((measurement, _),) = carry_out(measure(Fake(MB), [quick]), lambda: Again(None))
    assert (measurement.basis, measurement.value) == (Basis.BOUND, MB)


def test_what_is_kept_is_retained_and_named(places: Places) -> None:
    kept: list[object] = []

    def keep_some() -> None:
        kept.append(bytearray(MB))
        bytearray(3 * MB)

    capture = captured(keep_some)
    assert MB <= capture.retained <= 1.01 * MB
    found = capture.sites(MEMORY_RETAINED.name, places)
    assert found.sites[0].key == f"{HERE.name}:keep_some"
    assert sum(site.size for site in found.sites) == capture.retained
    capture.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what of a mapping is resident")
@pytest.mark.parametrize(("written", "owned"), [(5 * MB, 5 * MB), (150 * MB, 150 * MB)])
def test_what_is_only_reserved_is_no_first_use(places: Places, written: int, owned: int) -> None:
    """As an allocator reserves a gigabyte, and hands out some of it."""
    kept: list[mmap.mmap] = []

    def reserve() -> None:
        area = mmap.mmap(-1, 150 * MB)
        area.write(bytes(written))
        kept.append(area)

    capture = captured(reserve)
    assert capture.retained >= 150 * MB
    found = sum(size for parts in capture.owners(places).values() for size in parts.values())
    assert abs(found - owned) < MB  # a mapping has whole pages
    kept[0].close()


def test_garbage_that_only_the_collector_frees_is_not_retained() -> None:
    def tie() -> None:
        knot = Knot()
        knot.self.load = bytearray(MB)  # type: ignore[attr-defined]

    capture = captured(tie)
    assert capture.peak >= MB
    assert capture.retained < 4000
    capture.close()


def test_every_allocation_is_counted_where_each_is_recorded(places: Places) -> None:
    def allocate(times: int) -> None:
        for _ in range(times):
            bytearray(1000)

    counts = []
    for times in (10, 2000, 2000, 4000):
        captures: list[Capture] = []
        RECORDER.traced(allocate, captures.append, refuse, every=True)(times)
        counts.append((captures[0].value("memory.allocations"), captures[0].value("memory.allocated")))
        found = captures[0].sites("memory.allocations", places)
        assert found.sites[0].key == f"{HERE.name}:allocate"
        assert captures[0].peak < 10_000
        captures[0].close()
    _, first, again, twice = counts
    assert abs(again[0] - first[0]) <= 0.001 * first[0]
    assert twice[1] - again[1] == pytest.approx(2000 * 1001, rel=0.15)
    assert twice[0] > 1.9 * again[0]


def test_collections_are_counted_by_generation() -> None:
    def collect_twice() -> None:
        gc.collect(0)
        gc.collect(2)

    captures: list[Capture] = []
    RECORDER.traced(collect_twice, captures.append, refuse, every=True)()
    assert [captures[0].value(f"gc.gen{number}") for number in range(3)] == [1, 0, 1]
    assert captures[0].value("gc.pause") > 0
    assert not any(getattr(one, "__self__", None) is captures[0].collector for one in gc.callbacks)
    captures[0].close()


def test_threads_are_noted_on_the_measurement(places: Places) -> None:
    cold = Fake(MB, threads=("a", "b", "c", "d"))
    ((measurement, _),) = carry_out(measure(cold, [asked(places, lambda _: False)]), lambda: Again(None))
    assert remark_texts(measurement) == ["ran beside 4 other thread(s): a, b, c"]


def test_the_environment_is_named_after_system_machine_and_python() -> None:
    system, machine, python = environment.key().split("-")
    assert system == platform.system().lower()
    assert machine in {"x86_64", "arm64", platform.machine().lower()}
    assert python.startswith(f"{sys.implementation.name}{sys.version_info.major}.{sys.version_info.minor}")


@pytest.mark.parametrize(("machine", "name"), [("AMD64", "x86_64"), ("aarch64", "arm64"), ("riscv64", "riscv64")])
def test_a_machine_has_one_name_on_every_system(monkeypatch: pytest.MonkeyPatch, machine: str, name: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert environment.key().split("-")[1] == name


@pytest.mark.parametrize("value", ["malloc", "debug"])
def test_another_allocator_is_part_of_the_header(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PYTHONMALLOC", value)
    assert environment.here().header.allocator == f"{value}, traced"


def test_the_usual_allocator_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONMALLOC", raising=False)
    usual = environment.allocator()
    assert usual.removesuffix(", traced") in {"pymalloc", "pymalloc_debug", "mimalloc", "mimalloc_debug"}
    monkeypatch.setenv("PYTHONMALLOC", "default")
    assert environment.allocator() == usual


def test_this_machine_can_measure_and_says_with_what() -> None:
    assert environment.cannot_measure() == ""
    header = environment.here().header
    assert environment.memray_version().startswith(f"{header.memray}.")
    assert header.memray.count(".") == 1


@pytest.mark.parametrize(
    ("python", "version", "bad"),
    [
        ((3, 12, 0), "1.20.0", True),
        ((3, 12, 0), "1.19.1", True),
        ((3, 12, 0), "1.21.0", False),
        ((3, 11, 0), "1.20.0", False),
    ],
)
def test_versions_that_crash_together_are_known(
    monkeypatch: pytest.MonkeyPatch, python: tuple[int, int, int], version: str, bad: bool
) -> None:
    monkeypatch.setattr(sys, "version_info", python)
    monkeypatch.setattr(environment, "memray_version", lambda: version)
    assert bool(environment.known_bad()) is bad


def test_windows_and_a_missing_memray_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(environment, "memray_version", lambda: "")
        assert environment.cannot_measure() == "memray is not installed (pip install memray)"
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        assert environment.cannot_measure().startswith("memory cannot be measured on Windows")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "memray", None)
        assert environment.cannot_measure().startswith("memray cannot be imported: ")
