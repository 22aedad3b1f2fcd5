"""`memgate init` in a project with a front end: what it finds is what an update stores."""

import re

from harness import Project


def test_the_build_that_is_there_is_declared_measured_and_stored(project: Project) -> None:
    project.lay("bundles/built/vite/base/out", "web/dist")
    project.write("web/package.json", '{"devDependencies": {"vite": "7.0.0"}}')
    result = project.memgate("init")
    assert result.code == 0, result.out
    first = re.search(r"^bundle app\[index\.html\]: first screen (.+) raw, .+ gzip$", result.out, re.MULTILINE)
    text = (project.root / "memgate.yml").read_text(encoding="utf-8")
    assert "\n  app: {stats: web/dist/.vite/manifest.json}\n" in text
    updated = project.memgate("baseline", "update")
    assert first
    assert f"memgate.yml::bundle[app]  bundle.initial.raw[index.html] {first[1]}\n" in updated.out


def test_without_a_build_its_bundle_is_a_comment(project: Project) -> None:
    project.write("web/package.json", '{"devDependencies": {"vite": "7.0.0"}}')
    result = project.memgate("init")
    assert result.code == 0, result.out
    assert "in web; it is written by: vite build, with build: {manifest: true}\n" in result.out
    assert "a comment in memgate.yml until it can be measured: app\n" in result.out
    assert "bundles" not in project.memgate("config").out
