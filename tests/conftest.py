"""What every test may use."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import required
import starts
from chrome import Browser
from harness import Project
from hypothesis import HealthCheck, settings
from postgres import Postgres, running, server_programs
from remembered import forget_others

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.lighthouse.tools import Tools, find_tools

TESTS = Path(__file__).parent
# A run in the background, or under nohup, ignores Ctrl-C, and so would all that it starts: some tests send one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# A busy machine is no failure: the claims of property tests are about values, not about time.
settings.register_profile("memgate", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", settings.get_profile("memgate"), max_examples=10)
settings.load_profile("memgate")


def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        forget_others()


def pytest_unconfigure() -> None:
    starts.end()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project of its own, where the gate runs as its user runs it."""
    return Project(tmp_path / "project")


@pytest.fixture(params=[(), ("-n2",)], ids=["plain", "n2"])
def workers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Pytest's arguments for a plain run, and for one with workers."""
    args: tuple[str, ...] = request.param
    return args


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder that Lighthouse CI is in: `tests/node_modules`, or the one that MEMGATE_TEST_NODE_MODULES names."""
    return Path(os.environ.get("MEMGATE_TEST_NODE_MODULES") or TESTS / "node_modules")


@pytest.fixture(scope="session")
def tools(node_modules: Path) -> Tools:
    """Lighthouse CI and Chrome; a test that needs them is skipped without, but fails in CI."""
    try:
        return find_tools(node_modules.parent, None)
    except MeasureError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error} (in {TESTS.name}: npm ci)")


@pytest.fixture(scope="session")
def browser(node_modules: Path, tools: Tools) -> Browser:
    if not (node_modules / "puppeteer-core").is_dir():
        required.absent(f"no puppeteer-core in {node_modules}")
    return Browser(node_modules, tools)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; a test that needs it is skipped without, but fails in CI."""
    programs = server_programs()
    if programs is None:
        required.absent("no PostgreSQL server (apt-get install postgresql)")
    with running(programs) as server:
        yield server
