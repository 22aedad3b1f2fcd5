"""What outlives a test: real threads, tasks, processes, files and sockets, in any order and with workers."""

import re

import pytest
from harness import Project

from pytest_memgate.measure.resources.snapshot import unseen

pytestmark = pytest.mark.skipif(bool(unseen()), reason="this system does not list files and children")

ASYNC = ("asyncio", "anyio")
POLLER = """
    import asyncio
    import socket
    import subprocess
    import threading
    import time

    KEPT = []

    def start():
        threading.Thread(target=time.sleep, args=(60,), name="poller", daemon=True).start()

    def serve():
        KEPT.append(socket.create_server(("127.0.0.1", 0)))

    def run():
        KEPT.append(subprocess.Popen(["sleep", "60"]))

    def log(path):
        KEPT.append(open(path, "w"))

    async def poll():
        while True:
            await asyncio.sleep(0.01)

    def watch():
        KEPT.append(asyncio.create_task(poll()))
"""
LEAVING = """
    import asyncio
    import unittest
    import pytest
    from shop import poller

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    def test_thread():
        poller.start()

    def test_process():
        poller.run()

    def test_file(tmp_path):
        poller.log(tmp_path / "orders.log")

    def test_task():
        async def main():
            poller.watch()
        asyncio.run(main())

    @pytest.mark.asyncio
    async def test_task_of_asyncio():
        poller.watch()

    @pytest.mark.anyio
    async def test_task_of_anyio():
        poller.watch()

    class TestCase(unittest.TestCase):
        def test_socket(self):
            poller.serve()
"""


def leaving(project: Project, tests: str = LEAVING) -> Project:
    """Lay out a shop whose tests leave something behind, with baselines of a time when they left nothing."""
    project.write("shop/poller.py", POLLER)
    path = project.write("test_shop.py", tests)
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"poller\.\w+\(.*\)", "pass", text), encoding="utf-8")
    project.prepare(plugins=ASYNC)
    assert "leftover" not in project.baseline("test_shop.py")
    path.write_text(text, encoding="utf-8")
    return project


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
def test_what_outlives_a_test_fails_it_and_is_named(project: Project, workers: tuple[str, ...]) -> None:
    result = leaving(project).gate("--junitxml=junit.xml", *workers, plugins=ASYNC)
    assert result.code == 1
    assert "7 failed" in result.out
    assert "memgate: FAILED: 7 regressed" in result.out
    for test, kind, place in (
        ("test_thread", "threads", 'shop/poller.py:10 in start  (daemon thread "poller")'),
        ("test_process", "processes", 'shop/poller.py:16 in run  (process "sleep")'),
        ("test_file", "files", r"shop/poller.py:19 in log  \(file .*orders.log\)"),
        ("test_task", "tasks", "shop/poller.py:26 in watch  (task poll())"),
        ("test_task_of_asyncio", "tasks", "shop/poller.py:26 in watch  (task poll())"),
        ("test_task_of_anyio", "tasks", "shop/poller.py:26 in watch  (task poll())"),
        ("TestCase::test_socket", "files", "shop/poller.py:13 in serve  (socket)"),
    ):
        metrics = result.metrics(test)
        assert metrics.pop("memory.retained", "passed") == "passed"  # some of the things take a few KB
        assert metrics == {"memory.peak": "passed", f"leftover.{kind}": "regressed"}
        found = result.found(test, f"leftover.{kind}")
        assert found["measurement"]["value"] == 1
        header = f"_ {test.replace('::', '.')} _"
        text = result.out.partition(header)[2].partition("if it is meant")[0]
        assert place in text or re.search(place, text), text
        assert re.search(r"called from test_shop.py:\d+ in \w+", text), text
    junit = (project.root / "junit.xml").read_text(encoding="utf-8")
    assert 'errors="0" failures="7"' in junit
    assert "memgate.leftover.threads" in junit


QUIET = """
    import asyncio
    import multiprocessing
    import os
    import socket
    import subprocess
    import threading
    import time
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    import pytest

    POOL = ThreadPoolExecutor(6)
    WORKERS = ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn"))
    CONNECTION, SERVICE, THREADS = [], [], []

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.fixture(scope="module")
    def module_thread():
        end = threading.Event()
        thread = threading.Thread(target=end.wait)
        thread.start()
        yield
        end.set()
        thread.join()

    @pytest.fixture(scope="session")
    def session_process():
        with subprocess.Popen(["sleep", "60"]) as process:
            yield
            process.kill()

    @pytest.fixture(scope="module")
    def module_pool():
        with ThreadPoolExecutor(5) as pool:
            yield pool

    @pytest.fixture
    def server(tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as listening, open(tmp_path / "log", "w"):
            thread = threading.Thread(target=listening.accept, daemon=True)
            thread.start()
            yield
            socket.create_connection(listening.getsockname()).close()
            thread.join()

    @pytest.fixture
    async def app():
        tasks = []
        yield tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @pytest.mark.parametrize("time_", range(2))
    class TestFirstUse:
        def test_pool(self, time_):
            for _ in range(2):
                POOL.submit(time.sleep, 0.001)

        def test_processes(self, time_):
            list(WORKERS.map(abs, range(3)))

        def test_thread(self, time_):
            if not THREADS:
                THREADS.append(threading.Thread(target=threading.Event().wait, daemon=True))
                THREADS[0].start()

    @pytest.mark.parametrize("time_", range(2))
    class TestReplaced:
        def test_connection(self, time_):
            old = CONNECTION[:]
            CONNECTION[:] = [socket.socket()]
            for one in old:
                one.close()

        def test_service(self, time_):
            old, end = SERVICE[:], threading.Event()
            threading.Thread(target=end.wait, daemon=True).start()
            SERVICE[:] = [end]
            for one in old:
                one.set()

    class TestOfOthers:
        def test_module_thread(self, module_thread): ...

        def test_asked_for_late(self, request):
            request.getfixturevalue("session_process")
            request.getfixturevalue("module_thread")

        def test_pool(self, module_pool):
            list(module_pool.map(time.sleep, [0.001] * 3))

        def test_server(self, server): ...

        @pytest.mark.anyio
        async def test_app(self, app):
            app.append(asyncio.create_task(asyncio.sleep(60)))

    class TestEnding:
        def test_timer(self):
            threading.Timer(0.1, int).start()

        def test_cycle(self, tmp_path):
            held = [open(tmp_path / "log", "w")]
            held.append(held)

        def test_forgotten_child(self):
            subprocess.Popen(["true"])

        def test_task(self):
            async def main():
                asyncio.create_task(asyncio.sleep(0.05))
            asyncio.run(main())

        @pytest.mark.asyncio
        async def test_cancelled(self):
            asyncio.create_task(asyncio.sleep(60)).cancel()
            await asyncio.to_thread(abs, 1)

    def test_failing_by_itself():
        CONNECTION.append(socket.socket())
        pytest.xfail("as it does")
"""


def test_what_is_no_leftover_is_quiet_in_any_order(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\nfilterwarnings = ignore\n")
    project.write("test_one.py", QUIET)
    project.write("test_two.py", QUIET)
    project.prepare(plugins=ASYNC)
    assert "leftover" not in project.baseline("test_one.py") + project.baseline("test_two.py")
    random = (*ASYNC, "randomly")
    for args, plugins in (
        (("-p", "randomly", "-p", "no:cacheprovider"), random),
        (("-n2",), random),
        (("-k", "test_one and (pool or processes) and 1"), ASYNC),
        (("-k", "test_two and (cycle or late)"), ASYNC),
    ):
        result = project.gate(*args, plugins=plugins)
        assert result.code == 0, result.out
        assert not any(finding["metric"].startswith("leftover") for finding in result.run["findings"]), result.out


def test_a_baseline_keeps_only_what_is_left(project: Project) -> None:
    tests = """
        import pytest
        from shop import poller

        def test_polls():
            poller.start()

        @pytest.mark.memgate("leftover.threads", growth=1)
        def test_may():
            poller.start()

        def test_other(): ...
    """
    leaving(project, tests)
    result = project.gate()
    assert result.found("test_may", "leftover.threads")["outcome"] == "passed"
    assert result.found("test_polls", "leftover.threads")["outcome"] == "regressed"
    # What a known test begins to leave is a raise, with a reason.
    refused = project.gate("--memgate-update")
    assert refused.code == 1
    assert "raised, so not written without a reason of its own" in refused.out
    assert "test_shop.py::test_polls leftover.threads 0 -> 1" in refused.out
    project.update("--memgate-reason", "the poller is new")
    baseline = project.baseline("test_shop.py")
    assert baseline.count("leftover.threads:\n      value: 1\n") == 1  # the other test is within its budget
    assert "shop/poller.py:start: 1" in baseline
    project.update("--memgate-reason", "the same again")
    assert project.baseline("test_shop.py") == baseline
    assert project.gate().code == 0
    # One more beside the one that is known is the one that is named.
    project.replace(
        "test_shop.py", "def test_polls():\n", "def test_polls():\n    poller.log('orders.log')\n    poller.start()\n"
    )
    result = project.gate()
    assert result.metrics("test_polls") == {
        "memory.peak": "passed",
        "leftover.threads": "regressed",
        "leftover.files": "regressed",
    }
    assert "leftover.threads 1 -> 2: +1 is over its budget of 0" in result.out
    assert "+1  shop/poller.py:19 in log  (file orders.log)" in result.out
    # A test that is repaired is shown, and loses its entry.
    project.write("shop/poller.py", "def start(): ...\ndef log(path): ...\n")
    result = project.gate()
    assert result.code == 0
    assert result.found("test_polls", "leftover.threads")["outcome"] == "improved"
    assert "leftover.threads 1 -> 0: -1, so the baseline can be lowered" in result.out
    project.update()
    assert "leftover" not in project.baseline("test_shop.py")


def test_only_what_is_confirmed_fails_a_test(project: Project) -> None:
    tests = """
        import os
        import pytest
        from shop import poller

        def test_once():
            poller.start()
            assert not os.environ.setdefault("RAN", "") and not os.environ.update(RAN="yes")

        @pytest.mark.memgate(skip="it is meant")
        def test_skipped():
            poller.start()

        def test_captured(capsys, caplog):
            print("in the call")
            assert capsys.readouterr().out == "in the call\\n"
            assert not caplog.records
            poller.start()

        @pytest.fixture(autouse=True, scope="module")
        def last():
            yield
            print("the module ends")
    """
    leaving(project, tests)
    project.write(
        "test_flaky.py",
        """
        import os
        from shop import poller

        def test_flaky():
            if "TRIED" not in os.environ:
                os.environ["TRIED"] = "yes"
                poller.start()
                assert False
    """,
    )
    result = project.gate("--reruns=1", "-rP", plugins=("rerunfailures",))
    assert result.metrics("test_flaky") == {"memory.peak": "new"}
    assert result.metrics("test_skipped") == {"memory.peak": "skipped"}
    once = result.found("test_once", "leftover.threads")
    assert once["outcome"] == "passed"
    assert "it failed when it was run again (AssertionError)" in result.summary()
    # The teardown goes on as pytest began it.
    assert re.search(r"Captured stdout teardown -+\nthe module ends\n", result.out)
    captured = result.found("test_captured", "leftover.threads")
    assert captured["outcome"] == "regressed", "a test that looks at its output and log is confirmed like any other"
