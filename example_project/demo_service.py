"""The shop as it runs: two workers of gunicorn, and a desk in Go, sent requests with the leak and without."""

import json
from pathlib import Path
from typing import Any

from demo_teller import Teller, chapter, check, say

SHOP = "memgate.yml::service[shop]"
DESK = "memgate.yml::service[go-desk]"
LOGS = {SHOP: ("variants/leaky_middleware.py", "shop/middleware.py"), DESK: ("variants/leaky_log.go", "go/log.go")}
SHOWN = ("service.leak", "service.peak", "service.gc_pause", "service.allocation_rate")
UNITS = {"service.leak": (1, "B a request"), "service.peak": (1e6, "MB"), "service.gc_pause": (1, "ms")}


class ServiceStory:
    """Each service without the leak, with it, and repaired."""

    def __init__(self, teller: Teller, original: Path) -> None:
        self._teller = teller
        self._original = original

    def tell(self) -> str:
        """Tell it; return what had to be left out, and why, empty if nothing had."""
        if not self._teller.has("gunicorn"):
            return "the running services, since gunicorn is not there"
        chapter("7. The leak of the story in the running shop: gunicorn with two workers, sent thousands of requests.")
        self._told(SHOP)
        if not self._teller.has("go"):
            return "the desk in Go, since go is not there"
        chapter("8. The same story in Go: a log that keeps each body, and one that reads it through buffers of a pool.")
        pooled, leaky = self._told(DESK)
        self._table(leaky, pooled)
        return ""

    def _told(self, service: str) -> tuple[dict[str, float], dict[str, float]]:
        """Return what the repaired service gave, and the leaky one, by metric."""
        variant, module = LOGS[service]
        repaired = self._gated(service, 0)
        self._teller.do("cp", variant, module)
        leaky = self._gated(service, 1)
        (self._teller.folder / module).write_bytes((self._original / module).read_bytes())
        return repaired, leaky

    def _gated(self, service: str, expected: int) -> dict[str, float]:
        report = self._teller.folder / "run.json"
        output = self._teller.run("pytest", "--memgate", f"--memgate-report={report.name}", service, expected=expected)
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
        report.unlink()
        module = LOGS[service][1]
        if expected:
            check("service.leak" in output and f"{module}:" in output, f"the red service does not name {module}")
        else:
            check("no leak above" in output, "the gate does not say what it could have seen")
        return {one["metric"]: _value(one) for one in findings}

    def _table(self, leaky: dict[str, float], pooled: dict[str, float]) -> None:
        say(f"{'':<26}{'each body kept':>20}{'buffers of a pool':>20}")
        for metric in SHOWN:
            divisor, unit = UNITS.get(metric, (1000, "KB a request"))
            before, after = (f"{side.get(metric, 0) / divisor:.3g} {unit}" for side in (leaky, pooled))
            print(f"{metric:<26}{before:>20}{after:>20}")


def _value(finding: dict[str, Any]) -> float:
    measured = finding["measurement"]
    return float(measured.get("value", measured.get("bound", 0)))
