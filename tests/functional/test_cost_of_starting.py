"""What each start of pytest costs: nothing is compiled that was compiled when it was installed."""

import importlib.metadata
from pathlib import Path

import pytest
from harness import Project

LOADERS = """
    import sys

    def test_loaders():
        ours = {name: module.__spec__ for name, module in sys.modules.items() if name.startswith("pytest_memgate")}
        assert ("pytest_memgate.measure.memory.capture" in ours) == GATED
        # Pytest's own loader rewrites assertions: without bytecode of its own it would compile each module anew.
        assert {type(spec.loader).__name__ for spec in ours.values()} == {"SourceFileLoader"}
        assert all("-pytest-" not in spec.cached for spec in ours.values())
"""


@pytest.mark.parametrize("gated", [True, False])
def test_the_modules_of_the_gate_are_loaded_as_they_were_installed(
    project: Project, workers: tuple[str, ...], gated: bool
) -> None:
    project.write("test_it.py", LOADERS.replace("GATED", str(gated)))
    result = project.update(*workers) if gated else project.pytest(*workers)
    assert result.code == 0, result.out
    left = project.pytest("-p", "no:memgate", *workers, "-k", "no_such_test")
    assert left.code == 5


def test_what_is_installed_has_what_pytest_loads() -> None:
    (entry,) = (one for one in importlib.metadata.entry_points(group="pytest11") if one.name == "memgate")
    assert entry.value == "_memgate_pytest"
    plugin = entry.load()
    hooks = {
        name for name in vars(importlib.import_module("pytest_memgate.plugin.entry")) if name.startswith("pytest_")
    }
    assert hooks <= {*plugin.__all__}
    assert Path(plugin.__file__).parent == Path(importlib.import_module("pytest_memgate").__file__ or "").parents[1]


def test_its_finder_is_gone_after_the_run(project: Project) -> None:
    project.write("test_it.py", "def test_it(): pass\n")
    project.write(
        "run.py",
        """
        import sys
        import pytest
        before = list(sys.meta_path)
        for args in ([], ["--memgate", "--memgate-update"]):
            assert pytest.main(["-q", "-p", "no:randomly", "-p", "no:memray", *args]) == 0
            left = [one for one in sys.meta_path if getattr(one, "__name__", "") == "AsInstalled"]
            assert not left
        print("fine")
        """,
    )
    import sys

    assert project.command(sys.executable, "run.py").out.endswith("fine\n")
