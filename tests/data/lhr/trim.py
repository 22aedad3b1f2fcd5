"""Cuts a Lighthouse report down to what the reader looks at: python trim.py FULL.json SMALL.json."""

import json
import sys
from pathlib import Path
from typing import Any

TOP = (
    "lighthouseVersion",
    "requestedUrl",
    "mainDocumentUrl",
    "finalDisplayedUrl",
    "finalUrl",
    "runtimeError",
    "runWarnings",
    "userAgent",
    "environment",
    "configSettings",
)
AUDIT = ("id", "score", "numericValue", "numericUnit", "errorMessage", "metricSavings", "replacesAudits")
TEXTS = ("screenshot-thumbnails", "final-screenshot", "script-treemap-data", "main-thread-tasks", "user-timings")


def trim(report: dict[str, Any]) -> dict[str, Any]:
    audits = {key: _audit(audit) for key, audit in report["audits"].items() if key not in TEXTS}
    small = {**{key: report[key] for key in TOP if key in report}, "audits": audits}
    if error := report.get("runtimeError"):
        small["runtimeError"] = {key: error[key] for key in ("code", "message")}  # not the stack
    return small


def _audit(audit: dict[str, Any]) -> dict[str, Any]:
    kept = {key: audit[key] for key in AUDIT if key in audit}
    details = {key: value for key, value in (audit.get("details") or {}).items() if key in {"type", "overallSavingsMs"}}
    if items := (audit.get("details") or {}).get("items"):
        details["items"] = items
    return {**kept, "details": details} if details else kept


if __name__ == "__main__":
    full, small = map(Path, sys.argv[1:3])
    text = json.dumps(trim(json.loads(full.read_text(encoding="utf-8"))), indent=1, sort_keys=True)
    small.write_text(f"{text}\n", encoding="utf-8")
