"""`memgate doctor --page`: what Chrome really loads before any input, beside what the bundles count."""

import json
from pathlib import Path

import pytest
from harness import Project

from pytest_memgate.measure.lighthouse.tools import Tools

pytestmark = pytest.mark.timeout(1200)

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>shop</title>
<meta name="viewport" content="width=device-width"><script src="legacy.js"></script>
<script type="module" src="main-AAAA1111.js"></script></head><body><h1>Tea</h1><p>Honey and oil.</p></body></html>"""


def chunk(name: str, entry: str, imports: list[str]) -> tuple[str, dict[str, object]]:
    kinds = [{"path": f"site/{other}", "kind": "dynamic-import"} for other in imports]
    return f"site/{name}", {"entryPoint": entry, "imports": kinds, "exports": [], "inputs": {}}


@pytest.fixture
def shop(project: Project, tools: Tools, node_modules: Path) -> Project:  # noqa: ARG001
    """A page whose entry imports a chunk at once, and another one on a click, beside a script of no bundler."""
    files = {
        "index.html": PAGE,
        "legacy.js": "window.legacy = 1;" + "/* */" * 100,
        "main-AAAA1111.js": 'import("./boot-BBBB2222.js");addEventListener("click",()=>import("./late-CCCC3333.js"));',
        "boot-BBBB2222.js": f'document.body.append("{"tea " * 2000}");',
        "late-CCCC3333.js": 'document.body.append("late");',
    }
    (project.root / "node_modules").symlink_to(node_modules)
    for name, text in files.items():
        project.write(f"site/{name}", text)
    outputs = dict(
        [
            chunk("main-AAAA1111.js", "src/main.js", ["boot-BBBB2222.js", "late-CCCC3333.js"]),
            chunk("boot-BBBB2222.js", "src/boot.js", []),
            chunk("late-CCCC3333.js", "src/late.js", []),
        ]
    )
    for path, output in outputs.items():
        output["bytes"] = len(files[path.removeprefix("site/")])
    project.write("site/metafile.json", json.dumps({"inputs": {}, "outputs": outputs}))
    project.write(
        "memgate.yml", "bundles:\n  shop: {stats: site/metafile.json}\npages:\n  home: {serve: site, runs: 1}\n"
    )
    return project


def test_what_a_page_loads_unasked_is_named_with_what_to_add(shop: Project) -> None:
    result = shop.memgate("doctor", "--page", "home")
    assert result.code == 3
    lines = result.out.splitlines()
    assert lines[0].startswith("ok    page home: Chrome loads 3 scripts and styles, ")
    assert lines[1].startswith("ok    bundle shop[src/main.js]: 1 file of its first screen, ")
    assert lines[2] == (
        "bad   bundle shop[src/main.js]: 8.03 KB more are loaded unasked and not counted: with: [src/boot.js]"
    )
    assert lines[3] == "note  /legacy.js: 518 B, of no entry of a declared bundle"
    shop.replace("memgate.yml", "metafile.json}", "metafile.json, with: src/boot.js}")
    result = shop.memgate("doctor", "--page", "home")
    assert result.code == 0
    assert "bundle shop[src/main.js]: 2 files of its first screen, " in result.out


def test_a_page_that_is_not_declared_is_refused(shop: Project) -> None:
    result = shop.memgate("doctor", "--page", "hme")
    assert result.code == 2
    assert result.out.splitlines()[-1].endswith("unknown page 'hme' (did you mean 'home'?)")
