"""The spec of one declared check, a frozen value; each field that memgate.yml can set says how it is read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from keyword import iskeyword
from typing import Any, ClassVar, TypeVar

from pytest_memgate.values import flag, one_of, shown, wait, words

_NAME = re.compile(r"[\w.-]+")
_SETTING = "memgate.yml"  # in the metadata of a field
TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}  # the JSON Schema of words


class Form(Enum):
    """What a setting is written as."""

    VALUE = "one value"
    LIST = "one value or a list of them"
    FREE = "any data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of a check in memgate.yml: how it is read, and its JSON Schema.

    `parse` takes plain data, of a list each item, and raises ValueError with what is wrong.
    """

    parse: Callable[[Any], Any]
    schema: Mapping[str, Any]
    form: Form = Form.VALUE
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is to be measured, by its name; `source` is where it is declared.

    A kind of check is a subclass, a frozen dataclass. `kind` names its tests (`bundle[app]`) and its marker
    (`memgate_bundle`); `section` is its key in memgate.yml. There it is a mapping of names to their settings or, where
    `item_schema` is given, a list of names.
    """

    kind: ClassVar[str]
    section: ClassVar[str]
    item_schema: ClassVar[Mapping[str, Any] | None] = None

    name: str
    source: str = ""

    @classmethod
    def why_no_name(cls, data: object) -> str:
        """Return why something cannot be the name of such a check, empty where it can."""
        if isinstance(data, str) and _NAME.fullmatch(data):
            return ""
        return f"not a name for a {cls.kind}: {data!r:.80} (letters, digits, dots, dashes)"

    def why_wrong(self) -> str:
        """Return why its settings do not fit together, empty where they do."""
        return ""


_C = TypeVar("_C", bound=Check)


def word(description: str, *, default: str | None = "") -> Any:
    """Return a field that is a text; without a default it has to be given."""
    return _field(Setting(parse=words, schema=_described(TEXT, description), required=default is None), default)


def several(description: str) -> Any:
    """Return a field that is one text or several: a tuple."""
    schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
    return _field(Setting(parse=words, schema=_described(schema, description), form=Form.LIST), ())


def lists(description: str) -> Any:
    """Return a field that is a mapping of names to one text or several: of tuples; it counts for no hash."""

    def parse(data: Any) -> Mapping[str, tuple[str, ...]]:
        if not isinstance(data, dict) or not all(data.values()):
            raise ValueError(f"a mapping of names to lists with names is expected, not {shown(data)}")
        return {str(name): tuple(map(words, of if isinstance(of, list) else [of])) for name, of in data.items()}

    schema = {"type": "object", "additionalProperties": {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}}
    setting = Setting(parse=parse, schema=_described(schema, description), form=Form.FREE)
    return field(default_factory=dict, hash=False, metadata={_SETTING: setting})


def choice(what: str, choices: tuple[str, ...], *, default: str) -> Any:
    """Return a field that is one of several words."""
    return _field(Setting(parse=one_of(what, choices), schema={"enum": list(choices)}), default)


def number(least: int, most: int, *, default: int) -> Any:
    """Return a field that is a whole number."""

    def parse(data: Any) -> int:
        if not isinstance(data, int) or not least <= data <= most:
            raise ValueError(f"a whole number from {least} to {most} is expected, not {data!r}")
        return data

    return _field(Setting(parse=parse, schema={"type": "integer", "minimum": least, "maximum": most}), default)


def switch() -> Any:
    """Return a field that is true or false, and false by default."""
    return _field(Setting(parse=flag, schema={"type": "boolean"}, form=Form.FREE), default=False)


def duration(description: str, *, default: float) -> Any:
    """Return a field that is a time to wait, in ms."""
    schema = _described({**TEXT, "examples": ["30s"]}, description)
    return _field(Setting(parse=wait, schema=schema), default)


def free_mapping(what: str, description: str) -> Any:
    """Return a field that is a mapping of any data, as another tool's settings are; it counts for no hash."""

    def parse(data: Any) -> Mapping[str, Any]:
        if not isinstance(data, dict):
            raise ValueError(f"a mapping with {what} is expected, not {shown(data)}")  # noqa: TRY004  # as of all
        return data

    setting = Setting(parse=parse, schema=_described({"type": "object"}, description), form=Form.FREE)
    return field(default_factory=dict, hash=False, metadata={_SETTING: setting})


def settings_in(kind: type[Check]) -> dict[str, Setting]:
    """Return the settings that a kind of check has in memgate.yml, in the order of its fields.

    A field whose name would be a keyword of Python ends with `_`, its key does not.
    """
    return {
        field.name.removesuffix("_"): field.metadata[_SETTING] for field in fields(kind) if _SETTING in field.metadata
    }


def of_settings(kind: type[_C], settings: Mapping[str, Any], **others: Any) -> _C:
    """Return a check with these settings, by the keys of memgate.yml."""
    return kind(**{f"{key}_" if iskeyword(key) else key: value for key, value in settings.items()}, **others)


def settings_of(check: Check) -> dict[str, str]:
    """Return what a check says otherwise than by default, in words, by key."""
    usual = {one.name: _default(one) for one in fields(check)}
    said = {name: getattr(check, name) for name in usual if name not in {"name", "source"}}
    given = {name.removesuffix("_"): value for name, value in said.items() if value != usual[name]}
    return {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in given.items()
    }


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _field(setting: Setting, default: Any) -> Any:
    metadata = {_SETTING: setting}
    return field(metadata=metadata) if default is None else field(default=default, metadata=metadata)


def _described(schema: Mapping[str, Any], description: str) -> Mapping[str, Any]:
    return {**schema, "description": description}
