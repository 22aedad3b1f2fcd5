"""The checks that a configuration declares: bundles, pages and imports, each a test of its own.

A field of a check that can be set in memgate.yml says so itself: how its value is read, and its JSON Schema.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from pytest_memgate.config.located import Located
from pytest_memgate.config.reading import TEXT, Key, fail, flag, free, one_of, parsed, shown, texts, wait, words
from pytest_memgate.measure.lighthouse.page import FORM_FACTORS, THROTTLINGS, Page

_KEY = "memgate.yml"  # in the metadata of a field: marks it as a key of memgate.yml
_MOST_RUNS = 50  # loads of one page; chosen
_LIST = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
_DURATION = {**TEXT, "examples": ["30s"]}


def _key(read: Callable[[Located], Any], schema: Mapping[str, Any], description: str = "") -> dict[str, Key]:
    """Return the metadata of a field that is a key of memgate.yml."""
    return {_KEY: Key(read=read, schema={**schema, "description": description} if description else schema)}


def _word(description: str) -> dict[str, Key]:
    return _key(parsed(words), TEXT, description)


def _list(description: str) -> dict[str, Key]:
    return _key(texts, _LIST, description)


def _choice(what: str, choices: tuple[str, ...]) -> dict[str, Key]:
    return _key(parsed(one_of(what, choices)), {"enum": list(choices)})


def _runs(data: Any) -> int:
    if not isinstance(data, int) or not 1 <= data <= _MOST_RUNS:
        raise ValueError(f"a whole number from 1 to {_MOST_RUNS} is expected, not {data!r}")
    return data


def _settings(value: Located) -> Mapping[str, Any]:
    if not isinstance(value.data, dict):
        raise fail(value, f"a mapping with Lighthouse's settings is expected, not {shown(value)}")
    return dict(free(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleCheck:
    """The output of a bundler, below the project's root: its `stats` file, or plain `files` (and `lazy` ones) by glob.

    `root` is the folder of the output files, `entries` are patterns of the entries that count, `source` is the place of
    the declaration.
    """

    kind: ClassVar[str] = "bundle"
    name: str
    stats: str = field(default="", metadata=_word("webpack's stats, Vite's manifest, esbuild's metafile."))
    files: tuple[str, ...] = field(
        default=(), metadata=_list("Without a stats file: the first screen's files, by glob.")
    )
    lazy: tuple[str, ...] = field(default=(), metadata=_list("With `files`: what is loaded later, by glob."))
    root: str = field(default="", metadata=_word("Where the output files lie."))
    entries: tuple[str, ...] = field(default=(), metadata=_list("Patterns of the entries that count; all by default."))
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCheck:
    """A page: of a static folder (`serve`), at a running `url`, or at the `url` of a server that `start` starts.

    `runs` is the number of loads if the verdict needs them all. Durations are in ms.
    """

    kind: ClassVar[str] = "page"
    name: str
    url: str = field(default="", metadata=_word("A running page, or the one that `start` serves."))
    serve: str = field(default="", metadata=_word("A static folder."))
    path: str = field(default="/", metadata=_word("Below `serve`."))
    start: str = field(default="", metadata=_word("A command that serves `url`; {port} is a free one."))
    runs: int = field(default=5, metadata=_key(parsed(_runs), {"type": "integer", "minimum": 1, "maximum": _MOST_RUNS}))
    form_factor: str = field(default="mobile", metadata=_choice("form factor", FORM_FACTORS))
    throttling: str = field(default="simulate", metadata=_choice("throttling", THROTTLINGS))
    settings: Mapping[str, Any] = field(
        default_factory=dict, metadata=_key(_settings, {"type": "object"}, "Lighthouse's own settings.")
    )
    lighthouserc: str = field(default="", metadata=_word("A file whose ci.collect is used."))
    single_page_app: bool = field(default=False, metadata=_key(flag, {"type": "boolean"}))
    ready: float = field(default=30_000, metadata=_key(parsed(wait), _DURATION, "How long `start` may take."))
    timeout: float = field(default=180_000, metadata=_key(parsed(wait), _DURATION, "How long one load may take."))
    source: str = ""

    def page(self, root: Path) -> Page:
        """Return the page to load for the project at `root`; raises ConfigError for contradicting settings."""
        return Page(
            url=self.url,
            serve=root / self.serve if self.serve else None,
            path=self.path,
            start=self.start,
            ready_seconds=self.ready / 1000,
            form_factor=self.form_factor,
            throttling=self.throttling,
            settings=self.settings,
            lighthouserc=root / self.lighthouserc if self.lighthouserc else None,
            timeout_seconds=self.timeout / 1000,
            single_page_app=self.single_page_app,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCheck:
    """A module to import in an interpreter of its own, as an import statement names it."""

    kind: ClassVar[str] = "import"
    name: str
    source: str = ""


Check = BundleCheck | PageCheck | ImportCheck


def keys_of(check: type[Check]) -> dict[str, Key]:
    """Return the keys that a kind of check has in memgate.yml, in the order of its fields."""
    return {field.name: field.metadata[_KEY] for field in fields(check) if _KEY in field.metadata}


def settings_of(check: Check) -> dict[str, str]:
    """Return the settings of a check that are not the default, in words, by key."""
    settings = {
        field.name: getattr(check, field.name) for field in fields(check) if field.name not in {"name", "source"}
    }
    given = {name: value for name, value in settings.items() if value != getattr(type(check)(name=""), name)}
    return {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in given.items()
    }
