"""The parts of a test file that decide which marks a test has: these must be the same on the base."""

import ast
from collections.abc import Iterator

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def deciding_text(text: str | None, name: str) -> str | None:
    """Return the decorators of a test and of its classes, `pytestmark`, and the statements that define their names.

    If the text is not Python, or does not define the test, all of it is returned.
    """
    try:
        module = ast.parse(text or "")
    except (SyntaxError, ValueError):
        return text
    chain = list(_chain(module, name.partition("[")[0].split("::")))
    if not chain or chain[-1] is None:
        return text
    deciding: list[ast.AST] = []
    for definition in chain:
        deciding += definition.decorator_list if definition else []
        if isinstance(definition, ast.ClassDef):
            deciding += [*definition.bases, *(part for part in definition.body if "pytestmark" in _stored(part))]
    names = {"pytestmark", *(name for node in deciding for name in _used(node))}
    for _ in range(2):  # a mark can be made of a constant
        statements = [one for one in module.body if not isinstance(one, _Definition) and _stored(one) & names]
        names |= {name for statement in statements for name in _used(statement)}
    return "\n".join(map(ast.dump, [*deciding, *statements]))


def _chain(module: ast.Module, names: list[str]) -> Iterator[_Definition | None]:
    """Yield the definitions that lead to a test, None if there is none of that name."""
    body = module.body
    for name in names:
        found = next((one for one in reversed(body) if isinstance(one, _Definition) and one.name == name), None)
        yield found
        if found is None:
            return
        body = found.body


def _used(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _stored(node: ast.AST) -> set[str]:
    """Return the names that a statement binds, or changes in place."""
    names = {one.asname or one.name.partition(".")[0] for one in ast.walk(node) if isinstance(one, ast.alias)}
    return names | {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
