"""A new probe is a folder, a line and rows: the one of docs/add-a-probe.md, taken from that page, counts words."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Project, Result

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "add-a-probe.md").read_text(encoding="utf-8")
_OTHER_ROW = '        Metric(name="import.peak"'
_OTHER_FAMILY = '    "memory": Family('
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
    row, family, module, line = _blocks("python")
    _insert(package / "model" / "metric.py", f"        {row.rstrip()},\n", before=_OTHER_ROW)
    _insert(package / "model" / "metric.py", f"    {family.rstrip()},\n", before=_OTHER_FAMILY)
    probe = package / "probes" / "text"
    probe.mkdir()
    (probe / "__init__.py").write_text('"""Words of texts."""\n', encoding="utf-8")
    (probe / "probe.py").write_text(module, encoding="utf-8")
    table = package / "probes" / "table.py"
    _insert(table, f"    {line.rstrip()},\n", before=_OTHER_LINE)
    _insert(table, "from pytest_memgate.probes.text.probe import TextProbe\n", before=_OTHER_IMPORT)
    return folder


def _insert(path: Path, text: str, *, before: str) -> None:
    old = path.read_text(encoding="utf-8")
    assert old.count(before) == 1
    path.write_text(old.replace(before, text + before), encoding="utf-8")


@pytest.fixture
def texts(project: Project) -> Project:
    (settings,) = _blocks("yaml")
    project.write("memgate.yml", settings)
    project.write("README.md", "a " * 50)
    return project


def _gate(project: Project, package: Path, *args: str) -> Result:
    return project.gate(*args, env={"PYTHONPATH": f"{package}:{project.root}"})


def test_a_new_probe_is_gated_as_any_other(texts: Project, package: Path) -> None:
    made = _gate(texts, package, "--memgate-update")
    assert (made.code, made.metrics("text[readme]")) == (0, {"text.words": "no baseline"}), made.out
    assert texts.web.exists()
    same = _gate(texts, package, "-m", "memgate_text", "--strict-markers")
    assert (same.code, same.metrics("text[readme]")) == (0, {"text.words": "passed"}), same.out
    assert "1 text; baseline" in same.summary()
    texts.write("README.md", "a " * 151)
    grown = _gate(texts, package)
    assert (grown.code, grown.metrics("text[readme]")) == (1, {"text.words": "regressed"}), grown.out
    assert "+101  README.md  (50 -> 151)" in grown.out
    texts.write("README.md", "a " * 150)
    assert _gate(texts, package).code == 0


def test_over_its_limit_a_value_is_told_by_what_holds_it(texts: Project, package: Path) -> None:
    assert _gate(texts, package, "--memgate-update").code == 0
    result = _gate(texts, package, "--memgate-limit=text.words=49")
    assert (result.code, result.metrics("text[readme]")) == (1, {"text.words": "regressed"}), result.out
    assert "what holds it:\n         50  README.md\n" in result.out.replace("E   ", "")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.unlink(), "No such file or directory"),
        (lambda path: (path.unlink(), path.mkdir()), "Is a directory"),
        (lambda path: path.write_bytes(b"\xff"), "it is not UTF-8"),
    ],
    ids=["gone", "folder", "bytes"],
)
def test_what_it_cannot_count_is_no_answer_in_one_line(
    texts: Project, package: Path, make: Callable[[Path], object], why: str
) -> None:
    make(texts.root / "README.md")
    result = _gate(texts, package)
    assert (result.code, result.finding("text[readme]")["outcome"]) == (1, "no answer"), result.out
    assert f"problem      text[readme]: memgate.yml:2: README.md: {why}\n" in result.out


def test_a_metric_without_a_row_is_named(texts: Project, package: Path, tmp_path: Path) -> None:
    shutil.copytree(package, tmp_path / "copy")
    metrics = tmp_path / "copy" / "pytest_memgate" / "model" / "metric.py"
    row = f"        {_blocks('python')[0].rstrip()},\n"
    metrics.write_text(metrics.read_text(encoding="utf-8").replace(row, ""), encoding="utf-8")
    result = _gate(texts, tmp_path / "copy")
    finding = result.finding("text[readme]")
    assert (result.code, finding["outcome"]) == (1, "no answer"), result.out
    assert "TextProbe gives text.words, of which the table of metrics has no row" in finding["reason"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("texts:\n  readme: {}\n", "memgate.yml:2: a text needs 'file'"),
        ("texts:\n  readme: {fill: a}\n", "memgate.yml:2: unknown key 'fill' (did you mean 'file'?)"),
        ("texts:\n  a readme: {file: a}\n", "memgate.yml:2: not a name for a text: 'a readme'"),
        ("text: {}\n", "unknown key 'text' (did you mean 'texts'?)"),
    ],
)
def test_its_section_is_read_as_strictly_as_any_other(texts: Project, package: Path, text: str, said: str) -> None:
    texts.write("memgate.yml", text)
    result = _gate(texts, package)
    assert (result.code, said in result.out) == (4, True), result.out
