"""What it costs a gated run to know what each test retains, on a real public suite.

The steps that are made for it are timed in the run itself: the collection at the end of each trace or call, the block
that is mapped there, and the reading of records where the peak does not settle it. Prints their share of the run's
processor time last; exits with 1 where it is above the bound.
"""

import argparse
import re
import sys

from bench_common import only, project, run_pytest, say, title

BOUND = 0.05
_WATCH = """\
import time
from functools import cached_property

from pytest_memgate.measure.memory import capture, recorder
from pytest_memgate.measure.memory import shared_tracker as span

SPENT = {"collecting": 0.0, "reading": 0.0}


def timed(what, step):
    def call(*args):
        start = time.process_time()
        try:
            return step(*args)
        finally:
            SPENT[what] += time.process_time() - start

    return call


end = recorder._Trace._end


def watched_end(trace):
    trace._collect = timed("collecting", trace._collect)
    end(trace)


recorder._Trace._end = watched_end
stop = span.Share._stop


def watched_stop(share, **how):
    collect = share._span.collect
    share._span.collect = timed("collecting", collect)
    stop(share, **how)
    share._span.collect = collect


span.Share._stop = watched_stop
span.show = timed("collecting", span.show)
span.Span.tighten = timed("reading", span.Span.tighten)
reading = cached_property(timed("reading", capture.Capture.retained.func))
reading.__set_name__(capture.Capture, "retained")
capture.Capture.retained = reading


def pytest_unconfigure():
    total = time.process_time()
    print(f"SPENT {SPENT['collecting']:.3f} {SPENT['reading']:.3f} of {total:.3f}")
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="*", default=["networkx.classes"], help="importable test packages")
    arguments = parser.parse_args()
    title(f"what is retained, in a gated run of {' '.join(arguments.suite)}")
    with project() as folder:
        (folder / "watch_retained.py").write_text(_WATCH, encoding="utf-8")
        common = [*only("memgate"), "--pyargs", *arguments.suite, "--memgate"]
        made = run_pytest(folder, *common, "--memgate-update").expect(0)
        say(f"baseline made: {made.summary()}")
        done = run_pytest(folder, "-p", "watch_retained", *common).expect(0)
    found = re.search(r"^SPENT ([\d.]+) ([\d.]+) of ([\d.]+)$", done.output, re.MULTILINE)
    if found is None:
        say("the run did not say what it spent")
        return 2
    collecting, reading, total = map(float, found.groups())
    say(f"{done.summary()}; collecting {collecting:.2f} s, reading {reading:.2f} s of {total:.2f} s processor")
    share = (collecting + reading) / total
    say(f"share of the run: {share:.1%} (at most {BOUND:.0%})")
    return int(share > BOUND)


if __name__ == "__main__":
    sys.exit(main())
