"""Compiled files decide nothing: the same code measures the same with and without them."""

import shutil
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest
from harness import Project, Result

# Compiling these modules takes megabytes, loading their code less than half of one.
_BIG = "".join(
    f"def f{number}(a, b=({number}, 'x{number}')):\n    return [a, b, '{number}'] if a > {number} else {{'k': a}}\n\n"
    for number in range(450)
)
_TESTS = """
    import importlib
    import sys

    import reloaded

    def test_reloads():
        importlib.reload(reloaded)

    def test_imports_anew():
        sys.modules.pop("anew", None)
        import anew

    def test_imports():
        import imported
"""
_WRITES = {"PYTHONDONTWRITEBYTECODE": ""}
_NEAR = 0.02  # of a value, by which two runs may differ


@pytest.fixture
def modules(project: Project) -> Project:
    for name in ("reloaded", "anew", "imported"):
        (project.root / f"{name}.py").write_text(_BIG, encoding="utf-8")
    project.write("test_it.py", _TESTS)
    return project


def _settled(project: Project, *args: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the values of a run's tests by name and metric, its first runs among them."""
    result = project.gate("--memgate-measure=exact", *args, env=env)
    assert result.code == 0, result.out
    found: dict[str, Any] = {}
    for one in result.run["findings"]:
        name, measurement = one["subject"]["name"], one["measurement"]
        if measurement and one["metric"] in {"memory.peak", "memory.retained"}:
            found[f"{name} {one['metric']}"] = measurement["value"]
            found[f"{name} {one['metric']} at first"] = measurement["cold"]
    return found


def _remove_compiled(project: Project) -> None:
    for folder in list(project.root.rglob("__pycache__")):
        shutil.rmtree(folder)


def _compiled(project: Project) -> list[str]:
    return sorted(path.name for path in project.root.rglob("*.pyc"))


def test_without_compiled_files_the_same_is_measured(modules: Project, workers: tuple[str, ...]) -> None:
    modules.update(env=_WRITES)
    there = _settled(modules, *workers, env=_WRITES)
    assert there["test_imports_anew memory.peak"] > 200_000
    _remove_compiled(modules)
    never_there = _settled(modules, *workers)
    assert not _compiled(modules)
    made_now = _settled(modules, *workers, env=_WRITES)
    for other in (never_there, made_now):
        assert other.keys() == there.keys()
        for name, value in there.items():
            # To start what compiles takes 30 KB of the first test that needs it.
            assert other[name] == pytest.approx(value, rel=_NEAR, abs=50_000 if "at first" in name else 1000), name


@pytest.mark.parametrize("update", [_WRITES, None], ids=["update writes", "update writes none"])
@pytest.mark.parametrize("gate", [_WRITES, None], ids=["gate writes", "gate writes none"])
def test_it_passes_whichever_run_wrote_compiled_files(
    modules: Project, update: dict[str, str] | None, gate: dict[str, str] | None
) -> None:
    modules.update(env=update)
    _remove_compiled(modules)
    for _ in range(2):
        result = modules.gate("--memgate-strict", env=gate)
        assert (result.code, "memgate: PASSED" in result.out) == (0, True), result.out


def test_only_what_python_itself_would_write_is_written(modules: Project) -> None:
    modules.update(env={"PYTHONPYCACHEPREFIX": str(modules.root.parent / "elsewhere"), **_WRITES})
    assert not _compiled(modules)
    assert list((modules.root.parent / "elsewhere").rglob("anew*.pyc"))
    modules.gate()
    assert not _compiled(modules)
    modules.gate(env=_WRITES)
    tag = Path(cache_from_source("x.py")).name[1:]
    ours = [name for name in _compiled(modules) if "-pytest-" not in name]
    assert ours == [f"anew{tag}", f"imported{tag}", f"reloaded{tag}"]


def test_nothing_is_left_in_the_temporary_folder(modules: Project, workers: tuple[str, ...]) -> None:
    folder = modules.root.parent / "temporary"
    folder.mkdir()
    modules.update(*workers, env={"TMPDIR": str(folder)})
    assert [path.name for path in folder.iterdir() if path.name.startswith("memgate-")] == []


def test_in_a_patched_world_nothing_is_compiled_either(modules: Project) -> None:
    test = """
        import importlib
        import os
        import subprocess
        from unittest import mock

        import reloaded

        def test_patched():
            with mock.patch.dict(os.environ, clear=True), mock.patch("subprocess.run"), mock.patch("os.path.isdir"):
                importlib.reload(reloaded)
        """
    modules.write("test_it.py", test)
    modules.update()
    _remove_compiled(modules)
    peak = modules.gate("--memgate-measure=exact").found("test_patched", "memory.peak")["measurement"]
    assert peak["value"] < 1_000_000
    assert peak["cold"] < 1_000_000


def test_a_file_that_is_written_anew_within_a_second_is_compiled_anew(project: Project) -> None:
    """Whoever relies on that sees to it that no compiled files are written."""
    project.write(
        "test_it.py",
        """
        import importlib
        import sys

        def test_two_versions(tmp_path, monkeypatch):
            monkeypatch.setattr(sys, "dont_write_bytecode", True)
            monkeypatch.syspath_prepend(tmp_path)
            for number in range(3):
                (tmp_path / "version.py").write_text(f"NUMBER = {number}")
                sys.modules.pop("version", None)
                importlib.invalidate_caches()
                import version
                assert version.NUMBER == number
        """,
    )
    project.update(env=_WRITES)


def test_an_error_of_syntax_is_told_as_ever(project: Project) -> None:
    project.write("broken.py", "def f(:\n")
    project.write(
        "test_it.py",
        """
        import traceback

        import pytest

        def test_broken():
            with pytest.raises(SyntaxError) as found:
                import broken
            assert found.value.filename.endswith("broken.py")
            assert not found.value.__context__
            files = [frame.filename for frame in traceback.extract_tb(found.value.__traceback__)]
            assert not [file for file in files if "memgate" in file]
        """,
    )
    project.update()


def test_loaders_that_change_the_source_still_do(project: Project) -> None:
    project.write("plain.py", "NUMBER = 1\n")
    project.write(
        "test_it.py",
        """
        import importlib.util
        from importlib.machinery import SourceFileLoader

        class Changing(SourceFileLoader):
            def source_to_code(self, data, path, **options):
                return super().source_to_code(data.replace(b"1", b"2"), path, **options)

        def test_changed():
            spec = importlib.util.spec_from_loader("plain", Changing("plain", "plain.py"))
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            assert module.NUMBER == 2
        """,
    )
    project.update()


def test_what_compiles_is_no_process_and_no_file_of_a_test(modules: Project) -> None:
    modules.write(
        "test_it.py",
        """
        import os
        import pytest

        def test_imports():
            import imported
            with pytest.raises(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)

        def test_forks():
            child = os.fork()
            if not child:
                import anew
                os._exit(0 if anew.f0(1) else 1)
            assert os.waitpid(child, 0)[1] == 0
            import reloaded
        """,
    )
    modules.update()
    result: Result = modules.gate("-v")
    assert result.code == 0, result.out
    assert not [one for one in result.run["findings"] if one["metric"].startswith("leftover") and one["value"]]
    assert "children" not in str(modules.gate("--memgate-measure=exact").metrics("test_imports"))
