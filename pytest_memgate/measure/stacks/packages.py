"""The installed compiled packages that a piece of the project's code calls.

Compiled code has no Python frame: its memory is counted for the line that called it. The names on this line tell whose
code it was.
"""

import ast
import importlib.metadata
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

from pytest_memgate.measure.stacks.source_paths import Places


def packages_used(file: Path, line: int, places: Places) -> tuple[str, ...]:
    """Return the packages, as `numpy 2.1.0`, that a line refers to, or else those that its function refers to."""
    module = next((m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == str(file)), None)
    if module is None:
        return ()
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ()
    scope = _function_at(tree, line)
    here = [node for node in ast.walk(scope) if getattr(node, "lineno", 0) <= line <= getattr(node, "end_lineno", 0)]
    statement = [node for node in here if node is not scope and not isinstance(node, (ast.For, ast.While, ast.With))]
    return _installed(statement, module, places) or _installed(list(ast.walk(scope)), module, places)


def _function_at(tree: ast.Module, line: int) -> ast.AST:
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return max(around, key=lambda node: node.lineno, default=tree)


def _installed(nodes: list[ast.AST], module: ModuleType, places: Places) -> tuple[str, ...]:
    packages = dict.fromkeys(name.partition(".")[0] for node in nodes for name in _modules(node, module))
    return tuple(
        f"{package} {version}".strip()
        for package in packages
        if (file := getattr(sys.modules.get(package), "__file__", None)) and places.is_installed(file)
        if _is_compiled(package)
        for version in (version_of(package),)
        if version
    )


def _modules(node: ast.AST, module: ModuleType) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and not node.level else []
    if isinstance(node, ast.Name):
        value = vars(module).get(node.id)
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        return [name] if isinstance(name, str) else []
    return []


def _is_compiled(package: str) -> bool:
    """True if a package has loaded compiled code: plain Python has call sites of its own."""
    files = (
        getattr(module, "__file__", None)
        for name, module in list(sys.modules.items())
        if name == package or name.startswith(f"{package}.")
    )
    return any(file and file.endswith(tuple(EXTENSION_SUFFIXES)) for file in files)


def version_of(package: str) -> str:
    """Return the version of the distribution that brings `package`, empty for the standard library."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(package, [])
        return importlib.metadata.version(names[0]) if names else ""
