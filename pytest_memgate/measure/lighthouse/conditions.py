"""The conditions that must be equal for two page loads to be comparable, from the report itself."""

import math
import re
from collections.abc import Mapping
from typing import Any

# Lighthouse's own, the same from version 6 to 13: round trip (ms), throughput (Kbit/s), processor slowdown.
# ms of round trip, Kbps, slowdown of the processor: Lighthouse's constants (core/config/constants.js)
_THROTTLING = {"mobile": (150, 1638.4, 4), "desktop": (40, 10240, 1)}
# Chrome's own throttling is coarser, so Lighthouse gives it adjusted numbers, under other names.
_THROTTLING_KEYS = {
    "simulate": (("rttMs", "throughputKbps", "cpuSlowdownMultiplier"), (1, 1, 1)),
    "devtools": (("requestLatencyMs", "downloadThroughputKbps", "cpuSlowdownMultiplier"), (3.75, 0.9, 1)),
}
_SCREEN = {"mobile": (412, 823, 1.75), "desktop": (1350, 940, 1)}
_QUIET_MS = {True: 1000, False: 5250}
_WAITS = {"maxWaitForLoad": 45_000, "maxWaitForFcp": 30_000}
_QUIET = ("pauseAfterFcpMs", "pauseAfterLoadMs", "networkQuietThresholdMs", "cpuQuietThresholdMs")


def read_conditions(lhr: Mapping[str, Any]) -> dict[str, str]:
    """Return the major versions, the throttling and the form factor, and `settings` if any others were chosen.

    `settings` is one short line of the settings that change a load; of headers it has only the names, as they may hold
    secrets.
    """
    settings = lhr.get("configSettings") or {}
    environment = lhr.get("environment") or {}
    browser = str(environment.get("hostUserAgent") or lhr.get("userAgent") or "")
    chrome = re.search(r"Chrome/(\d+)", browser)
    conditions = {
        "lighthouse": str(lhr.get("lighthouseVersion", "")).partition(".")[0],
        "chrome": chrome.group(1) if chrome else "",
        "throttling": str(settings.get("throttlingMethod", "")),
        "form factor": str(settings.get("formFactor", "")),
    }
    chosen = "; ".join(_chosen(settings))
    return {**conditions, "settings": chosen} if chosen else conditions


def _chosen(settings: Mapping[str, Any]) -> list[str]:
    """Return the settings that differ from Lighthouse's defaults for the form factor."""
    form, method = str(settings.get("formFactor", "")), settings.get("throttlingMethod")
    found = []
    if method != "provided" and (text := _throttling(settings.get("throttling") or {}, form, str(method))):
        found.append(text)
    screen = settings.get("screenEmulation") or {}
    size = (screen.get("width"), screen.get("height"), screen.get("deviceScaleFactor"))
    if screen.get("disabled"):
        found.append("screen of the browser")
    elif screen and size != _SCREEN.get(form):
        found.append(f"screen {size[0]}x{size[1]}@{size[2]}")
    quiet = _QUIET_MS[method == "simulate"]
    found += [f"{key} {settings[key]}" for key in _QUIET if settings.get(key, quiet) != quiet]
    found += [f"{key} {settings[key]}" for key, usual in _WAITS.items() if settings.get(key, usual) != usual]
    if settings.get("emulatedUserAgent") is False:
        found.append("user agent of the browser")
    if settings.get("disableStorageReset"):
        found.append("storage kept")
    if blocked := settings.get("blockedUrlPatterns"):
        found.append(f"blocked {' '.join(sorted(map(str, blocked)))}")
    if headers := settings.get("extraHeaders"):
        found.append(f"headers {' '.join(sorted(headers)) if isinstance(headers, Mapping) else 'set'}")
    return found


def _throttling(throttling: Mapping[str, Any], form: str, method: str) -> str:
    if not throttling or form not in _THROTTLING:
        return ""
    keys, factors = _THROTTLING_KEYS["devtools" if method == "devtools" else "simulate"]
    given = [float(throttling.get(key) or 0) for key in keys]
    usual = [amount * factor for amount, factor in zip(_THROTTLING[form], factors, strict=True)]
    if all(math.isclose(a, b, rel_tol=0.01) for a, b in zip(given, usual, strict=True)):
        return ""
    if method == "devtools" and form == "desktop" and given[:2] == [0, 0]:  # then Chrome's own is off
        return ""
    return f"latency {given[0]:g} ms, {given[1]:g} Kbit/s, processor 1/{given[2]:g}"
