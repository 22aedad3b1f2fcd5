"""The seal of the action's own environment: every change of a file in it is seen."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_memgate.github.start import seal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "lib" / "click").mkdir(parents=True)
    (folder / "lib" / "click" / "__init__.py").write_text("version = 8\n")
    (folder / "lib" / "yaml.py").write_text("")
    (folder / "environment.json").write_text("{}")
    return folder


def test_what_is_left_alone_keeps_its_seal(folder: Path) -> None:
    before = seal(folder)
    (folder / "lib" / "yaml.py").touch()
    assert seal(folder) == before


def change_a_file(lib: Path) -> None:
    (lib / "click" / "__init__.py").write_text("version = 9\n")


def add_a_module(lib: Path) -> None:
    (lib / "click" / "json.py").write_text("")


def add_compiled_code(lib: Path) -> None:
    (lib / "__pycache__").mkdir()
    (lib / "__pycache__" / "yaml.cpython-311.pyc").write_bytes(b"")


def add_a_link_to_a_package(lib: Path) -> None:
    (lib / "jinja2").symlink_to(lib.parents[1])


def put_a_link_in_place_of_a_file(lib: Path) -> None:
    (lib / "click" / "__init__.py").rename(lib.parents[1] / "same.py")
    (lib / "click" / "__init__.py").symlink_to(lib.parents[1] / "same.py")


def put_a_pipe_in_place_of_a_file(lib: Path) -> None:
    (lib / "yaml.py").unlink()
    os.mkfifo(lib / "yaml.py")


def take_a_file_away(lib: Path) -> None:
    (lib / "yaml.py").unlink()


def rename_a_file(lib: Path) -> None:
    (lib / "yaml.py").rename(lib / "yaml2.py")


def change_a_variable(lib: Path) -> None:
    (lib.parent / "environment.json").write_text('{"PATH": "/planted"}')


def add_a_folder(lib: Path) -> None:
    (lib / "sitecustomize").mkdir()


@pytest.mark.parametrize(
    "change",
    [
        change_a_file,
        add_a_module,
        add_compiled_code,
        add_a_link_to_a_package,
        put_a_link_in_place_of_a_file,
        put_a_pipe_in_place_of_a_file,
        take_a_file_away,
        rename_a_file,
        change_a_variable,
        add_a_folder,
    ],
)
def test_whatever_is_changed_breaks_the_seal(folder: Path, change: Callable[[Path], None]) -> None:
    before = seal(folder)
    change(folder / "lib")
    assert seal(folder) != before
