"""What docs/architecture.md names is there: files, functions, folders and layers."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_memgate"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILES = sorted({path for path in re.findall(r"[\w/]+\.py\b", PAGE) if "/" in path})
NAMED = sorted(set(re.findall(r"([\w/]+\.py):\s+([A-Za-z_]\w*(?:\.\w+)?(?:, [A-Z]\w*)*)", PAGE)))


@cache
def definitions(path: str) -> frozenset[str]:
    """The functions and classes of a module, methods and attributes as `Class.name`."""
    names: set[str] = set()
    for node in ast.parse((PACKAGE / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {f"{node.name}.{part.name}" for part in inner}
    return frozenset(names)


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_the_page_names_is_there(path: str) -> None:
    assert (PACKAGE / path).is_file() or (ROOT / path).is_file()


@pytest.mark.parametrize(("path", "names"), NAMED)
def test_a_function_that_the_page_names_is_there(path: str, names: str) -> None:
    assert set(names.split(", ")) <= definitions(path)


def test_the_page_names_functions_of_the_whole_way() -> None:
    assert len(NAMED) > 80


def test_every_folder_is_on_the_map() -> None:
    folders = {path.relative_to(PACKAGE).as_posix() + "/" for path in PACKAGE.rglob("*") if path.is_dir()}
    there = {folder for folder in folders if "__pycache__" not in folder}
    assert set(re.findall(r"^\| `([a-z_/]+/)` \|", PAGE, re.MULTILINE)) == there


def test_the_layers_are_those_that_lint_imports_checks() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    layers = [set(re.findall(r"pytest_memgate\.(\w+)", line)) for line in contract["layers"]]
    table = PAGE.partition("| layer |")[2].partition("\n\n")[0].splitlines()[2:]
    assert [set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in table] == layers
