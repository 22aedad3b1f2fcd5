"""What a thread of compiled code allocates, without a Python frame, is put down to its shared object."""

import sys

import pytest
from harness import Project

_FAST = """
    import ctypes

    import yaml._yaml

    _yaml = ctypes.CDLL(yaml._yaml.__file__)
    _libc = ctypes.CDLL(None)

    def fill(number):
        for _ in range(number):                        # each allocates 65 KB, in a thread that Python does not know of
            thread, parser = ctypes.c_ulong(), ctypes.create_string_buffer(4096)
            start = ctypes.cast(_yaml.yaml_parser_initialize, ctypes.c_void_p)
            _libc.pthread_create(ctypes.byref(thread), None, start, parser)
            _libc.pthread_join(thread, None)
"""


@pytest.fixture
def fast(project: Project) -> Project:
    project.write("fast.py", _FAST)
    project.write("test_fast.py", "import fast\n\ndef test_fill():\n    fast.fill(1)\n\ndef test_two():\n    pass\n")
    project.prepare()
    return project


@pytest.mark.skipif(sys.platform != "linux", reason="the segments of other systems have other names")
@pytest.mark.parametrize(("measure", "workers"), [("each", ()), ("bound", ()), ("each", ("-n2",))])
def test_the_shared_object_is_named(fast: Project, workers: tuple[str, ...], measure: str) -> None:
    fast.replace("test_fast.py", "fill(1)", "fill(30)")
    result = fast.gate("-p", "no:randomly", f"--memgate-measure={measure}", *workers)
    assert result.code == 1, result.out
    for metric in ("memory.peak", "memory.retained"):
        (first, *_) = result.found("test_fill", metric)["growth_by_site"]
        assert first["site"]["path"] == "<unknown>"
        assert first["head"] - first["base"] > 1_800_000
        (used,) = first["site"]["uses"]
        assert used.startswith("_yaml.cpython-3")
        assert ".so of yaml " in used
    assert "uses _yaml.cpython-3" in result.out


def test_it_says_nothing_where_the_test_cannot_run_once_more(fast: Project) -> None:
    fast.replace("test_fast.py", "def test_fill():", "runs = []\n\ndef test_fill():\n    runs.append(1)")
    fast.replace("test_fast.py", "fill(1)", "fill(30)\n    assert len(runs) < 4, 'no more'")
    result = fast.gate("-p", "no:randomly", "--memgate-measure=each")
    assert result.code == 1, result.out
    (first, *_) = result.found("test_fill", "memory.peak")["growth_by_site"]
    assert (first["site"]["path"], first["site"].get("uses")) == ("<unknown>", None)
    assert "no more" not in result.out
