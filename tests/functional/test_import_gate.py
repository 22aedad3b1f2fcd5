"""An import that memgate.yml declares is a test like others: it has a baseline, goes red with names, and never lies."""

import xml.etree.ElementTree as ET

import pytest
from harness import LAST_DAY, Project

SHOP = "memgate.yml::import[shop.report]"
NAME = "import[shop.report]"


@pytest.fixture
def shop(project: Project) -> Project:
    """A project whose report imports a small library, with one test beside it."""
    project.write("shop/__init__.py", "")
    project.write("shop/report.py", "import small\n")
    project.write("small.py", "NAMES = [str(i) for i in range(3000)]\n")
    project.write("frames/__init__.py", "from frames import core\n")
    project.write("frames/core.py", "TABLE = [str(i) for i in range(20_000)]\n")
    project.write("memgate.yml", "imports:\n  - shop.report\n")
    project.write("tests/test_rows.py", "from work import load\n\ndef test_rows():\n    load(1000)\n")
    return project


def grow(shop: Project) -> None:
    shop.write("shop/report.py", '"""Reports."""\n\nimport frames\nimport small\n')


@pytest.mark.parametrize("args", [(), ("-n2",)], ids=["plain", "n2"])
def test_a_library_that_comes_in_is_red_with_its_name_and_its_importer(shop: Project, args: tuple[str, ...]) -> None:
    assert "wrote" in shop.update(*args).out
    text = shop.baseline("memgate.yml")
    assert "import.modules" not in text  # no budget names it
    assert "        small: " in text
    green = shop.gate(*args, "-v")
    assert green.code == 0, green.out
    assert "memory.peak: 1 test measured, 1 import" in green.out
    assert green.metrics(NAME) == {"import.peak": "passed", "import.retained": "passed", "import.modules": "not gated"}
    grow(shop)
    red = shop.gate(*args, "--junitxml=junit.xml")
    assert red.code == 1
    assert red.metrics(NAME) == {
        "import.peak": "regressed",
        "import.retained": "regressed",
        "import.modules": "not gated",
    }
    (grown,) = (
        one
        for one in red.found(NAME, "import.retained")["growth_by_site"]
        if one["site"] and one["site"]["path"] == "frames"
    )
    assert grown["base"] == 0
    assert 1_000_000 < grown["head"] < 1_700_000
    lines = [line.removeprefix("E").strip() for line in red.out.splitlines()]
    place = next(number for number, line in enumerate(lines) if line.startswith("+") and "  frames  (0 B -> " in line)
    assert lines[place + 1] == "imported by shop/report.py:3"
    assert lines[place + 2].startswith("frames.core 1.")
    assert f"if it is meant: memgate baseline update --reason \"…\" '{SHOP}'" in lines
    (case,) = (
        case for case in ET.parse(shop.root / "junit.xml").getroot().iter("testcase") if case.get("name") == NAME
    )
    failure = case.find("failure")
    assert failure is not None
    assert str(failure.get("message")).startswith("import.peak ")


def test_a_growth_is_accepted_waived_or_held_against_the_base(shop: Project) -> None:
    shop.prepare()
    shop.commit()
    grow(shop)
    assert shop.gate("-k", "import", "-m", "memgate_import", plugins=("cacheprovider",)).outcomes().keys() == {NAME}
    refused = shop.gate("--memgate-update")
    assert refused.code == 1
    assert f"raised, so not written without a reason of its own: {SHOP} import.peak " in refused.out
    shop.update("--memgate-reason=reports need frames")
    assert "reason: reports need frames" in shop.baseline("memgate.yml")
    based = shop.gate("--memgate-base=main", "--lf", "--lfnf=none", plugins=("cacheprovider",))
    assert based.code == 0, based.out
    assert f"raised       {SHOP}  import.peak " in based.out
    shop.git("checkout", "-q", "--", ".memgate")
    waiver = f"waivers: [{{test: memgate.yml, metric: %s, ceiling: 4MB, until: {LAST_DAY}, reason: the new report}}]\n"
    own = "imports: [shop.report]\n"
    shop.write("memgate.yml", own + waiver % "import.peak")
    waived = shop.gate()
    assert waived.metrics(NAME)["import.peak"] == "waived"
    assert waived.metrics(NAME)["import.retained"] == "regressed"
    assert waived.run["findings"][0]["metric"].startswith(("import.", "memory."))
    shop.write("memgate.yml", "missing: warn\n")
    gone = shop.gate("--memgate-base=main")
    assert "loosened     imports: shop.report is not checked any more" in gone.out


def test_an_import_without_an_answer_is_never_green(shop: Project) -> None:
    shop.write("memgate.yml", "imports: [shop.report, nothere, shop.quits, shop.raises, shop.dies, sys]\n")
    shop.write("shop/quits.py", "import sys\nprint('usage: shop')\nsys.exit(0)\n")
    shop.write("shop/raises.py", "import nothere\n")
    shop.write("shop/dies.py", "import os\nos._exit(0)\n")
    result = shop.gate("--memgate-update")
    assert result.code == 1
    said = {
        "nothere": "raised ModuleNotFoundError: No module named 'nothere'",
        "shop.quits": "raised SystemExit: 0",
        "shop.raises": "raised ModuleNotFoundError: No module named 'nothere'",
        "shop.dies": "ended the interpreter with exit code 0",
        "sys": "does nothing, since Python or memray has it loaded already: it cannot be measured",
    }
    for name, why in said.items():
        assert result.metrics(f"import[{name}]") == {"import": "no answer"}
        (problem,) = (one for one in result.run["problems"] if f"::import[{name}]" in one["text"])
        assert f"the import of {name!r} (memgate.yml:1) {why}; see: python" in problem["text"]
    assert result.run["verdict"] == "no answer"
    assert "usage: shop" not in result.out
    assert "shop.report" in shop.baseline("memgate.yml")
    assert "problem      memgate.yml::import[sys]: the import of 'sys' " in shop.gate("-k", "sys").out


def test_a_run_without_the_gate_knows_nothing_of_imports(shop: Project) -> None:
    shop.prepare()
    assert "1 passed" in shop.pytest("tests", "memgate.yml").out or shop.pytest().code == 0
    left_out = shop.gate("tests")
    assert f"not part of this run: {NAME} (pytest --memgate memgate.yml)" in left_out.out
    rows = [line.split() for line in shop.memgate("config").out.splitlines()]
    assert ["imports", "shop.report", "memgate.yml:2"] in rows
    assert ["budgets.import.peak.growth", "500", "KB", "default"] in rows
