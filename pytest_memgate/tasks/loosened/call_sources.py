"""The files that decide the budgets in a test's calls: its own, and those that the values are imported from."""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

_CALLS = {"record", "bundle", "lighthouse", "leak"}
_BUDGETS = {"growth", "limit", "drift", "budgets"}


class CallSources:
    """Follows the names in budgets of calls through the imports of a project's `files`."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = [path for path in files if path.suffix == ".py"]

    def of(self, path: Path, telling: Callable[[ast.Call], Iterator[ast.AST]]) -> set[Path]:
        """Return the files that decide the parts of calls that `telling` yields, starting with `path` itself."""
        tree = _tree(path)
        found = {path}
        waiting = list(self._imported(tree, _names_told(tree, telling)))
        while waiting:
            module = waiting.pop()
            if module not in found:
                found.add(module)
                waiting += self._imported(_tree(module), None)
        return found

    def _imported(self, tree: ast.Module, names: set[str] | None) -> Iterator[Path]:
        """Yield the files that names are imported from, or all imports if no names are given."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = getattr(node, "module", None) or ""
                for alias in node.names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    if names is None or bound in names or alias.name == "*":
                        yield from self._modules(module, alias.name)

    def _modules(self, module: str, name: str) -> Iterator[Path]:
        """Yield the files that `from module import name`, or `import name`, can mean."""
        whole = ".".join(filter(None, (module, name)))
        wanted = [tuple(one.split(".")) for one in {module, whole} if one and "*" not in one]
        for path in self._files:
            parts = path.parent.parts if path.name == "__init__.py" else path.with_suffix("").parts
            if any(parts[-len(one) :] == one for one in wanted):
                yield path


@lru_cache(maxsize=256)
def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def _names_told(tree: ast.Module, telling: Callable[[ast.Call], Iterator[ast.AST]]) -> set[str]:
    """Return the names in those parts of calls, and the names that define them in the same file."""
    nodes = list(ast.walk(tree))
    names = {name for one in nodes if isinstance(one, ast.Call) for part in telling(one) for name in _names(part)}
    assigned = [one for one in nodes if isinstance(one, ast.Assign | ast.AnnAssign | ast.FunctionDef)]
    while True:
        more = {name for one in assigned if names & set(_bound(one)) for name in _names(one)} - names
        if not more:
            return names
        names |= more


def budgets(call: ast.Call) -> Iterator[ast.AST]:
    """Yield the budgets of a call of the fixture, as in `memgate.record("rows", 9, limit=MOST)`."""
    if getattr(call.func, "attr", "") in _CALLS:
        yield from (key for key in call.keywords if key.arg in {*_BUDGETS, None})


def handed_on(call: ast.Call) -> Iterator[ast.AST]:
    """Yield a call that gets the fixture as an argument, as in `check(memgate, MOST)`."""
    if any("memgate" in _names(argument) for argument in (*call.args, *call.keywords)):
        yield call


def _bound(node: ast.Assign | ast.AnnAssign | ast.FunctionDef) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        yield node.name
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        yield from _names(target)


def _names(node: ast.AST) -> Iterator[str]:
    return (one.id for one in ast.walk(node) if isinstance(one, ast.Name))
