"""A small real input of each probe, by which the tests hold it to what every probe owes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_memgate.model.metric import METRICS

_PEAK = "memory.peak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one probe measures: `files` by their text, and where folders of the tests' `data` are laid.

    With the `spoilt` files it cannot be measured, and the reason has the words `why` in it. `args` and `plugins` are
    for pytest.
    """

    family: str
    test: str
    metrics: frozenset[str]
    files: Mapping[str, str]
    spoilt: Mapping[str, str]
    why: str
    data: Mapping[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    needs_chrome: bool = False


def _all(family: str) -> frozenset[str]:
    return frozenset(name for name, metric in METRICS.items() if metric.family == family)


BUNDLE = Sample(
    family="bundle",
    test="bundle[app]",
    metrics=_all("bundle"),
    files={"memgate.yml": "bundles:\n  app: {stats: web/stats.json}\n"},
    data={"bundles/built/webpack/base": "web"},
    spoilt={"web/stats.json": "{"},
    why="web/stats.json",
)
PAGE = Sample(
    family="web",
    test="page[home]",
    metrics=_all("web"),
    files={"memgate.yml": "pages:\n  home: {serve: web, runs: 1}\n"},
    data={"pages/still": "web"},
    spoilt={"memgate.yml": "pages:\n  home: {serve: gone, runs: 1}\n"},
    why="gone",
    needs_chrome=True,
)
IMPORT = Sample(
    family="import",
    test="import[shop]",
    metrics=_all("import"),
    files={"memgate.yml": "imports: [shop]\n", "shop.py": "TABLE = [str(i) for i in range(9000)]\n"},
    spoilt={"shop.py": "import nothing_of_that_name\n"},
    why="nothing_of_that_name",
)
SERVICE = Sample(
    family="service",
    test="service[shop]",
    metrics=_all("service") - {"service.gc_pause"},  # so small a server collects no garbage by itself
    files={
        "memgate.yml": "services:\n  shop: {start: 'python serve.py {port}', warmup: 20, requests: 100}\n",
        "serve.py": """
            import sys
            from http.server import BaseHTTPRequestHandler, HTTPServer

            class Handler(BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200)
                    self.end_headers()

                def log_message(self, *args):
                    pass

            HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
        """,
    },
    spoilt={"serve.py": "raise SystemExit('no database')\n"},
    why="has ended, exit code 1; it said: no database",
)
MEMORY = Sample(
    family="memory",
    test="test_it",
    metrics=frozenset({_PEAK, "memory.retained"}),
    files={
        "test_it.py": """
            from work import load

            KEPT = []

            def test_it():
                KEPT.append(load(9000))
        """
    },
    spoilt={
        "test_it.py": """
            import memray

            def test_it(tmp_path):
                with memray.Tracker(tmp_path / "own"):
                    pass
        """
    },
    why="uses memray itself",
)
LEAK = Sample(
    family="memory",
    test="test_leak",
    metrics=frozenset({_PEAK, "memory.leak"}),
    files={
        "test_leak.py": """
            import pytest

            KEPT = []

            @pytest.mark.memgate(leak="1MB")
            def test_leak():
                KEPT.append("a" * 20)
        """
    },
    spoilt={
        "test_leak.py": """
            import pytest

            RUNS = []

            @pytest.mark.memgate(leak="1MB")
            def test_leak():
                RUNS.append(1)
                assert RUNS == [1]
        """
    },
    why="failed when it was run again",
)
LEFTOVER = Sample(
    family="leftover",
    test="test_left",
    metrics=frozenset({_PEAK, "memory.retained", "leftover.files"}),  # a file has a buffer
    files={
        "test_left.py": """
            import pytest

            KEPT = []

            @pytest.mark.memgate("leftover.files", growth="1")
            def test_left():
                KEPT.append(open("left", "w"))
        """
    },
    spoilt={
        "test_left.py": """
            import pytest

            KEPT = []

            @pytest.mark.memgate(skip="not today")
            def test_left():
                KEPT.append(open("left", "w"))
        """
    },
    why="not today",
)
TIME = Sample(
    family="time",
    test="test_time",
    metrics=frozenset({_PEAK, *_all("time")}),
    files={
        "test_time.py": """
            import pytest

            @pytest.mark.memgate("time.median", growth="10s")
            def test_time(benchmark):
                benchmark(sum, range(99))
        """
    },
    spoilt={
        "test_time.py": """
            import pytest

            @pytest.mark.memgate("time.median", growth="10s")
            def test_time(benchmark):
                pass
        """
    },
    why="did not call pytest-benchmark's fixture",
    args=("--benchmark-quiet", "--benchmark-max-time=0.01"),
    plugins=("benchmark",),
)
OWN = Sample(
    family="custom",
    test="test_own",
    metrics=frozenset({_PEAK, "custom.rows"}),
    files={"test_own.py": "def test_own(memgate): memgate.record('rows', 3, growth=0)\n"},
    spoilt={
        "test_own.py": """
            import pytest

            @pytest.mark.memgate(skip="not today")
            def test_own(memgate):
                memgate.record("rows", 3, growth=0)
        """
    },
    why="not today",
)
SAMPLES = (BUNDLE, PAGE, IMPORT, SERVICE, MEMORY, LEAK, LEFTOVER, TIME, OWN)
