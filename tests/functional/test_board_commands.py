"""`memgate history build` and `memgate board` on a repository with a store."""

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import Project
from history_project import MB, HistoryProject, series
from postgres import PASSWORD, Postgres

TOKEN = "not-to-be-guessed"
Answer = tuple[int, dict[str, str], str]


@pytest.fixture
def shop(project: Project) -> Project:
    """A project of four commits whose one test grew at the last of them."""
    (project.root / ".git" / "memgate").mkdir(parents=True)
    store = HistoryProject(project.root, url=f"sqlite:///{project.root / '.git' / 'memgate' / 'history.sqlite'}")
    for number in range(4):
        store.measure(store.commit(f"commit {number}"), (1.0 if number < 3 else 1.5) * MB)
    return project


@contextmanager
def served(project: Project, *args: str) -> Iterator[int]:
    """Serve the board and give its port."""
    command = [sys.executable, "-m", "pytest_memgate", "board", "--port", "0", *args]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=project.root, env=env, stdout=subprocess.PIPE, encoding="utf-8") as server:
        try:
            assert server.stdout
            said = server.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
            assert found, said
            yield int(found[1])
        finally:
            server.terminate()


def test_a_store_is_served_to_a_user_who_may_only_read_from_where_there_is_no_repository(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.database()
    store = HistoryProject(tmp_path / "project", url=url)
    store.measure(store.commit("first"), MB)
    store.measure(store.commit("second"), 3 * MB)
    store.past()
    reader = make_reader(postgres, url)
    away = Project(tmp_path / "away")
    with served(away, "--store", reader) as port:
        status, _, text = get(port, "/")
    assert status == 200
    assert "+2 MB" in text
    assert "second" in text
    assert away.memgate("board", "--store", postgres.database()).out.strip().endswith("stores them")


def make_reader(postgres: Postgres, url: str) -> str:
    name = url.rpartition("/")[2]
    for statement in (
        "create role reader login password 'only-reads'",
        "grant select on all tables in schema public to reader",
    ):
        postgres.execute(statement, name)
    return url.replace("memgate:" + PASSWORD, "reader:only-reads")


def get(port: int, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    told = {name.lower(): value for name, value in answer.getheaders()}
    text = answer.read().decode()
    connection.close()
    return answer.status, told, text


def test_a_board_is_built_from_the_store(shop: Project) -> None:
    built = shop.memgate("history", "build", "-o", "site")
    assert built.code == 0
    assert "wrote 1 series to" in built.out
    page = (shop.root / "site" / "index.html").read_text(encoding="utf-8")
    assert "test_one" in page
    assert "+500 KB" in page
    assert "commit 3" in page
    assert (shop.root / "site" / "data" / "charts" / f"{series().id[:2]}.js").is_file()


def test_a_history_without_runs_builds_nothing(project: Project) -> None:
    HistoryProject(project.root).commit("first")
    built = project.memgate("history", "build", "-o", "site")
    assert built.code != 0
    assert "has no runs yet" in built.out
    assert not (project.root / "site").exists()


def test_the_files_of_a_project_are_never_replaced_by_a_board(shop: Project) -> None:
    built = shop.memgate("history", "build", "-o", ".")
    assert built.code == 2
    assert "not of a board" in built.out
    assert (shop.root / "code.py").is_file()


def test_a_board_is_served_from_the_store(shop: Project) -> None:
    with served(shop) as port:
        status, headers, page = get(port, "/")
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "test_one" in page
        status, headers, _ = get(port, "/data/index.js")
        assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        assert get(port, "/data/index.js", If_None_Match=headers["etag"])[0] == 304


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/%2e%2e/code.py", "/code.py", "/data", "/data/charts/zz.js"])
def test_nothing_but_the_board_is_served(path: str, shop: Project) -> None:
    with served(shop) as port:
        assert get(port, path)[0] == 404
        assert get(port, "/", method="POST")[0] == 405


def test_a_board_with_a_token_shows_itself_to_those_who_have_it(shop: Project) -> None:
    with served(shop, "--token", TOKEN) as port:
        for path in ("/", "/data/index.js", "/nothing", "/?token=wrong"):
            status, _, text = get(port, path)
            assert status == 401
            assert "test_one" not in text
        assert get(port, "/", Authorization=f"Bearer {TOKEN}")[0] == 200
        assert get(port, "/", Authorization="Bearer ")[0] == 401
        assert get(port, "/", Cookie="memgate_board=wrong")[0] == 401


def test_a_token_in_the_address_becomes_a_cookie_and_leaves_the_address(shop: Project) -> None:
    with served(shop, "--token", TOKEN) as port:
        status, headers, _ = get(port, f"/?token={TOKEN}")
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"]
        assert TOKEN not in cookie
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert get(port, "/", Cookie=cookie.partition(";")[0])[0] == 200


def test_other_machines_need_a_token(shop: Project) -> None:
    refused = shop.memgate("board", "--host", "0.0.0.0", "--port", "0")
    assert refused.code == 2
    assert "give --token" in refused.out


def test_a_port_that_is_taken_is_one_line(shop: Project) -> None:
    with served(shop) as port:
        refused = shop.memgate("board", "--port", str(port))
    assert refused.code == 2
    assert "name another --port" in refused.out
    assert "Traceback" not in refused.out


def test_serving_writes_nothing_but_the_line(shop: Project) -> None:
    before = sorted(str(path) for path in shop.root.rglob("*") if "history.sqlite" not in path.name)
    with served(shop) as port:
        get(port, "/")
    assert sorted(str(path) for path in shop.root.rglob("*") if "history.sqlite" not in path.name) == before
