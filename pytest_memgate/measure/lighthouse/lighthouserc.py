"""A project's configuration of Lighthouse CI, read like our own: a key is used, or refused with its file."""

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pytest_memgate.errors import MeasureError
from pytest_memgate.measure.process.workspace import Done, Workspace
from pytest_memgate.values import unknown

# Of ci.collect, how a page is loaded.
_USED = ("settings", "puppeteerScript", "puppeteerLaunchOptions", "headful", "chromePath")
# What is loaded, and how often, a page of memgate.yml says itself, by these keys.
_OF_THE_PAGE = {
    "url": "url",
    "staticDistDir": "serve",
    "isSinglePageApplication": "single_page_app",
    "numberOfRuns": "runs",
    "startServerCommand": "start",
    "startServerReadyPattern": "ready",
    "startServerReadyTimeout": "ready",
}
# Lighthouse CI's other options of `lhci collect`, which nothing here is like (0.15: src/collect/collect.js).
_WITHOUT_MEANING = (
    "additive",
    "autodiscoverUrlBlocklist",
    "maxAutodiscoverUrls",
    "method",
    "psiApiEndpoint",
    "psiApiKey",
    "psiCategories",
    "psiStrategy",
    "staticDirFileDiscoveryDepth",
)
_TOP = ("ci", "lhci", "ci:client", "ci:server")  # lhci takes all of them
_ELSEWHERE = ("server", "upload", "wizard")  # of its own store, which has no part in a load
_SECTIONS = ("assert", "collect", "extends", *_ELSEWHERE)
PATHS = ("configPath", "budgetPath", "budgetsPath", "precomputedLanternDataPath", "extraHeaders")
SCRIPTS = (".js", ".cjs", ".mjs")

_ERROR = re.compile(r"\w*Error( \[\w+\])?: ")
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_LAST_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')

# Writes what a module exports, or the first value in it that is no data, with its key.
_EXPORTED = """
const refuse = (value, key) => {
  if (value === null || typeof value !== "object") {
    return ["function", "symbol", "bigint"].includes(typeof value) ? `${key} is a ${typeof value}` : "";
  }
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== "Object" && kind !== "Array" && kind !== "Module") return `${key} is a ${kind}`;
  for (const [name, item] of Object.entries(value)) {
    const found = refuse(item, key === "the export" ? name : `${key}.${name}`);
    if (found) return found;
  }
  return "";
};
const [path, target] = process.argv.slice(1);
(async () => {
  const module = await import(require("url").pathToFileURL(path));
  let value = await (module.default ?? module);
  if (value && value.__esModule) value = await value.default;
  const refused = refuse(value, "the export");
  require("fs").writeFileSync(target, JSON.stringify(refused ? {refused} : {value: value ?? null}));
})();
"""
_RESOLVED = "process.stdout.write(require.resolve(process.argv[1], {paths: [process.argv[2]]}))"


def read_lighthouserc(path: Path, node: str, workspace: Workspace) -> dict[str, Any]:
    """Return of a lighthouserc's `ci.collect` how a page is loaded; raises MeasureError as `read_ci` does.

    Another key of it is refused: nobody shall think that it holds here.
    """
    ci = read_ci(path, node, workspace)
    if "assert" in ci:
        raise _unused(path, "ci.assert", "`budgets`")
    collect: dict[str, Any] = ci.get("collect", {})
    for key in collect:
        if key not in _USED:
            said = _OF_THE_PAGE.get(key)
            raise _unused(path, f"ci.collect.{key}", f"the page's `{said}`" if said else "")
    return collect


def read_ci(path: Path, node: str, workspace: Workspace, *, extending: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return `ci` of a lighthouserc, put together with what it extends, its own paths made absolute from its folder.

    Raises MeasureError if the file cannot be read or is none, or has a key that Lighthouse CI does not know.
    """
    if path.resolve() in extending:
        raise MeasureError(f"{path} extends itself", hint="correct `extends`")
    ci = _sections(path, as_mapping(_load(path, node, workspace), str(path)))
    collect = as_mapping(ci.get("collect"), f"{path}: ci.collect")
    _check(path, "ci.collect.", collect, (*_USED, *_OF_THE_PAGE, *_WITHOUT_MEANING))
    as_mapping(ci.get("assert"), f"{path}: ci.assert")
    if "collect" in ci:
        ci["collect"] = _with_paths(path, collect)
    extended = ci.pop("extends", None)
    if extended is None:
        return ci
    base = _extended(path, extended, node, workspace)
    return _merged(read_ci(base, node, workspace, extending=(*extending, path.resolve())), ci)


def as_mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return a mapping, an empty one for None; raises MeasureError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise MeasureError(f"{name} must be a mapping, not {type(value).__name__}", hint="correct the file")
    return value


def _sections(path: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    _check(path, "", document, _TOP)
    if not document.keys() & set(_TOP):
        raise MeasureError(f"{path}: 'ci' is missing", hint="Lighthouse CI's keys stand below it")
    ci: dict[str, Any] = {}
    for top in _TOP[:3]:
        ci |= as_mapping(document.get(top), f"{path}: {top}")
    _check(path, "ci.", ci, _SECTIONS)
    return {key: value for key, value in ci.items() if key not in _ELSEWHERE and value is not None}


def _with_paths(path: Path, collect: Mapping[str, Any]) -> dict[str, Any]:
    """Return `ci.collect` with absolute paths; raises MeasureError for a file that is not there."""
    kept = {key: value for key, value in collect.items() if value is not None}
    for key in ("puppeteerScript", "chromePath"):
        if key in kept:
            kept[key] = _existing(path.parent / str(kept[key]), f"{path}: {key}")
    settings = dict(as_mapping(kept.get("settings"), f"{path}: ci.collect.settings"))
    for key in PATHS:
        if isinstance(settings.get(key), str) and not settings[key].lstrip().startswith("{"):
            settings[key] = _existing(path.parent / settings[key], f"{path}: settings.{key}")
    return {**kept, "settings": settings} if "settings" in kept else kept


def _extended(path: Path, name: object, node: str, workspace: Workspace) -> Path:
    """Return the file that a lighthouserc extends: a path from its folder, or a package."""
    if not isinstance(name, str):
        raise MeasureError(f"{path}: ci.extends must be a path, not {type(name).__name__}", hint="correct the file")
    if (path.parent / name).is_file() or name.startswith((".", "/")):
        return path.parent / name
    done = _asked(path, (node, "-e", _RESOLVED, name, str(path.absolute().parent)), workspace, workspace.place())
    if done.code != 0:
        raise MeasureError(f"{path}: ci.extends: there is no file or package {name}", hint="install it")
    return Path(done.out.strip())


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return two mappings in one, as Lighthouse CI does it: mappings are merged, of other values the own one counts."""
    both = {
        key: _merged(base[key], own[key])
        for key in base.keys() & own.keys()
        if isinstance(base[key], Mapping) and isinstance(own[key], Mapping)
    }
    return {**base, **own, **both}


def _load(path: Path, node: str, workspace: Workspace) -> object:
    try:
        if path.suffix in SCRIPTS:
            path.stat()
            return _load_script(path, node, workspace)
        text = path.read_text(encoding="utf-8")
        document: object = yaml.safe_load(text) if path.suffix in {".yml", ".yaml"} else _json(text)
    except OSError as error:
        raise MeasureError(f"{path}: {error.strerror}", hint="check `lighthouserc`") from error
    except (ValueError, yaml.YAMLError) as error:
        raise MeasureError(f"{path}: {' '.join(str(error).split())}", hint="correct the file") from error
    return document


def _json(text: str) -> object:
    """Return the data of JSON, which may have comments and last commas."""
    for pattern in (_COMMENT, _LAST_COMMA):
        # Of what is left out its line ends stay, so that an error has the right line.
        text = pattern.sub(lambda found: found.group(1) or "\n" * found.group().count("\n"), text)
    return json.loads(text)


def _load_script(path: Path, node: str, workspace: Workspace) -> object:
    """Return the data that a module exports, CommonJS or not, as Lighthouse CI would see it."""
    folder = workspace.place()
    target = folder / "exported.json"
    done = _asked(path, (node, "-e", _EXPORTED, str(path.absolute()), str(target)), workspace, folder)
    if done.code != 0 or not target.exists():
        said = next((line for line in done.out.splitlines() if _ERROR.match(line)), f"exit code {done.code}")
        raise MeasureError(f"{path}: node cannot load it: {said.strip()}", hint="correct the file")
    exported = json.loads(target.read_text(encoding="utf-8"))
    if refused := exported.get("refused"):
        raise MeasureError(f"{path}: {refused}, which is no data", hint="export what it stands for")
    return exported["value"]


def _asked(path: Path, command: tuple[str, ...], workspace: Workspace, folder: Path) -> Done:
    if not shutil.which(command[0]):
        raise MeasureError(f"{path}: it takes node to read it, which is not on PATH", hint="install Node.js")
    return workspace.run(command, folder, timeout_seconds=60)


def _check(path: Path, where: str, given: Iterable[str], known: Iterable[str]) -> None:
    for key in given:
        if key not in known:
            raise MeasureError(f"{path}: {unknown('key', where + str(key), [where + one for one in known])}")


def _unused(path: Path, key: str, instead: str) -> MeasureError:
    hint = f"say it by {instead}: memgate init --from {path.name} writes it so" if instead else "take it out"
    return MeasureError(f"{path}: {key} is not used here", hint=hint)


def _existing(path: Path, name: str) -> str:
    if not path.exists():
        raise MeasureError(f"{name}: there is no {path}", hint="paths are relative to the lighthouserc")
    return str(path.resolve())
