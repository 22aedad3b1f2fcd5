"""Where a value was measured: values from different environments are never compared."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """How the memory in a baseline file was measured; empty where a file holds none, as for the web."""

    allocator: str = ""
    memray: str = ""
    coverage: bool = False

    def differences(self, other: "Header") -> str:
        """Return what differs, as `memray '1.19' there and '1.20' here`; empty where nothing does."""
        mine, theirs = asdict(self), asdict(other)
        return ", ".join(
            f"{key} {_word(mine[key])} there and {_word(theirs[key])} here" for key in mine if mine[key] != theirs[key]
        )


def _word(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else repr(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The machine and interpreter (`key` names the baselines' folder) and how this run measures on it."""

    key: str
    header: Header
