"""For `memgate compare`: the proof that a pytest which measures the base ran the base's own code.

Loaded by that command alone, with `-p`; its orders stand in an environment variable.
"""

import json
import os
from pathlib import Path

import pytest

from pytest_memgate.measure.process.import_redirect import Elsewhere
from pytest_memgate.measure.stacks.source_paths import Places


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down each file that this process has imported from elsewhere."""
    order = json.loads(os.environ["MEMGATE_TREE"])
    elsewhere = Elsewhere(Path(order["from"]), Path(order["to"]))
    foreign = elsewhere.foreign(Places(session.config.rootpath))
    Path(order["into"], f"{os.getpid()}.json").write_text(json.dumps(foreign), encoding="utf-8")
