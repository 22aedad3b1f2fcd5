"""Whether services that leak 16 B to 1 KB a request are found and named, and whether healthy ones are left alone.

Real servers in Python and Go, each with a baseline of what it does without a fault. Those that leak keep so many bytes
of each request. The healthy ones fill a cache of fixed size, rise and fall with the load, make a rare large answer, or
break the heap into fragments. Prints the counts last; exits with 1 unless each leak is red within 20,000 requests, with
its line named (of Go's, from 100 B on, as its profile is a sample), and no healthy service is.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench_common import findings, only, project, run_pytest, say, title

LEAKS = (16, 100, 1000)
HEALTHY = ("cache", "waves", "large", "fragments")
_SAMPLED = 100  # bytes from which on Go's profile has some of 17,500 allocations
_PYTHON = """
import json, math, random, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

kind, keeps = sys.argv[2], int(sys.argv[3])
kept, cache, number = [], {}, 0

def remember():
    kept.append(object() if keeps <= 16 else bytes(keeps - sys.getsizeof(b'')))

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def do_GET(self):
        global number
        number += 1
        if keeps:
            remember()
        if kind == "cache":
            cache[random.randrange(2000)] = bytes(500)
        elif kind == "waves":
            kept[:] = [bytes(1000) for _ in range(int(100 + 100 * math.sin(number / 900)))]
        elif kind == "large" and random.random() < 0.01:
            [bytearray(64_000) for _ in range(random.randrange(100))]
        elif kind == "fragments":
            cache[number % 500] = bytes(random.randrange(5000))
        body = json.dumps(list(range(random.randrange(200)))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
_GO = """
package main

import (
	"encoding/json"
	"math"
	"math/rand"
	"net/http"
	_ "net/http/pprof"
	"os"
	"strconv"
	"sync"
)

var lock sync.Mutex
var kept [][]byte
var cache = map[int][]byte{}
var number int

func remember(size int) { kept = append(kept, make([]byte, size)) }

func main() {
	kind := os.Args[2]
	keeps, _ := strconv.Atoi(os.Args[3])
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		number++
		if keeps > 0 {
			remember(keeps)
		}
		switch kind {
		case "cache":
			cache[rand.Intn(2000)] = make([]byte, 500)
		case "waves":
			kept = nil
			for i := 0.0; i < 100+100*math.Sin(float64(number)/900); i++ {
				remember(1000)
			}
		case "large":
			if rand.Intn(100) == 0 {
				kept = nil
				for i := 0; i < rand.Intn(100); i++ {
					remember(64000)
				}
				kept = nil
			}
		case "fragments":
			cache[number%500] = make([]byte, rand.Intn(5000))
		}
		json.NewEncoder(w).Encode(rand.Perm(rand.Intn(200) + 1))
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
"""


def main() -> int:
    """Run it; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="of each healthy service (default 7)")
    args = parser.parse_args()
    with project() as folder:
        commands = {"python": f"{sys.executable} serve.py", **_go(folder)}
        (folder / "serve.py").write_text(_PYTHON, encoding="utf-8")
        leaking = [(language, size) for language in commands for size in LEAKS]
        healthy = [(language, kind, run) for language in commands for kind in HEALTHY for run in range(args.runs)]
        leak_lines = [
            f"  {lang}-leak-{size}: {{start: '{commands[lang]} {{port}} leak {size}'}}" for lang, size in leaking
        ]
        healthy_lines = [
            f"  {lang}-{kind}-{run}: {{start: '{commands[lang]} {{port}} {kind} 0'}}" for lang, kind, run in healthy
        ]
        (folder / "memgate.yml").write_text("\n".join(["services:", *leak_lines, *healthy_lines, ""]), encoding="utf-8")
        report = folder / "run.json"
        title(f"{len(leaking)} services that leak, {len(healthy)} that do not")
        done = run_pytest(folder, *only("memgate", "xdist"), "--memgate", "-n2", f"--memgate-report={report}")
        done.expect(0, 1)
        found = {one["subject"]["name"]: one for one in findings(report) if one["metric"] == "service.leak"}
    red, named, alarms, bounds = 0, 0, [], []
    for name, one in sorted(found.items()):
        size = name.rpartition("-")[2].removesuffix("]") if "-leak-" in name else ""
        is_red = one["outcome"] == "regressed"
        sites = [f"{site['path']}:{site.get('function', '')}" for site in one["measurement"].get("sites", [])]
        if size:
            red += is_red
            named += any("remember" in site for site in sites) or ("go" in name and int(size) < _SAMPLED)
        elif is_red:
            alarms.append(name)
        else:
            bounds.append(one["measurement"].get("value", one["measurement"].get("bound", 0.0)))
        say(f"{name}: {one['outcome']}, {one.get('reason') or 'no leak'}")
    say(f"no leak above (median of the healthy ones): {median(bounds):.1f} B a request")
    say(
        f"{red} of {len(leaking)} leaks found, {named} named; {len(alarms)} of {len(healthy)} healthy ones called leaks"
    )
    return 0 if red == named == len(leaking) and not alarms else 1


def _go(folder: Path) -> dict[str, str]:
    """Build the server in Go, and return its command; nothing without a compiler."""
    compiler = shutil.which("go")
    if not compiler:
        print("no Go here: only Python's servers are tried")
        return {}
    (folder / "go.mod").write_text("module soak\n\ngo 1.18\n", encoding="utf-8")
    (folder / "main.go").write_text(_GO, encoding="utf-8")
    environment = {**os.environ, "GOCACHE": str(folder / "cache")}
    subprocess.run([compiler, "build", "-o", "soak", "."], cwd=folder, check=True, env=environment)
    return {"go": "./soak"}


if __name__ == "__main__":
    sys.exit(main())
