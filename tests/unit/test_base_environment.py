"""Which packages the base of a comparison gets: where files pin others, and what an installer is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_memgate.config.schema import Setup
from pytest_memgate.errors import MeasureError
from pytest_memgate.tasks.compare import base_environment as made
from pytest_memgate.tasks.compare import side
from pytest_memgate.tasks.run.git_worktree import Trees

FILES = Setup().files
_LOCK = '[[package]]\nname = "{name}"\nversion = "{version}"\n'


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here, there = tmp_path / "here", tmp_path / "there"
    return Trees(top=here.resolve(), root=here.resolve(), base_top=there.resolve(), ref="main")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "_versions", lambda: {"one-package": "2.0", "other": "1.0"})


def lay(trees: Trees, name: str, base: str | None, head: str | None) -> None:
    for folder, text in ((trees.base_root, base), (trees.root, head)):
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "base", "head", "differs"),
    [
        ("requirements.txt", "one_package==1.0\n", "one_package==2.0\n", True),
        ("requirements.txt", "one_package==2.0\n", "one_package==2.0  # pinned\n", False),
        ("requirements.txt", None, "one_package==2.0\n", True),
        ("pyproject.toml", "[tool.x]\na = 1\n", "[tool.x]\na = 2\n", False),
        (
            "pyproject.toml",
            '[project]\ndependencies = ["one-package<2"]\n',
            '[project]\ndependencies = ["one-package>=2"]\n',
            True,
        ),
        ("uv.lock", _LOCK.format(name="other", version="1.0"), _LOCK.format(name="other", version="0.9"), True),
        ("readme.txt", "a", "b", False),
    ],
)
def test_only_files_that_pin_others_count(
    trees: Trees, name: str, base: str | None, head: str | None, differs: bool
) -> None:
    lay(trees, name, base, head)
    assert made._changed(trees, FILES) == ([name] if differs else [])


def test_of_a_lock_file_only_what_is_installed_in_another_version_is_wanted(trees: Trees) -> None:
    packages = (("One_Package", "1.5"), ("other", "1.0"), ("not-here", "3.0"))
    lock = "".join(_LOCK.format(name=name, version=version) for name, version in packages)
    lay(trees, "poetry.lock", lock, _LOCK.format(name="other", version="1.0"))
    lay(trees, "pyproject.toml", '[project]\ndependencies = ["one-package<2"]\n', "")
    changed = made._changed(trees, FILES)
    assert changed == ["poetry.lock", "pyproject.toml"]
    assert list(made._wanted(trees, changed)) == ["One_Package==1.5"]


def test_requirements_are_handed_on_as_they_are(trees: Trees) -> None:
    lay(trees, "requirements-dev.txt", "-r other.txt\none_package==1\n", "")
    lay(trees, "pyproject.toml", '[project]\ndependencies = ["one-package<2"]\n', "")
    wanted = list(made._wanted(trees, made._changed(trees, FILES)))
    assert wanted == ["one-package<2", "-r", str(trees.base_root / "requirements-dev.txt")]


def test_a_pin_of_the_work_tree_that_is_not_installed_is_told(trees: Trees) -> None:
    lines = ("--no-index", "one_package==1.9", "other>=1 ; python_version > '3'", "missing==1")
    text = "\n".join([*lines, "other==9 ; sys_platform == 'nowhere'"])
    lay(trees, "requirements.txt", "", text)
    assert list(made._unmet(trees, ["requirements.txt"])) == ["one_package==1.9, and 2.0 is installed"]


def test_a_lock_file_that_cannot_be_read_is_told(trees: Trees) -> None:
    lay(trees, "uv.lock", "[[package\n", _LOCK.format(name="other", version="1.0"))
    with pytest.raises(MeasureError, match=r"^uv.lock of main cannot be read: "):
        made._changed(trees, FILES)


def test_programs_of_this_environment_take_the_code_of_the_base(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(trees, "shop.py", "print('the base')\n", "print('the work tree')\n")
    programs = trees.top.parent / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    (programs / "serve-shop").write_text(f"#!{programs}/python\nimport shop\n", encoding="utf-8")
    (programs / "serve-shop").chmod(0o755)
    (programs / "other").write_text("#!/bin/sh\n", encoding="utf-8")
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    python = made._made(trees.top.parent / "environment", made._folders(), trees)
    made._take_scripts(python)
    assert not (python.parent / "other").exists()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin")
    for command in (["serve-shop"], ["python", "-c", "import shop"]):
        env = {"PATH": side._path(python.parent), "PYTHONPATH": str(trees.root)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=trees.base_root)
        assert done.stdout == "the base\n"
