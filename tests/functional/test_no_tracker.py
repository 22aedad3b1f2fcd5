"""Where memray cannot start, or what it wrote cannot be read, a test is unmeasured with the reason, and passes."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from harness import Project, Result

MEASURE = pytest.mark.parametrize("measure", ["bound", "each"])
PLAIN = """
    from work import load

    def test_first():
        assert load(100)

    def test_second():
        assert load(200)

    def test_third():
        assert load(300)
"""
# Holds all descriptors that a low limit leaves, from its first test on until the third.
FULL = """
    import os
    import resource

    from work import load

    HELD = []

    def test_first():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        try:
            while True:
                HELD.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            assert load(100)

    def test_second():
        assert load(200)

    def test_third():
        while HELD:
            os.close(HELD.pop())
        assert load(300)

    def test_fourth():
        assert load(400)
"""


def quiet(result: Result) -> None:
    """Check that nothing is the tests' fault, nor a traceback anybody has to read."""
    assert "INTERNALERROR" not in result.out
    assert "Traceback" not in result.out
    assert " failed" not in result.out
    assert "regressed" not in result.out


def reasons(result: Result) -> dict[str, str]:
    """Return why the memory of tests is unmeasured, by the test's name."""
    return {one["subject"]["name"]: one["reason"] for one in result.run["findings"] if one["outcome"] == "unmeasured"}


def test_without_a_free_descriptor_a_test_is_unmeasured_and_passes(project: Project, workers: tuple[str, ...]) -> None:
    project.write("test_full.py", FULL.replace("while True", "for _ in range(3)"))
    project.prepare()
    project.write("test_full.py", FULL)
    one_worker = ("-n1",) if workers else ()
    result = project.gate("--memgate-measure=each", "--no-memgate-strict", *one_worker)
    quiet(result)
    assert "4 passed" in result.out
    for name in ("test_second", "test_third"):
        assert re.fullmatch("memray could not start: OSError: .*Too many open files", reasons(result)[name])
    assert result.metrics("test_fourth") == {"memory.peak": "passed"}


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["plain", "n1"])
def test_a_group_whose_tests_take_all_descriptors_is_judged_or_unmeasured(
    project: Project, workers: tuple[str, ...]
) -> None:
    project.write("memgate.yml", "budgets:\n  leftover.files: {growth: 100}\n")  # it leaves them until the third test
    project.write("test_full.py", FULL.replace("while True", "for _ in range(3)"))
    project.prepare()
    project.write("test_full.py", FULL)
    result = project.gate("--no-memgate-strict", *workers)
    quiet(result)
    assert "4 passed" in result.out
    outcomes = {one["outcome"] for one in result.run["findings"] if one["metric"] == "memory.peak"}
    assert outcomes <= {"passed", "unmeasured"}


@MEASURE
def test_without_proc_every_test_is_unmeasured_and_the_run_gives_no_answer(project: Project, measure: str) -> None:
    unshare = shutil.which("unshare") if os.geteuid() == 0 else None
    if unshare is None or subprocess.run([unshare, "-m", "true"], check=False).returncode:
        if os.environ.get("CI"):
            unshare = shutil.which("unshare")
            command = [str(unshare), "-Urm", "true"]
            assert subprocess.run(command, check=False).returncode == 0, "no mount namespace here"
        else:
            pytest.skip("a mount namespace needs root")
    project.write("test_plain.py", PLAIN)
    project.update()
    script = (
        f"umount -l /proc && exec {sys.executable} -m pytest --memgate --memgate-measure={measure} "
        "-p no:randomly -p no:memray -p no:asyncio -p no:anyio -p no:hypothesispytest"
    )
    result = project.command(str(unshare), "-m", "sh", "-c", script)
    quiet(result)
    assert result.code == 1
    assert "3 passed" in result.out
    assert "left behind processes and files are not seen on this system" in result.out
    assert "unmeasured   test_plain.py::test_first  memray could not start: RuntimeError: Failed to open" in result.out
    assert "memgate: NO ANSWER" in result.out


HOLDING = """
    import threading

    import pytest

    @pytest.fixture(autouse=True)
    def names():
        threading.Thread._name = "mine"  # for which memray's own assertion stops it
        yield
        if hasattr(threading.Thread, "_name"):  # a tracker that stops takes it away
            del threading.Thread._name
"""


@MEASURE
def test_what_stops_memray_is_named_and_the_next_run_measures(project: Project, measure: str) -> None:
    project.write("test_plain.py", PLAIN)
    project.prepare()
    project.write("conftest.py", HOLDING)
    result = project.gate(f"--memgate-measure={measure}", "--no-memgate-strict")
    quiet(result)
    assert "3 passed" in result.out
    assert set(reasons(result).values()) <= {"memray could not start: AssertionError"}
    if measure == "each":
        assert len(reasons(result)) == 3
    assert project.gate("--memgate-strict", "--noconftest").code == 0


FAILING = """
    import threading
    from work import load

    def test_first():
        threading.Thread._name = "mine"

    def test_second():
        load(10)
        raise ValueError("the test's own")

    def test_third():
        del threading.Thread._name
        assert load(300)
"""


def test_an_untraced_test_that_fails_shows_its_own_error_alone(project: Project) -> None:
    project.write("test_plain.py", PLAIN)
    project.prepare()
    project.write("test_plain.py", FAILING)
    result = project.gate("--memgate-measure=each", "--no-memgate-strict")
    assert "the test's own" in result.out
    assert "During handling" not in result.out
    assert "1 failed, 2 passed" in result.out


# Cuts what memray has written in a test off as soon as its tracker has stopped.
CUTTING = """
    import os

    import memray

    stop = memray.Tracker.__exit__

    def cut(tracker, *args):
        stop(tracker, *args)
        for name in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink(f"/proc/self/fd/{name}")
                if target.startswith("/memfd:memgate"):
                    path = f"/proc/self/fd/{name}"
                    with open(path, "rb") as file:
                        content = file.read(int(os.stat(path).st_size * SHARE))
                    # By chance, it may end with the byte of a whole file: memray finds that out, and says a word of it.
                    os.truncate(path, len(content.rstrip(bytes([0, 1, 15, 16]))))
            except OSError:
                pass

    class Cutting(memray.Tracker):
        def __exit__(self, *args):
            return cut(self, *args)

    memray.Tracker = Cutting
"""


@pytest.mark.parametrize(("measure", "share"), [("bound", 0.6), ("each", 0.3), ("each", 0.0)])
def test_a_capture_that_is_cut_off_proves_nothing(project: Project, measure: str, share: float) -> None:
    """Of a file that is cut off memray reads a peak that is too low, often 0, which would pass."""
    project.write("test_plain.py", PLAIN)
    project.prepare()
    project.write("conftest.py", CUTTING.replace("SHARE", str(share)))
    project.replace("test_plain.py", "load(100)", "load(100_000)")
    result = project.gate(f"--memgate-measure={measure}")
    quiet(result)
    assert "3 passed" in result.out
    assert len(reasons(result)) == 3
    assert all("its capture" in why for why in reasons(result).values()), reasons(result)
    assert "NO ANSWER" in result.out
    assert "Memray ERROR" not in result.out


@pytest.mark.parametrize("measure", ["bound", "each"])
def test_a_tracker_that_cannot_stop_fails_no_test(project: Project, measure: str) -> None:
    project.write("test_plain.py", PLAIN)
    project.prepare()
    raises = CUTTING.replace("SHARE", "1").replace(
        "return cut(self, *args)", "cut(self, *args); raise OSError('stuck')"
    )
    project.write("conftest.py", raises)
    result = project.gate(f"--memgate-measure={measure}")
    quiet(result)
    assert "3 passed" in result.out
    assert set(reasons(result).values()) == {"memray could not stop: OSError: stuck"}
    assert "NO ANSWER" in result.out


def test_a_leak_check_that_cannot_be_traced_is_unmeasured(project: Project) -> None:
    project.write(
        "test_leak.py",
        """
        import os
        import resource

        def test_leak(memgate):
            held, limits = [], resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
            try:
                while True:
                    held.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                memgate.leak(lambda: None)
            finally:
                while held:
                    os.close(held.pop())
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        """,
    )
    result = project.gate("--no-memgate-strict")
    quiet(result)
    assert "1 passed" in result.out
    (why,) = reasons(result).values()
    assert why.startswith("memray could not start: OSError: ")
    assert why.endswith("Too many open files")


def test_the_room_that_a_capture_needs_is_missing(project: Project) -> None:
    """A limit on the size of files holds for those in memory, too."""
    project.write("test_plain.py", PLAIN)
    project.prepare()
    project.write(
        "conftest.py",
        """
        import resource
        import pytest

        def pytest_collection_finish():
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))  # bytes: less than a capture

        @pytest.hookimpl(wrapper=True)
        def pytest_sessionfinish():
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            return (yield)
        """,
    )
    result = project.gate("--memgate-measure=each")
    assert "INTERNALERROR" not in result.out
    assert "3 passed" in result.out
    assert len(reasons(result)) == 3
    assert "NO ANSWER" in result.out
