"""A profile's JSON file: written by `memgate profile -o`, read as the base of another."""

from pathlib import Path

from pytest_memgate import __version__
from pytest_memgate.baseline.batch import replace_text
from pytest_memgate.errors import RunFileError, UsageError
from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.environment import Environment
from pytest_memgate.model.profile import Profile
from pytest_memgate.tasks.run.json_file import json_text, read_json

FORMAT = 1  # the first


def write_profile(profile: Profile, path: Path) -> None:
    """Write a profile whole or not at all; raises UsageError if that fails."""
    data = {"profile": FORMAT, "memgate": __version__, **encode(profile)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json_text(data, separators=(",", ":")))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="give another path") from error


def read_profile(path: Path) -> Profile:
    """Read a profile; raises RunFileError for any other file."""
    hint = "name a file of: memgate profile -o"
    data = read_json(path, name=str(path), hint=hint)
    number = data.get("profile") if isinstance(data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise RunFileError(f"{path}: not a profile", hint=hint)
    if number > FORMAT:
        raise RunFileError(f"{path}: format {number} is newer than this memgate reads", hint="upgrade pytest-memgate")
    try:
        profile = decode(Profile, data)
        if not all(0 <= at < len(one.frames) for one in profile.tests for chain in one.chains for at in chain.frames):
            raise ValueError("a chain names a frame that is not there")  # noqa: TRY301
    except ValueError as error:
        raise RunFileError(f"{path}: {error}", hint="it was changed or cut short: make it anew") from error
    return profile


def check_environment(path: Path, there: Environment, here: Environment) -> None:
    """Raise RunFileError for a profile that was made in another environment."""
    what = f"{there.key} there and {here.key} here" if there.key != here.key else there.header.differences(here.header)
    if what:
        raise RunFileError(f"{path} is of another environment: {what}", hint="make it anew in this one")
