"""What a test's fixtures put in the place of Python's own functions, until its teardown, is nothing to the gate."""

import pytest
from harness import Project

_REPLACES = """
    import builtins
    import io
    import json
    import os
    import sys
    import threading
    import time
    from pathlib import Path

    import pytest
    from work import load

    N = int(os.environ.get("N", "1000"))

    def nothing(*args, **kwargs):
        raise RuntimeError("replaced")

    @pytest.fixture(
        params=[
            (os, "name", "nt"),
            (os, "stat", nothing),
            (os, "fspath", nothing),
            (os, "close", nothing),
            (os.path, "realpath", nothing),
            (sys, "platform", "win32"),
            (sys, "path", []),
            (io, "open", nothing),
            (builtins, "open", nothing),
            (builtins, "__import__", nothing),
            (Path, "open", nothing),
            (Path, "read_text", lambda *_, **__: "entries: ["),
            (Path, "exists", lambda _: False),
            (json, "loads", lambda _: {}),
            (json, "dumps", nothing),
            (time, "time", lambda: 0),
            (time, "sleep", nothing),
            (threading, "enumerate", lambda: []),
            (threading, "current_thread", nothing),
        ],
        ids=lambda param: param[1],
    )
    def replaced(request, monkeypatch):
        monkeypatch.setattr(*request.param)

    def test_it(replaced):
        assert len(load(N)) == N
"""
_FAKES = """
    import os
    from pathlib import Path

    from work import load

    N = int(os.environ.get("N", "1000"))

    def test_file(fs):
        fs.create_file("/there/file.txt", contents="text")
        assert Path("/there/file.txt").read_text() == "text"
        assert len(load(N)) == N

    def test_nothing_is_there(fs):
        assert not Path(__file__).exists()
        assert len(load(N)) == N
"""


@pytest.mark.parametrize("tests", [_REPLACES, _FAKES], ids=["functions", "file system"])
def test_a_test_may_replace_what_the_gate_needs(project: Project, tests: str) -> None:
    project.write("test_it.py", tests)
    project.write("test_other.py", "def test_other(): pass\n")
    project.prepare(plugins=("fakefs",))
    for measure in ("bound", "each"):
        result = project.gate(f"--memgate-measure={measure}", plugins=("fakefs",))
        assert (result.code, set(result.outcomes().values())) == (0, {"passed"}), result.out
        result = project.gate(f"--memgate-measure={measure}", plugins=("fakefs",), env={"N": "20000"})
        grown = [one for one in result.run["findings"] if one["subject"]["name"] != "test_other"]
        assert (result.code, {one["outcome"] for one in grown}) == (1, {"regressed"}), result.out
        assert {one["growth_by_site"][0]["site"]["path"] for one in grown} == {"work.py"}
