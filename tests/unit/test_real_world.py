"""What a test has replaced is away while the world is real, and there again afterwards, unless it was undone."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_memgate.measure.python.original_functions import look, real_world, staged_world

NAME: str = os.name
LOADS: Any = json.loads
OPEN: Any = Path.open


@pytest.fixture(autouse=True)
def looked() -> None:
    look()


def fake() -> Any:
    return "fake"


def now() -> tuple[Any, ...]:
    return os.name, json.loads, Path.open


def test_what_is_replaced_is_real_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "other")
    monkeypatch.setattr(json, "loads", fake)
    monkeypatch.setattr(Path, "open", fake)
    monkeypatch.delattr(os.path, "realpath")
    with real_world():
        assert now() == (NAME, LOADS, OPEN)
        assert os.path.realpath("/")
        with real_world():
            assert os.name == NAME
        assert os.name == NAME
    assert now() == ("other", fake, fake)
    assert not hasattr(os.path, "realpath")


def test_what_was_undone_meanwhile_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "other")
    monkeypatch.setattr(json, "loads", fake)
    with real_world():
        with staged_world():
            assert now()[:2] == ("other", fake)
            monkeypatch.undo()
            monkeypatch.setattr(json, "loads", str)
        assert now()[:2] == (NAME, LOADS)
    assert now()[:2] == (NAME, str)


def test_outside_of_the_real_world_a_test_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "other")
    with staged_world():
        assert os.name == "other"
    assert os.name == "other"
