"""Mistakes of the user and of the data: each is one line that says what, where and what next."""


class MemgateError(Exception):
    """A mistake of the user's, or of the data: shown as one line, without a traceback.

    `exit_code` is that of the `memgate` command: 2 usage or configuration, 3 no answer.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)


class ConfigError(MemgateError):
    """A key or value in memgate.yml, pyproject.toml, a marker or an option that has no meaning."""


class UsageError(MemgateError):
    """Options that do not fit together, or that name something that does not exist."""


class BaselineError(MemgateError):
    """A baseline file that cannot be read or must not be written."""

    exit_code = 3


class RunFileError(MemgateError):
    """A run's JSON file that cannot be read."""

    exit_code = 3


class HistoryError(MemgateError):
    """A history, a run for it or a store that cannot be read or written."""

    exit_code = 3


class MeasureError(MemgateError):
    """A bundle, a page or a tool that gives no number."""

    exit_code = 3


class CaptureError(MeasureError):
    """A trace that could not be started, or a capture that cannot be read: the machine's fault, not a test's."""
