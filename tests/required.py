"""Programs that tests need: without one they are skipped, but in CI they fail."""

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str, package: str = "") -> str:
    """Return where a program lies; `package` is that of Debian which brings it."""
    found = shutil.which(name)
    if found is None:
        absent(f"no {name} (apt-get install {package or name})")
    return found


def absent(what: str) -> NoReturn:
    """End a test that cannot run: as failed in CI, as skipped elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
