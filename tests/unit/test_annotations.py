"""GitHub's annotations: at the line that grew, within the limits, and nothing in them is a command."""

from dataclasses import replace
from pathlib import Path

import pytest
from samples import exact, finding, importers, run_of, settled, site

from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.run import Problem, Run, Verdict
from pytest_memgate.model.site import Contribution, Lead, LeadKind, Site
from pytest_memgate.report.annotations import annotations
from pytest_memgate.tasks.run.report import locate

MB = 1_000_000


def grown(where: Site, name: str = "test_order", metric: str = "memory.peak") -> Finding:
    one = finding(Outcome.REGRESSED, settled(5 * MB), name=name, baseline=MB, why="over")
    sites = (Contribution(site=where, base=0, head=4 * MB),)
    return replace(one, metric=metric, line=12, growth_by_site=sites)


def failed(*findings: Finding, problems: tuple[Problem, ...] = ()) -> Run:
    return replace(run_of(*findings, verdict=Verdict.FAILED), problems=problems)


def test_it_stands_at_the_line_that_grew() -> None:
    (line,) = annotations(failed(grown(site("load", 4 * MB, line=7))))
    assert line.startswith(
        "::error file=shop/orders.py,line=7,title=tests/test_shop.py%3A%3Atest_order::memory.peak 1 MB -> 5 MB: over%0A"
    )


def test_of_a_library_it_stands_at_the_line_that_calls_it(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/orders.py").write_text("\n" * 20, encoding="utf-8")
    far = site("read", 4 * MB, path="requests/models.py", line=3, via=("shop/orders.py:9 in fetch",))
    (line,) = annotations(failed(grown(far)), locate=lambda path, word: locate(tmp_path, path, word))
    assert line.startswith("::error file=shop/orders.py,line=9,")


def test_of_a_package_it_stands_at_its_import(tmp_path: Path) -> None:
    (tmp_path / "web/src").mkdir(parents=True)
    (tmp_path / "web/src/main.js").write_text(
        "import a from 'a';\nimport { Chart } from 'chart.js';\n", encoding="utf-8"
    )
    (tmp_path / "web/node_modules/chart.js").mkdir(parents=True)
    chart = Site(path="node_modules/chart.js", size=4 * MB, via=importers("src/main.js"))
    run = failed(grown(chart, metric="bundle.initial.raw[src/main.js]"))
    (line,) = annotations(run, locate=lambda path, word: locate(tmp_path, path, word), prefix="shop/")
    assert line.startswith("::error file=shop/web/src/main.js,line=2,")


def test_of_a_part_that_is_loaded_lazily_it_stands_at_its_import(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.js").write_text("\nimport('./route.js');\n", encoding="utf-8")
    lazy = Lead(kind=LeadKind.LAZY_IMPORTER, path="src/main.js")
    route = Site(path="route.js", size=4 * MB, via=(lazy,))
    run = failed(grown(route, metric="bundle.total.raw[main]"))
    commands = annotations(run, locate=lambda path, word: None if path == "route.js" else locate(tmp_path, path, word))
    assert commands[0].startswith("::error file=src/main.js,line=2,")


def test_without_a_place_it_stands_at_the_test(tmp_path: Path) -> None:
    run = failed(grown(Site(path="load delay", size=4 * MB)))
    (line,) = annotations(run, locate=lambda path, word: locate(tmp_path, path, word))
    assert line.startswith("::error file=tests/test_shop.py,line=12,")


@pytest.mark.parametrize("path", ["../secret.py", "/etc/hostname", "a\0b", "x" * 5000, "node_modules/a/b.js"])
def test_a_path_that_is_not_the_projects_is_no_place(tmp_path: Path, path: str) -> None:
    root = tmp_path / "project"
    (root / "node_modules/a").mkdir(parents=True)
    (root / "node_modules/a/b.js").touch()
    (tmp_path / "secret.py").touch()
    assert locate(root, path, "") is None


@pytest.mark.parametrize("most", [1, 3, 10])
def test_there_are_no_more_than_github_shows(most: int) -> None:
    run = failed(*(grown(site(f"load_{number}", 4 * MB, line=7), f"test_{number}") for number in range(30)))
    lines = annotations(run, most=most)
    assert len(lines) == most
    assert lines[-1] == f"::error title=memgate::and {31 - most} more: see the job's summary"


def test_what_is_wrong_besides_is_told_too() -> None:
    run = failed(problems=(Problem(text="there is no baseline for web", hint="memgate baseline update"),))
    assert annotations(run) == ["::error title=memgate::there is no baseline for web%0Amemgate baseline update"]


def test_green_says_nothing() -> None:
    assert annotations(run_of(finding(measurement=exact(1)))) == []


HOSTILE = "a,line=1::error file=x::boo%0A\n::set-output name=x::y\r::error::z\u2028::stop-commands::x"


@pytest.mark.parametrize("place", ["name", "site", "reason", "problem"])
def test_nothing_in_one_is_a_command(place: str) -> None:
    one = grown(
        Site(path=HOSTILE if place == "site" else "a.py", size=9, line=3), HOSTILE if place == "name" else "test_a"
    )
    run = failed(
        replace(one, why=HOSTILE if place == "reason" else ""),
        problems=(Problem(text=HOSTILE, hint=HOSTILE),) if place == "problem" else (),
    )
    for line in annotations(run):
        assert line.splitlines() == [line]
        assert line.startswith("::error ")
        properties = line.removeprefix("::error ").partition("::")[0]
        assert {part.partition("=")[0] for part in properties.split(",")} <= {"file", "line", "title"}
        assert "%0A\n" not in line
