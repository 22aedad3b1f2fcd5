"""What a test leaves behind in some of its runs is unstable: shown, red when strict, and named like all else."""

import pytest
from harness import Project

from pytest_memgate.measure.resources.snapshot import unseen

pytestmark = pytest.mark.skipif(bool(unseen()), reason="this system does not list files and children")

TESTS = """
    import asyncio
    import os
    import threading
    import time
    from collections import Counter

    import pytest
    import polling

    CALLS = Counter()

    def leaves(name):
        CALLS[name] += 1
        return CALLS[name] % 3 != OFFSET

    def test_thread():
        if leaves("thread"):
            threading.Thread(target=time.sleep, args=(60,), name="poller", daemon=True).start()

    def test_file():
        if leaves("file"):
            os.open("/dev/null", os.O_RDONLY)

    def test_task():
        async def main():
            if leaves("task"):
                for _ in range(5):
                    asyncio.ensure_future(asyncio.sleep(60))
                await asyncio.sleep(0)
        asyncio.run(main())

    def test_library():
        if leaves("library"):
            polling.start()

    def test_first_run_only():
        CALLS["first"] += 1
        if CALLS["first"] == 1:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

    def test_ends_late():
        CALLS["late"] += 1
        threading.Thread(target=time.sleep, args=(0.2 + 0.2 * (CALLS["late"] % 2),), daemon=True).start()
"""
LEFT = {
    "test_thread": ("threads", "0 -> 1", 'in test_thread (daemon thread "poller")'),
    "test_file": ("files", "0 -> 1", "in test_file (file /dev/null)"),
    "test_task": ("tasks", "0 -> 5", "in main (task sleep())"),
    "test_library": ("threads", "0 -> 1", 'in test_library (daemon thread "lib", started in polling.py:4 in start)'),
}


def leaving(project: Project, offset: int) -> None:
    """Lay out tests that leave something in two of three runs, with baselines of a time when they left nothing."""
    library = project.root.parent / "site" / "lib" / "python3" / "site-packages"
    library.mkdir(parents=True)
    (library / "polling.py").write_text(
        "import threading, time\n\ndef start():\n"
        "    threading.Thread(target=time.sleep, args=(60,), name='lib', daemon=True).start()\n",
        encoding="utf-8",
    )
    project.write("conftest.py", f"import sys\nsys.path.append({str(library)!r})\n")
    project.write("test_some.py", TESTS.replace("OFFSET", "CALLS[name] % 3"))
    project.prepare()
    assert "leftover" not in project.baseline("test_some.py")
    project.write("test_some.py", TESTS.replace("OFFSET", str(offset)))


@pytest.mark.parametrize(("workers", "offset"), [((), 0), (("-n2",), 0), ((), 2)])
def test_what_is_left_in_two_of_three_runs_is_unstable_and_named(
    project: Project, workers: tuple[str, ...], offset: int
) -> None:
    leaving(project, offset)
    result = project.gate("--memgate-strict", *workers)
    assert result.code == 1
    for name, (kind, values, started) in LEFT.items():
        found = result.found(name, f"leftover.{kind}")
        assert found["outcome"] == "unstable"
        assert found["reason"].endswith(started), found["reason"]
        line = next(one for one in result.out.splitlines() if one.startswith("unstable") and name in one)
        assert f"leftover.{kind} {values}: " in line
    for name in ("test_first_run_only", "test_ends_late"):
        assert set(result.metrics(name).values()) == {"passed"}
    assert "6 passed" in result.out
    assert "4 tests unstable (strict)" in result.out


def test_an_update_tells_what_further_runs_leave_and_the_first_one_does_not(project: Project) -> None:
    leaving(project, 1)
    loose = project.gate("--memgate-update", "--memgate-reason=polling")
    assert loose.code == 0, loose.out
    text = project.baseline("test_some.py")
    assert text.count("leftover.threads") == 2
    assert text.count("leftover.files") == text.count("leftover.tasks") == 1
    assert "spread: 1" in text
