"""Which tests a pattern names."""

import re
from functools import lru_cache

from pytest_memgate.model.subject import Subject

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|.", re.DOTALL)
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "?": "[^/]"}


def matches(pattern: str, subject: Subject) -> bool:
    """True if `pattern` names `subject`.

    `tests/etl/**` means every file below that folder, and so does `tests/etl`. `tests/*.py` stays in one folder.
    `tests/test_x.py::test_y*` also compares the test's name. Brackets are literal, as in `test_y[1-2]`.
    """
    file, has_name, name = pattern.partition("::")
    if has_name:
        return bool(
            _compiled(file, path=True).fullmatch(subject.file) and _compiled(name, path=False).fullmatch(subject.name)
        )
    return bool(_compiled(file, path=True).match(subject.file))


@lru_cache(maxsize=1024)
def _compiled(pattern: str, *, path: bool) -> re.Pattern[str]:
    meaning = {**_MEANING, "*": "[^/]*" if path else ".*"}
    text = "".join(meaning.get(part, re.escape(part)) for part in _PARTS.findall(pattern.rstrip("/")))
    return re.compile(rf"{text}(?=/|\Z)" if path else text, re.DOTALL)
