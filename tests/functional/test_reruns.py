"""Beside pytest-rerunfailures: what a test fails by is run again, what the gate fails it by is not."""

import pytest
from harness import Project

TESTS = """
    import os
    import threading
    import time
    from pathlib import Path

    from work import load

    def note(name):
        with open(f"{name}.txt", "a") as file:
            file.write(".")
        return len(Path(f"{name}.txt").read_text())

    def test_grows():
        note("grows")
        assert load(30_000 if "BIG" in os.environ else 10)

    def test_leaves():
        note("leaves")
        if "BIG" in os.environ:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

    def test_flaky():
        assert note("flaky") > 1 or "BIG" not in os.environ

    def test_fails():
        note("fails")
        assert "BIG" not in os.environ
"""


@pytest.mark.parametrize(("measure", "workers"), [("bound", ()), ("each", ()), ("bound", ("-n2",))])
def test_what_the_gate_fails_is_not_run_again_and_what_fails_by_itself_is(
    project: Project, workers: tuple[str, ...], measure: str
) -> None:
    project.write("test_shop.py", TESTS)
    project.prepare()
    for file in project.root.glob("*.txt"):
        file.unlink()
    args = ("--reruns=3", "-rR", f"--memgate-measure={measure}", *workers)
    result = project.gate(*args, plugins=("rerunfailures",), env={"BIG": "yes"})
    assert result.code == 1
    runs = {file.stem: len(file.read_text(encoding="utf-8")) for file in project.root.glob("*.txt")}
    assert runs["grows"] == runs["leaves"] == 3  # to settle the value, and to confirm what is left
    assert runs["fails"] == 4
    assert [line for line in result.out.splitlines() if line.startswith("RERUN")] == [
        "RERUN test_shop.py::test_flaky",
        *["RERUN test_shop.py::test_fails"] * 3,
    ]
    assert "3 failed, 1 passed, 4 rerun" in result.out
    assert result.metrics("test_grows")["memory.peak"] == "regressed"
    assert result.metrics("test_leaves")["leftover.threads"] == "regressed"
    # The thread by which the plugin counts is none that runs beside the tests.
    assert "other thread" not in result.out
