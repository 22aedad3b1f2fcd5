"""Functions whose frames bear a mark, so that a stack shows that it passed there."""

from types import FunctionType
from typing import Any, cast


def marked(template: Any, file: str, name: str = "", **names: object) -> Any:
    """Return a copy of the function `template` with the file `file` in its frames, and called `name` if that is given.

    Its globals are `names`, and the name of its module, which code that walks a stack may ask each frame for.
    """
    function = cast("FunctionType", template)
    code = function.__code__.replace(co_filename=file, co_name=name or function.__name__)
    return FunctionType(code, {"__name__": function.__module__, **names})
