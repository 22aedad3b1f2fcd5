"""`memgate.leak(fn)` and `@pytest.mark.memgate(leak=…)`: what each of many calls leaves behind."""

import shutil
from pathlib import Path

import pytest
from harness import LAST_DAY, Project

_STORE = """
    import asyncio
    import ctypes
    import functools
    import itertools

    LEAKY = False
    _number = itertools.count(1000)
    _kept = []
    _copy = ctypes.CDLL(None).strdup
    _copy.restype = ctypes.c_void_p

    def remember(what=object):
        if LEAKY:
            _kept.append(what())

    def note():
        if LEAKY:
            _kept.append(None)

    def seldom():
        if LEAKY and next(_number) % 10 == 0:
            _kept.append(bytes(967))

    def native():
        if LEAKY:
            _copy(b"x" * 199)

    async def fetch():
        await asyncio.sleep(0)
        remember()

    @functools.lru_cache(maxsize=128)
    def turned(number):
        return [number]

    def bounded():
        turned(next(_number))
        cycle = []
        cycle.append(cycle)
        return turned(7)
"""
_TESTS = """
    import sys

    import pytest
    import store

    KEPT = []
    CALLED = []

    def test_object(memgate):
        memgate.leak(store.remember, object)
        CALLED.append(1)

    def test_pointer(memgate):
        store._kept.clear()
        memgate.leak(store.note)

    def test_seldom(memgate):
        memgate.leak(store.seldom, name="tenth")
        memgate.leak(store.bounded, name="bounded")

    def test_native(memgate):
        memgate.leak(store.native, limit="100B")

    def test_async_in_a_loop_of_its_own(memgate):
        memgate.leak(store.fetch)

    @pytest.mark.asyncio
    async def test_async(memgate):
        await memgate.leak(store.fetch)

    @pytest.fixture
    def basket():
        return []

    @pytest.mark.memgate(leak="0B")
    def test_body(basket, caplog):
        basket.append(bytes(1000))
        store.remember()
        assert len(basket) == 1

    @pytest.mark.asyncio
    @pytest.mark.memgate(leak="0B")
    async def test_async_body():
        await store.fetch()

    class TestMethods:
        @pytest.mark.memgate(leak="64B")
        def test_allowed(self):
            self.items = [1, 2]
            store.remember()

    def test_other():
        assert len([str(i) for i in range(1000)]) == 1000
"""
_LEAKS = {
    ("test_object", "memory.leak"),
    ("test_pointer", "memory.leak"),
    ("test_seldom", "memory.leak[tenth]"),
    ("test_native", "memory.leak"),
    ("test_async_in_a_loop_of_its_own", "memory.leak"),
    ("test_async", "memory.leak"),
    ("test_body", "memory.leak"),
    ("test_async_body", "memory.leak"),
}
_ASYNC = ("asyncio",)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without a leak, with its baseline."""
    project = Project(tmp_path_factory.mktemp("leaks") / "project")
    project.write("pytest.ini", "[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    project.write("store.py", _STORE)
    project.write("test_it.py", _TESTS)
    project.prepare(plugins=_ASYNC)
    return project.root


@pytest.fixture
def shop(project: Project, settled: Path) -> Project:
    shutil.copytree(settled, project.root, dirs_exist_ok=True)
    return project


def test_what_leaves_nothing_behind_passes_and_its_baseline_says_so(shop: Project) -> None:
    text = shop.baseline("test_it.py")
    assert "  test_object:\n    memory.leak:\n      value: 0\n" in text
    assert "    memory.leak[tenth]:\n      value: 0\n" in text
    result = shop.gate(plugins=_ASYNC)
    assert result.code == 0, result.out
    leaks = [one for one in result.run["findings"] if one["metric"].startswith("memory.leak")]
    assert len(leaks) == 10
    assert {one["outcome"] for one in leaks} == {"passed"}
    # The test that calls leak() is not traced itself; one whose body is called, and every other, is.
    assert result.metrics("test_object")["memory.peak"] == "not gated"
    assert result.metrics("test_body")["memory.peak"] == result.metrics("test_other")["memory.peak"] == "passed"
    assert shop.update(plugins=_ASYNC).code == 0
    assert shop.baseline("test_it.py") == text


def test_a_leak_is_red_with_its_call_site(shop: Project) -> None:
    shop.replace("store.py", "LEAKY = False", "LEAKY = True")
    result = shop.gate("-v", "-n2", plugins=_ASYNC)
    assert result.code == 1
    red = {(one["subject"]["name"], one["metric"]) for one in result.run["findings"] if one["outcome"] == "regressed"}
    assert red == _LEAKS, result.out
    assert result.found("test_object", "memory.leak")["value"] == 16
    assert result.found("test_pointer", "memory.leak")["value"] == pytest.approx(8, rel=0.2)
    assert result.found("test_seldom", "memory.leak[tenth]")["value"] == pytest.approx(100, rel=0.1)
    assert result.found("test_native", "memory.leak")["value"] == 200
    allowed = result.found("TestMethods::test_allowed", "memory.leak")
    assert (allowed["outcome"], allowed["bound"]) == ("passed", pytest.approx(16, rel=0.3))  # which is enough
    assert result.metrics("test_seldom")["memory.leak[bounded]"] == "passed"
    assert "memory.leak 0 B -> 16 B: 16 B is over its limit of 0 B" in result.out
    assert "+16 B  store.py:14 in remember  (0 B -> 16 B)" in result.out
    assert "called from store.py:30 in fetch" in result.out
    assert "840 calls in 3 series, after 10 to warm up: each of 30 blocks grew; confidence 99.9999 %" in result.out


def test_limits_and_waivers_hold_for_leaks(shop: Project) -> None:
    shop.replace("store.py", "LEAKY = False", "LEAKY = True")
    shop.write(
        "memgate.yml",
        f"""
        budgets:
          memory.leak: {{limit: 64B}}
          "memory.leak[te*]": {{limit: 1KB}}
          overrides:
            - tests: "test_it.py::test_object"
              memory.leak: {{growth: 8B}}
        waivers:
          - {{test: "test_it.py::test_native", metric: memory.leak, ceiling: 300B, until: {LAST_DAY}, reason: "known"}}
        """,
    )
    result = shop.gate("-k", "object or pointer or seldom or native", plugins=_ASYNC)
    assert result.code == 1
    grown = result.found("test_object", "memory.leak")
    assert (grown["outcome"], grown["reason"]) == ("regressed", "+16 B is over its budget of 8 B")
    assert result.found("test_pointer", "memory.leak")["outcome"] == "passed"
    assert result.found("test_seldom", "memory.leak[tenth]")["outcome"] == "passed"
    assert result.found("test_native", "memory.leak")["outcome"] == "waived"
    accepted = shop.update("--memgate-reason=it counts", "-k", "object", plugins=_ASYNC)
    assert "raised" in accepted.out
    assert "memory.leak:\n      value: 16\n" in shop.baseline("test_it.py")


def test_without_the_gate_nothing_is_called(shop: Project) -> None:
    shop.replace("store.py", "if LEAKY:\n", "if True:\n")
    shop.write("test_idle.py", "import test_it\n\n\ndef test_none():\n    assert not test_it.store._kept\n")
    shop.replace("test_it.py", "store.remember()", "pass")
    shop.replace("test_it.py", "await store.fetch()", "pass")
    result = shop.pytest("-q", "test_it.py", "test_idle.py", plugins=_ASYNC)
    assert result.code == 0, result.out


_WRONG = """
    import asyncio

    import memray
    import pytest
    from store import bounded, fetch

    def test_rounds(memgate):
        memgate.leak(bounded, rounds=0)

    def test_warmup(memgate):
        memgate.leak(bounded, warmup=-1)

    def test_no_function(memgate):
        memgate.leak(bounded())

    def test_generator(memgate):
        def numbers():
            yield 1
        memgate.leak(numbers)

    def test_limit(memgate):
        memgate.leak(bounded, limit="lots")

    def test_name(memgate):
        memgate.leak(bounded, name="a[b]")

    def test_twice(memgate):
        memgate.leak(bounded)
        memgate.leak(bounded)

    def test_coroutine(memgate):
        memgate.leak(lambda: fetch())

    @pytest.mark.memgate(leak="lots")
    def test_marker():
        pass

    @pytest.mark.memgate(leak="0B")
    def test_both(memgate):
        memgate.leak(bounded)

    @pytest.mark.asyncio
    async def test_not_awaited(memgate):
        memgate.leak(fetch)

    def test_own_error(memgate):
        memgate.leak(int, "seven")

    def test_tracker(memgate, tmp_path):
        memgate.leak(bounded, name="before")
        with memray.Tracker(tmp_path / "own.bin"):
            memgate.leak(bounded)

    RUNS = []

    @pytest.mark.memgate(leak="0B")
    def test_once():
        RUNS.append(1)
        assert len(RUNS) == 1

    @pytest.mark.memgate(skip="it is told to")
    def test_left_out(memgate):
        memgate.leak(bounded, rounds=0)
"""


def test_what_cannot_be_measured_says_so_in_one_line(shop: Project) -> None:
    shop.write("test_it.py", _WRONG)
    result = shop.gate("-Walways", plugins=_ASYNC)
    assert result.code == 1
    for line in (
        "memgate: leak(): rounds is a whole number from 1 on, not 0",
        "memgate: leak(): warmup is a whole number from 0 on, not -1",
        "memgate: leak(): something to call is expected, not [7]",
        "memgate: leak(): a generator does nothing until it is iterated",
        "memgate: leak(): memory.leak: not a size: 'lots'",
        "memgate: leak(): name is a text without brackets, not 'a[b]'",
        "memgate: memory.leak is measured twice in one test: tell them apart by name=",
        "memgate: leak(): it gave a coroutine, which nobody awaits: pass the async function itself",
        "@pytest.mark.memgate: leak: not a size: 'lots'",
        "memgate: leak(): the test's marker has leak=, which makes the test itself what is called",
        "E   leak() gave what nobody awaited: await memgate.leak(…)",
        "ValueError: invalid literal for int() with base 10: 'seven'",
    ):
        assert line in result.out
    held = result.found("test_tracker", "memory.leak")
    assert held["outcome"] == "unmeasured"
    assert held["reason"] == "a memray tracker is active, and a process has only one"
    once = result.found("test_once", "memory.leak")
    assert once["outcome"] == "unmeasured"
    assert once["reason"].startswith("it failed when it was run again: AssertionError")
    assert result.metrics("test_left_out") == {"memory.leak": "skipped", "memory.peak": "skipped"}
