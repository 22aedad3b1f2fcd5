"""memray's message about greenlet, which belongs on nobody's screen and in no test's output."""

import memray._memray

_WARNING = "print_greenlet_warning"


def be_quiet() -> None:
    """Keep memray from announcing, once a process, that its support for greenlet is experimental.

    It prints with `rich`, to the standard error of whichever test is traced when greenlet is first there: the test's
    `capsys` would see it, and megabytes that `rich` loads for its symbols would count as the test's.
    """
    if hasattr(memray._memray, _WARNING):  # noqa: SLF001  # it has no switch; not in every release
        setattr(memray._memray, _WARNING, _say_nothing)  # noqa: SLF001


def _say_nothing() -> None: ...
