"""Where a value was measured: values from different environments are never compared."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """How the memory in a baseline file was measured; empty in a file without memory, as for the web."""

    allocator: str = ""
    memray: str = ""
    coverage: bool = False

    def differences(self, other: "Header") -> str:
        """Return the parts that differ, as `memray '1.19' there and '1.20' here`; empty if none does."""
        mine, theirs = self.parts(), other.parts()
        return ", ".join(
            f"{key} {quoted(mine[key])} there and {quoted(theirs[key])} here"
            for key in mine
            if mine[key] != theirs[key]
        )

    def parts(self) -> dict[str, str]:
        """Return each part as text: `{"allocator": "pymalloc, traced", "memray": "1.20", "coverage": "off"}`."""
        switch = {True: "on", False: "off"}
        return {key: switch[value] if isinstance(value, bool) else value for key, value in asdict(self).items()}


def quoted(part: str) -> str:
    """Return a part of a header for a sentence: in quotes, unless it is `on` or `off`."""
    return part if part in {"on", "off"} else repr(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The machine and interpreter (`key` names the baselines' folder) and how this run measures on it."""

    key: str
    header: Header
