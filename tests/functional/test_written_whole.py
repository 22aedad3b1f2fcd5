"""Whatever ends an update or an accept, each baseline file is the old one or the new one, and whole."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Project
from samples import ENVIRONMENT, finding, put_baseline, run_of, settled

from pytest_memgate.baseline.document import load
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.tasks.run.file import write_run

_FILES = [f"tests/test_{number:03}.py" for number in range(60)]
_MEMGATE = (sys.executable, "-c", "from pytest_memgate.cli.main import main; main()")
_POINTS = 15  # at which each signal is sent to each command
_Texts = dict[str, str]


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with sixty baseline files, and a run that lowers each entry."""
    for file in _FILES:
        put_baseline(project.root, {"test_order": Reference(value=9_000_000)}, file=file)
    found = [finding(measurement=settled(1_000_000), name="test_order", file=file) for file in _FILES]
    write_run(run_of(*found), project.root.parent / "run.json")
    return project


def _texts(project: Project) -> _Texts:
    """Return all files below .memgate; each baseline file must be whole."""
    folder = project.root / ".memgate"
    texts = {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    for name, text in texts.items():
        if name.endswith(".yaml"):
            load(text, name)
            assert text.endswith("# end\n")
    return texts


def _without_temporary(texts: _Texts) -> _Texts:
    return {name: text for name, text in texts.items() if not name.endswith(".tmp")}


def _with_ctrl_c() -> None:
    """Let Ctrl-C have its effect, also where the tests were started in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _signalled(project: Project, args: tuple[str, ...], number: signal.Signals, seconds: float) -> tuple[int, str]:
    """Start a command, send it a signal after some time, and return its code and words."""
    with subprocess.Popen(
        args,
        cwd=project.root,
        env=project.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        preexec_fn=_with_ctrl_c,  # noqa: PLW1509  # no threads here
        start_new_session=True,
    ) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        out, _ = process.communicate(timeout=project.patience)
    return process.returncode, out


def _restore(project: Project, texts: _Texts) -> None:
    for name, text in texts.items():
        (project.root / ".memgate" / name).write_text(text, encoding="utf-8")


def _seconds(project: Project, *args: str) -> float:
    start = time.monotonic()
    project.command(*args)
    return time.monotonic() - start


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_accept_that_is_ended_leaves_old_files_or_new_ones(shop: Project, number: signal.Signals) -> None:
    accept = (*_MEMGATE, "baseline", "accept", str(shop.root.parent / "run.json"))
    before = _texts(shop)
    least, most = _seconds(shop, *_MEMGATE, "--version"), _seconds(shop, *accept)
    after = _texts(shop)
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in before)
    seen = set()
    for point in range(_POINTS):
        _restore(shop, before)
        code, out = _signalled(shop, accept, number, random.Random(point).uniform(least, max(most, least) * 1.1))
        texts = _texts(shop)
        assert all(text in {before[name], after[name]} for name, text in _without_temporary(texts).items())
        if number is signal.SIGINT:
            assert texts in (before, after), out
            assert code in {0, 130, -signal.SIGINT}, out
            if code == 130:
                assert "Traceback" not in out
                assert out.count("memgate: interrupted") == 1
                assert ("which is all of them" in out) == (texts == after) or "interrupted\n" in out
        seen.add(texts == after)
    assert shop.command(*accept).code == 0
    assert _texts(shop) == after  # what killed ones have left half-written is gone


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_update_that_is_ended_leaves_old_files_or_new_ones(project: Project, number: signal.Signals) -> None:
    for name in ("one", "two", "three"):
        project.write(f"test_{name}.py", "from work import load\nimport csv\n\ndef test_it():\n    load(9000)\n")
    project.update()
    before = _texts(project)
    for name in ("one", "two", "three"):
        project.replace(f"test_{name}.py", "9000", "100")
    update = (*_MEMGATE, "baseline", "update", "-p", "no:cacheprovider")
    most = _seconds(project, *update)
    after = _texts(project)
    for point in range(3):
        _restore(project, before)
        code, out = _signalled(project, update, number, random.Random(point).uniform(most / 3, most))
        texts = _without_temporary(_texts(project))
        tests = [name for name in before if "first-use" not in name]
        assert all(texts[name] in {before[name], after[name]} for name in tests)
        if number is signal.SIGINT:
            assert len({texts[name] == after[name] for name in tests}) == 1, out
            assert code in {0, 130, -signal.SIGINT}, out
    assert project.command(*update).code == 0
    assert not [name for name in _texts(project) if name.endswith(".tmp")]


def _mount(*args: str) -> None:
    subprocess.run(["mount", *args], check=True, capture_output=True)


@contextlib.contextmanager
def _full_disk(folder: Path) -> Iterator[None]:
    """Have a folder on a disk of 300 KB; only root can."""
    kept = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    _mount("-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder))
    try:
        for path, data in kept.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Let nobody write below a folder: root takes no notice of permissions."""
    if os.geteuid():
        folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        for one in folders:
            one.chmod(0o555)
        try:
            yield
        finally:
            for one in folders:
                one.chmod(0o755)
        return
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _can_mount(folder: Path) -> bool:
    if os.geteuid():
        return False
    try:
        _mount("-t", "tmpfs", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError):
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True


def test_a_full_disk_is_one_line_and_leaves_all_as_it_was(shop: Project, tmp_path: Path) -> None:
    folder = shop.root / ".memgate"
    if not _can_mount(tmp_path):
        pytest.skip("only root has a small disk to fill; tests/unit/test_baseline_files.py fills one by a limit")
    before = _texts(shop)
    with _full_disk(folder):
        result = shop.memgate("baseline", "accept", str(tmp_path / "run.json"))
        assert _texts(shop) == before
    (line,) = result.out.splitlines()
    assert result.code == 3
    assert line.startswith("memgate: .memgate/")
    assert line.endswith(": No space left on device; nothing was written")


def test_a_folder_that_cannot_be_written_to_is_one_line(shop: Project, tmp_path: Path) -> None:
    if not os.geteuid() and not _can_mount(tmp_path):
        pytest.skip("root takes no notice of permissions, and may not mount here")
    before = _texts(shop)
    with _read_only(shop.root / ".memgate"):
        result = shop.memgate("baseline", "accept", str(tmp_path / "run.json"))
    (line,) = result.out.splitlines()
    assert (result.code, line.endswith("; nothing was written")) == (3, True), result.out
    assert "Read-only file system" in line or "Permission denied" in line
    assert _texts(shop) == before


def test_a_file_in_the_place_of_the_folder_is_one_line(shop: Project, tmp_path: Path) -> None:
    (shop.root / ".memgate").rename(tmp_path / "aside")
    (shop.root / ".memgate").write_text("a file")
    result = shop.memgate("baseline", "accept", str(tmp_path / "run.json"))
    (line,) = result.out.splitlines()
    assert (result.code, line.endswith("; nothing was written")) == (3, True), result.out


def test_an_accept_delivers_what_fell_where_something_else_rose(shop: Project, tmp_path: Path) -> None:
    risen = finding(measurement=settled(99_000_000), name="test_order", file=_FILES[0])
    fallen = finding(measurement=settled(1_000_000), name="test_order", file=_FILES[1])
    write_run(run_of(risen, fallen), tmp_path / "run.json")
    result = shop.memgate("baseline", "accept", str(tmp_path / "run.json"))
    assert result.code == 1
    assert f"lowered      {_FILES[1]}::test_order  9 MB -> 1 MB" in result.out
    assert "raised, so not written without a reason of its own" in result.out
    folder = shop.root / ".memgate" / ENVIRONMENT.key
    assert "value: 9000000" in (folder / f"{_FILES[0]}.yaml").read_text(encoding="utf-8")
    assert "value: 1000000" in (folder / f"{_FILES[1]}.yaml").read_text(encoding="utf-8")
