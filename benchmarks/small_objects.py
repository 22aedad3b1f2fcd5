"""Whether a gate sees small objects: memray's usual settings against traced allocators.

Every test of a real public suite is run as it is and with 350 KB of small objects more, under both settings. A growth
counts as seen where the peak rises by more than 200 KB. Prints the counts last; exits with 1 unless tracing sees all.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from bench_common import only, project, run_pytest, say, title

_PLUGIN = """
import gc, json, os
import memray, pytest

PEAKS = {}
INJECT = os.environ["INJECT"] == "1"
TRACED = os.environ["TRACED"] == "1"

@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pyfunc_call(pyfuncitem):
    test = pyfuncitem.obj
    def traced(*args, **kwargs):
        kept = [(number, str(number)) for number in range(2800)] if INJECT else None
        return test(*args, **kwargs)
    def measured(*args, **kwargs):
        gc.collect()
        with memray.Tracker("one.bin", trace_python_allocators=TRACED,
                            file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS):
            return traced(*args, **kwargs)
    pyfuncitem.obj = measured
    try:
        return (yield)
    finally:
        pyfuncitem.obj = test
        if os.path.exists("one.bin"):
            with memray.FileReader("one.bin") as reader:
                PEAKS[pyfuncitem.nodeid] = reader.metadata.peak_memory
            os.unlink("one.bin")

def pytest_sessionfinish():
    with open("peaks.json", "w") as file:
        json.dump(PEAKS, file)
"""
SEEN = 200_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", default=["networkx.classes"], help="importable test packages")
    arguments = parser.parse_args()
    title(f"+350 KB of small objects in each test of {' '.join(arguments.suite)}")
    with project() as folder:
        (folder / "probe.py").write_text(_PLUGIN)
        seen, tests = {}, 0
        for traced in ("0", "1"):
            plain, grown = (_peaks(folder, arguments.suite, traced, inject) for inject in ("0", "1"))
            tests = len(plain)
            seen[traced] = sum(grown[test] - plain[test] > SEEN for test in plain.keys() & grown.keys())
    say(f"seen in {seen['0']} of {tests} tests with memray's usual settings, in {seen['1']} with traced allocators")
    return int(not tests or seen["1"] < tests)


def _peaks(folder: Path, suite: list[str], traced: str, inject: str) -> dict[str, int]:
    os.environ.update(TRACED=traced, INJECT=inject)
    run_pytest(folder, *only(), "-p", "probe", "--pyargs", *suite).expect(0)
    peaks: dict[str, int] = json.loads((folder / "peaks.json").read_text())
    return peaks


if __name__ == "__main__":
    sys.exit(main())
