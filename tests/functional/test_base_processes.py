"""Reading the baselines of a git ref: one process for all files, and the text that git has."""

import shutil

import pytest
from harness import Project

from pytest_memgate.baseline.source import GitRef

FILES = 30


def test_the_baselines_of_a_ref_take_no_process_a_file(project: Project, workers: tuple[str, ...]) -> None:
    for number in range(FILES):
        project.write(f"tests/test_{number}.py", "from work import load\n\ndef test_load():\n    assert load(100)\n")
    project.prepare()
    project.commit()
    git = shutil.which("git")
    log = project.root.parent / "git.log"
    spy = project.root.parent / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\necho "$PPID $1" >> {log}\nexec {git} "$@"\n', encoding="utf-8")
    spy.chmod(0o755)
    path = project.environ()["PATH"]
    result = project.gate("--memgate-base=HEAD", *workers, env={"PATH": f"{spy.parent}:{path}"})
    assert result.code == 0, result.out
    assert [one["outcome"] for one in result.run["findings"]] == ["passed"] * FILES
    calls = log.read_text(encoding="utf-8").splitlines()
    for process in {call.split()[0] for call in calls}:
        own = [call.split()[1] for call in calls if call.split()[0] == process]
        assert own.count("cat-file") <= 6, own  # of memgate.yml, pytest's own files and the environment
        assert len(own) < FILES, own


@pytest.mark.parametrize(
    "name", [".memgate/one.yaml", ".memgate/env/tests/two.yaml", "memgate.yml", "deep/ünï\tcode.txt"]
)
def test_a_file_of_a_ref_has_the_text_that_git_has(project: Project, name: str) -> None:
    project.write("below/memgate.yml", "budgets: {}\n")
    folder = project.root / "below"
    for other in (name, ".memgate/env/three.yaml"):
        (folder / other).parent.mkdir(parents=True, exist_ok=True)
        (folder / other).write_bytes("# ä €\r\nlast line without an end".encode())
    (folder / ".memgate/env").mkdir(parents=True, exist_ok=True)
    (folder / ".memgate/env/empty.yaml").write_text("", encoding="utf-8")
    (folder / ".memgate/env/bad.yaml").write_bytes(b"\xff")
    project.commit()
    ref = GitRef(folder, "HEAD")
    assert ref.read(name) == "# ä €\nlast line without an end"
    assert ref.read(".memgate/env/empty.yaml") == ""
    assert ref.read(".memgate/env/none.yaml") is None
    with pytest.raises(UnicodeDecodeError):
        ref.read(".memgate/env/bad.yaml")
