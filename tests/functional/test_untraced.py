"""Memory in allocators that memray does not see: what each run of a test adds to the process is red, and said whose."""

import sys

import pytest
from harness import Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="resident size is read from /proc")

# By the system call itself, past the functions that memray replaces, as an allocator inside a library does.
_ALLOCATOR = """
    import ctypes, mmap, platform

    _call = ctypes.CDLL(None, use_errno=True).syscall
    _call.restype = ctypes.c_void_p
    _MMAP = {"x86_64": 9, "aarch64": 222}[platform.machine()]

    def take(size):
        address = _call(
            ctypes.c_long(_MMAP), ctypes.c_void_p(0), ctypes.c_size_t(size), ctypes.c_long(3),
            ctypes.c_long(mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), ctypes.c_long(-1), ctypes.c_long(0),
        )
        ctypes.memset(address, 1, size)
"""
_TESTS = """
    import polars

    SIZE = 100_000
    once = []

    def test_keeps():
        polars.take(SIZE)

    def test_keeps_once():
        if not once:
            once.append(polars.take(30_000_000))

    def test_holds_for_a_while():
        assert len([str(i) for i in range(200_000)])
"""


@pytest.fixture
def untraced(project: Project) -> Project:
    """A project with a library of the name of one that brings its own allocator."""
    project.write("polars.py", _ALLOCATOR)
    project.write("test_it.py", _TESTS)
    project.prepare()
    return project


def test_what_each_run_keeps_there_is_red(untraced: Project, workers: tuple[str, ...]) -> None:
    unchanged = untraced.gate(*workers)
    assert (unchanged.code, "memgate: PASSED: 3 tests compared" in unchanged.out) == (0, True)
    untraced.replace("test_it.py", "SIZE = 100_000", "SIZE = 25_000_000")
    result = untraced.gate(*workers)
    assert result.code == 1
    finding = result.found("test_keeps", "memory.untraced")
    assert (finding["outcome"], finding["baseline"]) == ("regressed", 0)
    assert 24_000_000 < finding["measurement"]["value"] < 27_000_000
    assert "by jemalloc or mimalloc of polars, which memray does not see" in result.out
    assert {one["subject"]["name"] for one in result.run["findings"] if one["outcome"] == "regressed"} == {"test_keeps"}


def test_it_can_be_accepted_and_is_then_known(untraced: Project) -> None:
    untraced.replace("test_it.py", "SIZE = 100_000", "SIZE = 25_000_000")
    untraced.update("--memgate-reason", "a table")
    assert "memory.untraced" in untraced.baseline("test_it.py")
    assert untraced.gate().code == 0
    untraced.replace("test_it.py", "SIZE = 25_000_000", "SIZE = 35_000_000")
    assert untraced.gate().found("test_keeps", "memory.untraced")["outcome"] == "regressed"


def test_a_suite_without_such_a_library_is_not_looked_at(untraced: Project) -> None:
    """The same memory, in a module of another name: the price is paid by those who have such an allocator."""
    untraced.write("other.py", _ALLOCATOR)
    untraced.replace("test_it.py", "import polars", "import other as polars")
    untraced.replace("test_it.py", "SIZE = 100_000", "SIZE = 25_000_000")
    assert "memory.untraced" not in untraced.gate().metrics("test_keeps")
