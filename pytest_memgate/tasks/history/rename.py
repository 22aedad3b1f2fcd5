"""`memgate history rename`: an old name and the new one into the configuration, whose other lines stay as they are."""

import difflib
import json
import re
from pathlib import Path

from pytest_memgate.baseline.batch import replace_text
from pytest_memgate.baseline.source import WorkTree
from pytest_memgate.config.located import from_toml, from_yaml
from pytest_memgate.config.schema import Settings, read_settings, why_no_rename
from pytest_memgate.config.sources import FILE, load_settings
from pytest_memgate.errors import ConfigError, UsageError
from pytest_memgate.history.read import read_past
from pytest_memgate.model.history import Past
from pytest_memgate.tasks.history.opened import Opened
from pytest_memgate.values import shown

_PYPROJECT = "pyproject.toml"
_KEY = re.compile(r"""^(?:renamed|"renamed"|'renamed')\s*:\s*(?P<value>[^#]*?)\s*(?:#.*)?$""")
_TABLE = re.compile(r"^\s*\[\s*tool\s*\.\s*memgate\s*\.\s*renamed\s*\]\s*(?:#.*)?$")
_BOUNDARIES = ("/", "::", "[")


def rename(opened: Opened, old: str, new: str) -> str:
    """Write that a test, a file or a folder has a new name; return what was done in words.

    Raises UsageError for names that do not fit together or are not in the history, and for a file that has to be
    changed by hand.
    """
    old, new = old.rstrip("/"), new.rstrip("/")
    if why := why_no_rename(old, new):
        what, _, hint = why.partition(": ")
        raise UsageError(what, hint=hint)
    settings = load_settings(WorkTree(opened.root))
    file = settings.file or FILE
    if settings.renamed.get(old) == new:
        return f"{file} says so already"
    _check(settings, old, new)
    _check_known(read_past(opened.store, (opened.branch, opened.line)), settings, old)
    _write(opened.root / file, settings, old, new)
    return f"wrote {file}: commit it, so that everybody's history follows"


def _check(settings: Settings, old: str, new: str) -> None:
    if old in settings.renamed:
        has = f"{old} has become {settings.renamed[old]} in {settings.file}"
        raise UsageError(has, hint=f"rename that one: memgate history rename {settings.renamed[old]} {new}")
    name, seen = new, {old}
    while name in settings.renamed:
        name = settings.renamed[name]
        if name in seen:
            raise UsageError(f"{new} has become {old} in {settings.file}", hint="remove that line instead")
        seen.add(name)


def _check_known(past: Past, settings: Settings, old: str) -> None:
    """Raise UsageError if nothing is stored under a name, nor under one that has become it."""
    names = {str(chart.series.subject) for chart in past.charts} | set(settings.renamed.values())
    starts = tuple(f"{old}{mark}" for mark in _BOUNDARIES)
    if old in names or any(name.startswith(starts) for name in names):
        return
    files = {name.partition("::")[0] for name in names}
    near = difflib.get_close_matches(old, sorted(names | files), n=1, cutoff=0.5)
    hint = f"did you mean {shown(near[0])}?" if near else "memgate history show lists what there is"
    raise UsageError(f"the history has nothing under {shown(old)}", hint=hint)


def _write(path: Path, settings: Settings, old: str, new: str) -> None:
    text = path.read_bytes().decode() if path.exists() else ""
    is_toml = path.name == _PYPROJECT
    changed = with_toml_line(text, old, new) if is_toml else with_yaml_line(text, old, new)
    wanted = {**settings.renamed, old: new}
    if changed is None or not _says(changed, path.name, wanted, is_toml=is_toml):
        line = f"renamed: {{{json.dumps(old)}: {json.dumps(new)}}}"
        raise UsageError(f"{path.name} is written in a way of its own", hint=f"add this by hand: {line}")
    try:
        replace_text(path, changed)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="nothing was written") from error


def _says(text: str, file: str, wanted: dict[str, str], *, is_toml: bool) -> bool:
    """True if a changed text can be read, and has these renames."""
    try:
        located = from_toml(text, file, ("tool", "memgate")) if is_toml else from_yaml(text, file)
        return located is not None and read_settings(located).renamed == wanted
    except ConfigError:
        return False


def with_yaml_line(text: str, old: str, new: str) -> str | None:
    """Return a YAML text with one more entry below `renamed:`, None if that is written within braces."""
    entry = f"{json.dumps(old, ensure_ascii=False)}: {json.dumps(new, ensure_ascii=False)}"
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    at = next((number for number, line in enumerate(lines) if _KEY.match(line.rstrip("\r\n"))), None)
    if at is None:
        return f"{_ended(text, end)}{end if text.strip() else ''}renamed:{end}  {entry}{end}"
    found = _KEY.match(lines[at].rstrip("\r\n"))
    if found is None or found["value"] not in {"", "{}", "~", "null"}:
        return None
    if found["value"]:
        lines[at] = lines[at][: found.start("value")].rstrip() + lines[at][found.end("value") :]
    last, indent = _block(lines, at)
    lines[last] = _ended(lines[last], end)
    lines.insert(last + 1, f"{indent}{entry}{end}")
    return "".join(lines)


def _block(lines: list[str], at: int) -> tuple[int, str]:
    """Return the last line of the entries below a key, and how they are indented."""
    last, indent = at, "  "
    for number in range(at + 1, len(lines)):
        line = lines[number]
        if line.strip() and not line.lstrip().startswith("#"):
            if not line[0].isspace():
                break
            if last == at:
                indent = line[: len(line) - len(line.lstrip())]
            last = number
    return last, indent


def with_toml_line(text: str, old: str, new: str) -> str:
    """Return a TOML text with one more entry in the table `[tool.memgate.renamed]`."""
    entry = f"{json.dumps(old, ensure_ascii=False)} = {json.dumps(new, ensure_ascii=False)}"
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    at = next((number for number, line in enumerate(lines) if _TABLE.match(line)), None)
    if at is None:
        return f"{_ended(text, end)}{end}[tool.memgate.renamed]{end}{entry}{end}"
    last = at
    for number in range(at + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if lines[number].strip():
            last = number
    lines[last] = _ended(lines[last], end)
    lines.insert(last + 1, f"{entry}{end}")
    return "".join(lines)


def _ended(text: str, end: str) -> str:
    return text if not text or text.endswith("\n") else text + end
