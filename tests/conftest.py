"""What every test may use."""

from pathlib import Path

import pytest
from harness import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project of its own, where the gate runs as its user runs it."""
    return Project(tmp_path / "project")


@pytest.fixture(params=[(), ("-n0",), ("-n2",)], ids=["plain", "n0", "n2"])
def workers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Pytest's arguments for a plain run, and for xdist without and with workers."""
    args: tuple[str, ...] = request.param
    return args
