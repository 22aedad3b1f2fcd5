"""The process that watches the sizes of others: what it tells, and what it does when its pipes are gone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_memgate.measure.children.resident import ResidentWatch
from pytest_memgate.measure.resources.helper_process import HelperProcess
from pytest_memgate.measure.resources.snapshot import OWN_FILES, children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
_MEGABYTE = 1 << 20


@pytest.fixture
def watch() -> ResidentWatch:
    """A watch that has been started."""
    watch = ResidentWatch()
    before = children()
    assert watch.start()
    assert children() == before  # it is no child
    return watch


def _dd(megabytes: int) -> list[str]:
    return ["dd", "if=/dev/zero", "of=/dev/null", f"bs={megabytes}M", "count=80", "status=none"]


def test_it_tells_the_most_that_each_process_had(watch: ResidentWatch) -> None:
    watch.begin()
    subprocess.run(_dd(30), check=True)
    subprocess.run(["sh", "-c", " ".join(_dd(60)) + "; true"], check=True)
    found = {one.words.replace("\0", " "): one.size // _MEGABYTE for one in watch.told() or ()}
    watch.close()
    assert 30 <= found[" ".join(_dd(30))] < 40
    assert 60 <= found[" ".join(_dd(60))] < 70
    assert not [words for words in found if "pytest" in words]  # a fork of this one, before it has called exec


def test_only_what_was_started_since_counts(watch: ResidentWatch) -> None:
    with subprocess.Popen(["sleep", "30"]) as old:
        time.sleep(0.1)
        watch.begin()
        assert watch.told() == ()
        watch.begin()
        with subprocess.Popen(["sleep", "31"]) as new:
            time.sleep(0.1)
            assert [one.pid for one in watch.told() or ()] == [new.pid]
            new.kill()
        old.kill()
    watch.begin()
    watch.stop()
    watch.close()
    assert watch.told() is None


def test_pipes_that_a_test_has_closed_are_not_written_to(watch: ResidentWatch) -> None:
    """The numbers of the descriptors may be somebody else's by now."""
    mine = watch._helper.pipes()
    with Path("/dev/null").open("rb") as nothing:  # to write there is an error
        for descriptor in mine:
            os.dup2(nothing.fileno(), descriptor)
    watch.begin()
    assert not watch.runs
    assert watch.told() is None
    for descriptor in mine:
        os.fstat(descriptor)  # still open
        os.close(descriptor)
    assert watch.start()
    watch.close()


def test_a_helper_that_cannot_be_started_is_an_oserror(tmp_path: Path) -> None:
    before = set(OWN_FILES)
    helper = HelperProcess(str(tmp_path / "none.py"))
    with pytest.raises(OSError, match="none"):
        helper.pipes()
    helper.end()
    assert not helper.runs
    assert before == OWN_FILES
