"""What a test leaves alive in memory and what it allocates on the way: gated, named, quiet where nothing is kept."""

import re

import pytest
from harness import Project

_KEEPER = """
    _kept = {}
    _cache = {}

    def remember(key, size):
        if key not in _cache:
            _cache[key] = bytearray(size)       # once, whoever asks first

    def handle(n, keep):
        body = [str(i) * 3 for i in range(n)]
        if keep:
            _kept[len(_kept)] = body            # for ever
        return len(body)
"""
_TESTS = """
    from keeper import handle, remember

    def test_handles():
        assert handle(20_000, keep=False) >= 20_000

    def test_fills_a_cache():
        remember("a", 900_000)

    def test_is_small():
        assert handle(10, keep=True) == 10
"""


@pytest.fixture
def kept(project: Project) -> Project:
    """A project whose tests hold 1.4 MB, and retain next to nothing when they run again."""
    project.write("keeper.py", _KEEPER)
    project.write("test_it.py", _TESTS)
    project.prepare()
    return project


def test_a_little_that_many_tests_keep_is_told_of_together(project: Project, workers: tuple[str, ...]) -> None:
    project.write("keeper.py", _KEEPER)
    project.write(
        "test_it.py",
        """
        import pytest
        from keeper import remember

        KEEPS = False

        @pytest.mark.parametrize("number", range(40))
        def test_keeps(number):
            remember(object() if KEEPS else 1, 30_000)
        """,
    )
    project.prepare()
    project.replace("test_it.py", "KEEPS = False", "KEEPS = True")
    result = project.gate(*workers)
    assert result.code == 0, result.out
    assert re.search(
        r"note +\d+ tests keep \d+ KB more together, each within its budget: keeper.py:\d+ in remember", result.out
    )
    project.replace("test_it.py", "KEEPS = True", "KEEPS = False")
    assert "more together" not in project.gate(*workers).out


def test_a_leak_within_the_peak_is_red_on_what_is_retained_and_named(kept: Project, workers: tuple[str, ...]) -> None:
    """The peak is as high as it was: what was let go of is now kept."""
    assert "memory.retained" not in kept.baseline("test_it.py")  # nothing is kept, so nothing is stored
    kept.replace("test_it.py", "20_000, keep=False", "20_000, keep=True")
    result = kept.gate(*workers)
    assert (result.code, result.metrics("test_handles")) == (
        1,
        {"memory.peak": "passed", "memory.retained": "regressed"},
    )
    finding = result.found("test_handles", "memory.retained")
    first = finding["growth_by_site"][0]["site"]
    assert (first["path"], first["function"], finding["baseline"]) == ("keeper.py", "handle", 0)
    assert finding["measurement"]["value"] > 1_000_000
    assert "memory.retained 0 B -> 1." in result.out
    assert "is over its budget of 64 KB" in result.out
    assert result.metrics("test_is_small") == {"memory.peak": "passed"}
    assert "memgate: FAILED: 1 regressed" in result.out


@pytest.mark.parametrize("args", [(), ("-k", "cache"), ("-n2",), ("--memgate-measure=exact",)], ids=str)
def test_a_cache_that_is_filled_is_no_leak(kept: Project, args: tuple[str, ...]) -> None:
    result = kept.gate(*args)
    assert (result.code, "regressed" in result.out) == (0, False), result.out


def test_what_a_thread_holds_that_is_just_ending_is_not_left_behind(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import threading
        import time
        from work import load

        def hold(n):
            held = load(n)
            time.sleep(0.05)
            held.clear()

        def test_it():
            threading.Thread(target=hold, args=(3000,)).start()
            time.sleep(0.02)
        """,
    )
    project.update()
    assert "memory.peak" in project.baseline("test_it.py")
    assert "memory.retained" not in project.baseline("test_it.py")


def test_an_accepted_amount_is_stored_and_held(kept: Project) -> None:
    kept.replace("test_it.py", "20_000, keep=False", "20_000, keep=True")
    refused = kept.gate("--memgate-update")
    assert (refused.code, "raised, so not written without a reason" in refused.out) == (1, True)
    kept.update("--memgate-reason", "the log keeps them")
    assert "memory.retained:\n" in kept.baseline("test_it.py")
    assert kept.gate().metrics("test_handles") == {"memory.peak": "passed", "memory.retained": "passed"}
    before = kept.baseline("test_it.py")
    kept.update()
    assert kept.baseline("test_it.py") == before
    kept.replace("test_it.py", "20_000, keep=True", "26_000, keep=True")
    assert kept.gate().metrics("test_handles")["memory.retained"] == "regressed"
    kept.replace("test_it.py", "26_000, keep=True", "20_000, keep=False")
    assert kept.gate().metrics("test_handles")["memory.retained"] == "improved"
    kept.update()
    assert "memory.retained" not in kept.baseline("test_it.py")


def test_a_baseline_of_before_is_no_alarm(kept: Project) -> None:
    """In format 1 nobody had looked at what is retained: it is new, and an update of the whole file tells it."""
    kept.replace("test_it.py", "20_000, keep=False", "20_000, keep=True")
    kept.update("--memgate-reason", "it is so")
    text = kept.baseline("test_it.py")
    old = "".join(part for part in text.partition("    memory.retained:")[0]).replace("format: 2", "format: 1")
    (kept.baselines / "test_it.py.yaml").write_text(f"{old.rstrip()}\n\n# end\n", encoding="utf-8")
    result = kept.gate("-k", "handles")
    assert (result.code, result.metrics("test_handles")["memory.retained"]) == (0, "new")
    kept.update("-k", "handles")
    assert "format: 1" in kept.baseline("test_it.py")
    kept.update()
    assert kept.baseline("test_it.py").startswith(text[: text.index("tests:")])


_COUNTED = """
    import pytest

    @pytest.mark.memgate(track="allocations")
    def test_counted():
        assert sum(len(bytes(100)) for _ in range(5000)) >= 500_000

    def test_by_pattern():
        assert sum(len(bytes(100)) for _ in range(5000)) >= 500_000
"""


def test_two_in_a_hundred_allocations_more_are_seen(project: Project) -> None:
    project.write("test_it.py", _COUNTED)
    project.write(
        "memgate.yml",
        'budgets: {overrides: [{tests: "test_it.py::test_by*", track: allocations, gc.gen0: {growth: 5}}]}',
    )
    project.update()
    assert "memory.allocations:" in project.baseline("test_it.py")
    result = project.gate()
    assert result.code == 0, result.out
    assert result.metrics("test_counted")["gc.pause"] == "not gated"
    assert result.metrics("test_by_pattern")["gc.gen0"] == "passed"
    project.replace("test_it.py", "range(5000)", "range(5100)")
    result = project.gate()
    assert result.code == 1
    for name in ("test_counted", "test_by_pattern"):
        assert result.metrics(name)["memory.allocations"] == "regressed"
        assert result.metrics(name)["memory.peak"] == "passed"
        finding = result.found(name, "memory.allocations")
        assert finding["growth_by_site"][0]["site"]["path"] == "test_it.py"
        assert 190 <= finding["measurement"]["value"] - finding["baseline"] <= 220  # each one and its number


def test_a_word_for_what_cannot_be_tracked_is_refused(project: Project) -> None:
    project.write("memgate.yml", 'budgets: {overrides: [{tests: "test_it.py", track: allocation}]}')
    refused = project.gate()
    assert (
        refused.code,
        "memgate.yml:1: unknown thing to track 'allocation' (did you mean 'allocations'?)" in refused.out,
    ) == (4, True)
    project.write("memgate.yml", "")
    project.write("test_it.py", "import pytest\n@pytest.mark.memgate(track=3)\ndef test_it(): pass\n")
    refused = project.gate()
    assert (refused.code, "@pytest.mark.memgate: track: unknown thing to track '3'" in refused.out) == (1, True)


def test_a_test_that_stops_the_clock_is_measured(project: Project) -> None:
    project.write(
        "test_it.py",
        """
        import threading
        import time

        import pytest

        @pytest.fixture
        def frozen(monkeypatch):
            monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
            monkeypatch.setattr(time, "sleep", lambda seconds: None)
            stop = threading.Event()
            yield stop
            stop.set()

        def test_poll(frozen):
            threading.Thread(target=frozen.wait, daemon=True).start()
        """,
    )
    project.patience = 60
    project.prepare()
    assert project.gate().code == 0
