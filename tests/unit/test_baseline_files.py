"""Where baselines lie, how they are written, and where they are read from."""

import contextlib
import os
import resource
import signal
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from samples import ENVIRONMENT, FILE, FOLDER, HEADER, commit_all, document, git, open_store, put_baseline

from pytest_memgate.baseline import batch as batch_module
from pytest_memgate.baseline.batch import Batch, replace_text
from pytest_memgate.baseline.document import Document
from pytest_memgate.baseline.paths import file_key
from pytest_memgate.baseline.paths import test_file as file_of
from pytest_memgate.baseline.source import GitRef, WorkTree
from pytest_memgate.baseline.store import Store, environments, write
from pytest_memgate.errors import BaselineError, UsageError
from pytest_memgate.model.judgement.reference import Reference

ONE = document({"test_a": Reference(value=10)})
TWO = document({"test_a": Reference(value=20)})
PURELIB = Path(sysconfig.get_path("purelib"))


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("tests/test_a.py", "tests/test_a.py"),
        ("test_a.py", "test_a.py"),
        ("../test_a.py", "@up/test_a.py"),
        ("../../else/test_a.py", "@up/@up/else/test_a.py"),
    ],
)
def test_a_file_is_named_by_its_way_from_the_root(tmp_path: Path, path: str, key: str) -> None:
    root = tmp_path / "home" / "project"
    assert file_key(root / path, root) == key
    assert os.path.realpath(file_of(key, root)) == os.path.realpath(root / path)


def test_a_file_of_an_installed_package_has_one_name_on_every_machine(tmp_path: Path) -> None:
    path = PURELIB / "networkx" / "classes" / "tests" / "test_graph.py"
    assert file_key(path, tmp_path) == "@site/networkx/classes/tests/test_graph.py"
    assert file_of("@site/networkx/classes/tests/test_graph.py", tmp_path) == path


def test_an_environment_inside_the_project_is_still_an_installation() -> None:
    assert file_key(PURELIB / "pkg" / "test_a.py", PURELIB.parent) == "@site/pkg/test_a.py"


def test_a_link_to_the_project_gives_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert file_key(tmp_path / "link" / "test_a.py", tmp_path / "real") == "test_a.py"
    assert file_key(tmp_path / "real" / "test_a.py", tmp_path / "link") == "test_a.py"


def test_a_file_is_written_with_its_folders_and_read_back(tmp_path: Path) -> None:
    store = open_store(tmp_path).own
    assert store.document(FILE) is None
    write(tmp_path, store.path(FILE), ONE)
    assert open_store(tmp_path).own.document(FILE) == ONE
    assert open_store(tmp_path).own.files() == [FILE]


def test_a_file_has_the_permissions_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write(tmp_path, "it.yaml", ONE)
    assert stat.S_IMODE((tmp_path / "it.yaml").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_file_without_entries_is_taken_away_with_its_folder(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=10)})
    write(tmp_path, f"{FOLDER}/{FILE}.yaml", Document(header=HEADER))
    assert not path.parent.exists()
    write(tmp_path, f"{FOLDER}/{FILE}.yaml", Document(header=HEADER))


def test_a_folder_with_other_baselines_stays(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=10)})
    other = put_baseline(tmp_path, {"test_a": Reference(value=10)}, file="tests/test_other.py")
    write(tmp_path, f"{FOLDER}/{FILE}.yaml", Document(header=HEADER))
    assert list(other.parent.iterdir()) == [other]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=10)})
    before = path.read_bytes()
    with pytest.raises(BaselineError, match="File too large; nothing was written"), files_of_at_most(50):
        write(tmp_path, f"{FOLDER}/{FILE}.yaml", TWO)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_write_into_what_is_no_folder_is_an_error_of_the_baseline(tmp_path: Path) -> None:
    (tmp_path / ".memgate").write_text("a file")
    with pytest.raises(BaselineError, match=r"^\.memgate/.*; nothing was written"):
        write(tmp_path, f"{FOLDER}/{FILE}.yaml", TWO)
    assert (tmp_path / ".memgate").read_text() == "a file"


def test_an_interrupted_write_leaves_nothing_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "chmod", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_text(tmp_path / "it", "text")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_at_any_line_of_a_write_leaves_all_old_files_or_all_new_ones(tmp_path: Path) -> None:
    """Each run of the loop sends it one line of Python later; the last one sends none."""
    names = ["a", "b", "c"]
    told = set()
    for moment in range(1_000):
        for name in names:
            (tmp_path / name).write_text("old")
        batch = Batch()
        batch.put(tmp_path / "a", "new")
        batch.put(tmp_path / "b", "new")
        batch.remove(tmp_path / "c")
        said, sent = _with_ctrl_c_at(moment, batch.write)
        found = {path.name: path.read_text() for path in tmp_path.iterdir()}
        all_old, all_new = dict.fromkeys(names, "old"), dict.fromkeys(names[:2], "new")
        words = {"nothing was written": [all_old], "": [all_old, all_new]}  # none before its first line, or after all
        assert found in words.get(said, [all_new]), (moment, said)
        told.add(said)
        if not sent:
            break
    assert told - {""} == {"nothing was written", "3 files were written, which is all of them", "no interrupt"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _with_ctrl_c_at(moment: int, write: Callable[[], None]) -> tuple[str, bool]:
    """Call `write` with Ctrl-C at a line's number, and return the words of its KeyboardInterrupt and if it was sent."""
    count = 0

    def trace(frame: FrameType, _event: str, _arg: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in {batch_module.__file__, tempfile.__file__, contextlib.__file__}:
            return None
        count += 1
        if count == moment + 1:
            signal.raise_signal(signal.SIGINT)
        return trace

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = sys.gettrace()
    try:
        sys.settrace(trace)
        write()
    except KeyboardInterrupt as error:
        return str(error), True
    finally:
        sys.settrace(before)
        signal.signal(signal.SIGINT, usual)
    return "no interrupt", count > moment


def test_a_file_that_is_not_utf_8_is_an_error_that_names_it(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=10)}).write_bytes(b"format: \xff")
    with pytest.raises(BaselineError, match=rf"{FILE}.yaml: not UTF-8 text; check the file, or restore it from git"):
        open_store(tmp_path).own.document(FILE)


def test_a_folder_in_a_files_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / FOLDER / f"{FILE}.yaml").mkdir(parents=True)
    with pytest.raises(BaselineError, match=rf"{FILE}.yaml: .*check the file"):
        open_store(tmp_path).own.document(FILE)


def test_environments_are_the_folders_with_baselines(tmp_path: Path) -> None:
    assert environments(WorkTree(tmp_path)) == []
    put_baseline(tmp_path, {"test_a": Reference(value=10)})
    put_baseline(tmp_path, {"test_a": Reference(value=10)}, environment="darwin-arm64-cpython3.12")
    (tmp_path / ".memgate" / "README.yaml").touch()
    (tmp_path / ".memgate" / "web").mkdir()
    assert environments(WorkTree(tmp_path)) == ["darwin-arm64-cpython3.12", ENVIRONMENT.key]


def test_a_commit_is_read_as_it_was(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=10)})
    commit_all(tmp_path)
    git(tmp_path, "tag", "v1")
    write(tmp_path, f"{FOLDER}/{FILE}.yaml", TWO)
    put_baseline(tmp_path, {"test_b": Reference(value=10)}, file="tests/test_new.py")
    for ref in ("main", "v1", "HEAD"):
        store = Store(GitRef(tmp_path, ref), ENVIRONMENT.key)
        assert store.document(FILE) == ONE
        assert store.document("tests/test_new.py") is None
        assert store.files() == [FILE]
    path.unlink()
    assert Store(GitRef(tmp_path, "v1"), ENVIRONMENT.key).document(FILE) == ONE


def test_a_project_below_the_repositorys_top_sees_its_own_files_only(tmp_path: Path) -> None:
    project = tmp_path / "apps" / "shop"
    put_baseline(project, {"test_a": Reference(value=10)})
    put_baseline(tmp_path, {"test_a": Reference(value=99)}, file="tests/test_top.py")
    commit_all(tmp_path)
    ref = GitRef(project, "HEAD")
    store = Store(ref, ENVIRONMENT.key)
    assert store.files() == [FILE]
    assert store.document(FILE) == ONE
    assert environments(ref) == [ENVIRONMENT.key]


def test_a_name_that_git_would_quote_is_read(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=10)}, file='tests/größe "x" ☃.py')
    commit_all(tmp_path)
    store = Store(GitRef(tmp_path, "HEAD"), ENVIRONMENT.key)
    assert store.files() == ['tests/größe "x" ☃.py']
    assert store.document('tests/größe "x" ☃.py') == ONE


@pytest.mark.parametrize("ref", ["nowhere", "origin/main", "0" * 40, "--all", ""])
def test_a_ref_that_git_does_not_know_is_an_error_of_usage(tmp_path: Path, ref: str) -> None:
    commit_all(tmp_path)
    with pytest.raises(UsageError, match=r"--memgate-base .*name a branch, tag or commit that is fetched"):
        GitRef(tmp_path, ref)


def test_a_folder_without_a_repository_is_an_error_of_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match=r"--memgate-base main: .*not a git repository"):
        GitRef(tmp_path, "main")


def test_a_machine_without_git_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="--memgate-base needs git, which is not on PATH"):
        GitRef(tmp_path, "main")


def test_a_repository_with_a_file_name_that_is_not_utf_8_is_read(tmp_path: Path) -> None:
    put_baseline(tmp_path, {"test_a": Reference(value=10)})
    odd = tmp_path / os.fsdecode(b"caf\xe9.txt")
    odd.write_text("old")
    commit_all(tmp_path)
    odd.write_text("new")
    ref = GitRef(tmp_path, "HEAD")
    assert Store(ref, ENVIRONMENT.key).document(FILE) == ONE
    assert odd.name in ref.changed_files()


def test_a_reason_that_is_no_text_leaves_the_old_file(tmp_path: Path) -> None:
    path = put_baseline(tmp_path, {"test_a": Reference(value=10)})
    before = path.read_bytes()
    with pytest.raises(BaselineError, match="nothing was written"):
        write(tmp_path, f"{FOLDER}/{FILE}.yaml", document({"test_a": Reference(value=20, reason="caf\udce9")}))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("file", ["../x", "/x", "a//b", "a\\b", "a/../../x", "./x", "", "a\0b"])
def test_a_file_outside_its_folder_is_no_place_for_a_baseline(tmp_path: Path, file: str) -> None:
    store = open_store(tmp_path).own
    with pytest.raises(BaselineError, match="is no place for a baseline; it would lie outside its folder"):
        store.path(file)
    with pytest.raises(BaselineError, match="is no place for a baseline"):
        store.document(file)


@pytest.mark.parametrize("environment", ["../x", "a/b", "/x", "..", "a\\b", ""])
def test_an_environment_is_one_folder(tmp_path: Path, environment: str) -> None:
    with pytest.raises(BaselineError, match="is no place for a baseline"):
        Store(WorkTree(tmp_path), environment)
