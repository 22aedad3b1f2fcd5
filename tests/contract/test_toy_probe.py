"""A new probe is a folder, a line and a row: the one of docs/add-a-probe.md, taken from that page, gates a file."""

import re
import shutil
from pathlib import Path

import pytest
from harness import Project, Result

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add-a-probe.md").read_text(encoding="utf-8")
_OTHER_ROW = '        Metric(name="import.peak"'
_OTHER_LINE = "    ImportProbe(),\n"
_OTHER_IMPORT = "from pytest_memgate.probes.imports.probe import ImportProbe\n"


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with the page's probe in it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("package")
    package = folder / "pytest_memgate"
    shutil.copytree(ROOT / "pytest_memgate", package)
    row, module, line = _blocks("python")
    _insert(package / "model" / "metric.py", f"        {row.rstrip()},\n", before=_OTHER_ROW)
    toy = package / "probes" / "toy"
    toy.mkdir()
    (toy / "__init__.py").write_text('"""Sizes of files."""\n', encoding="utf-8")
    (toy / "probe.py").write_text(module, encoding="utf-8")
    table = package / "probes" / "table.py"
    _insert(table, f"    {line.rstrip()},\n", before=_OTHER_LINE)
    _insert(table, "from pytest_memgate.probes.toy.probe import ToyProbe\n", before=_OTHER_IMPORT)
    return folder


def _insert(path: Path, text: str, *, before: str) -> None:
    old = path.read_text(encoding="utf-8")
    assert old.count(before) == 1
    path.write_text(old.replace(before, text + before), encoding="utf-8")


@pytest.fixture
def toy(project: Project) -> Project:
    (settings,) = _blocks("yaml")
    project.write("memgate.yml", settings)
    project.write("logo.svg", "a" * 5000)
    return project


def _gate(project: Project, package: Path, *args: str) -> Result:
    return project.gate(*args, env={"PYTHONPATH": f"{package}:{project.root}"})


def test_a_toy_probe_is_gated_as_any_other(toy: Project, package: Path) -> None:
    made = _gate(toy, package, "--memgate-update")
    assert (made.code, made.metrics("toy[logo]")) == (0, {"toy.size": "no baseline"}), made.out
    same = _gate(toy, package, "-m", "memgate_toy", "--strict-markers")
    assert (same.code, same.metrics("toy[logo]")) == (0, {"toy.size": "passed"}), same.out
    assert "1 toy; baseline" in same.summary()
    toy.write("logo.svg", "a" * 6001)
    grown = _gate(toy, package)
    assert (grown.code, grown.metrics("toy[logo]")) == (1, {"toy.size": "regressed"}), grown.out
    toy.write("logo.svg", "a" * 6000)
    assert _gate(toy, package).code == 0


def test_a_toy_that_is_not_there_is_no_answer_in_one_line(toy: Project, package: Path) -> None:
    toy.replace("memgate.yml", "logo.svg", "lost.svg")
    result = _gate(toy, package)
    assert (result.code, result.finding("toy[logo]")["outcome"]) == (1, "no answer"), result.out
    assert result.finding("toy[logo]")["reason"] == "memgate.yml:2: lost.svg: No such file or directory"


def test_a_metric_without_a_row_is_named(toy: Project, package: Path, tmp_path: Path) -> None:
    shutil.copytree(package, tmp_path / "copy")
    metrics = tmp_path / "copy" / "pytest_memgate" / "model" / "metric.py"
    row = f"        {_blocks('python')[0].rstrip()},\n"
    metrics.write_text(metrics.read_text(encoding="utf-8").replace(row, ""), encoding="utf-8")
    result = _gate(toy, tmp_path / "copy")
    assert (result.code, result.finding("toy[logo]")["outcome"]) == (1, "no answer"), result.out
    assert "ToyProbe gives toy.size, of which the table of metrics has no row" in result.finding("toy[logo]")["reason"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("toys:\n  logo: {}\n", "memgate.yml:2: a toy needs 'file'"),
        ("toys:\n  logo: {fill: a}\n", "memgate.yml:2: unknown key 'fill' (did you mean 'file'?)"),
        ("toys:\n  a logo: {file: a}\n", "memgate.yml:2: not a name for a toy: 'a logo'"),
        ("toy: {}\n", "unknown key 'toy' (did you mean 'toys'?)"),
    ],
)
def test_a_toy_is_read_as_strictly_as_any_other(toy: Project, package: Path, text: str, said: str) -> None:
    toy.write("memgate.yml", text)
    result = _gate(toy, package)
    assert (result.code, said in result.out) == (4, True), result.out
