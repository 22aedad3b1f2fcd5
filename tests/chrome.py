"""A real Chrome that opens a page and does what a test says."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_memgate.measure.lighthouse.tools import Tools

DRIVER = Path(__file__).parent / "browser.cjs"
WIDE = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a page did while a test used it; `ready` is when its table could be used, in ms since it was opened."""

    result: Any
    ready: float
    requests: list[str]
    console: list[str]
    dialogs: list[str]

    def is_quiet(self, page: Path) -> bool:
        """True if the page loaded itself alone, said nothing, and asked nothing."""
        loaded = {one.partition("#")[0] for one in self.requests}
        return loaded == {page.as_uri()} and self.console == [] and self.dialogs == []


@dataclass(frozen=True, slots=True)
class Browser:
    """Chrome, driven by the Puppeteer that Lighthouse CI brings."""

    modules: Path
    tools: Tools

    def open(self, page: Path, script: str = "", *, at: str = "", width: int = WIDE, dark: bool = False) -> Visit:
        """Open a page and run a script on it; it has Puppeteer's `page`, and `await drawn()` waits for the charts."""
        order = {
            "modules": str(self.modules),
            "chrome": self.tools.chrome,
            "url": page.as_uri() + at,
            "script": script,
            "width": width,
            "dark": dark,
        }
        done = subprocess.run(
            [shutil.which("node") or "node", str(DRIVER)],
            input=json.dumps(order),
            capture_output=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Visit(**json.loads(done.stdout))
