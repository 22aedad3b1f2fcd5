"""pytest with the gate, in the tree of another commit, with the proof that it ran that commit's code."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from pytest_memgate.tasks.compare.side import Prepared
from pytest_memgate.tasks.prove.pytest_subprocess import QUIET, Done
from pytest_memgate.tasks.run.file import read_run


def pytest_there(base: Prepared, cwd: Path, args: Sequence[str], options: Sequence[str]) -> tuple[Done, list[str]]:
    """Run pytest with the gate in the base, in its `cwd`, and with options of the gate.

    Return what came of it, and files of the project that were imported from elsewhere than the base.
    """
    trees, workspace = base.trees, base.workspace
    folder = workspace.place()
    proofs, report = folder / "proofs", folder / "run.json"
    proofs.mkdir()
    command = [
        *(base.side.python, "-m", "pytest", "-p", "pytest_memgate.plugin.child_runs.tree_proof", *QUIET),
        *([] if any(arg.startswith("--rootdir") for arg in args) else [f"--rootdir={trees.base_root}"]),
        *args,
        *(
            "--memgate",
            *options,
            f"--memgate-report={report}",
            "-o",
            f"cache_dir={folder / 'cache'}",
        ),
    ]
    order = {"from": str(trees.top), "to": str(trees.base_top), "into": str(proofs)}
    env = {
        "MEMGATE_TREE": json.dumps(order),
        "COVERAGE_FILE": str(folder / "coverage"),
        **base.side.env,
    }
    job = workspace.start(command, folder, cwd=trees.there(cwd), env=env)
    try:
        job.wait(math.inf, lambda: None)
        run = read_run(report) if report.exists() else None
        done = Done(code=job.code() or 0, out=job.out(), run=run, seconds=0)
    finally:
        workspace.end(job)
    foreign = [file for proof in sorted(proofs.iterdir()) for file in json.loads(proof.read_text(encoding="utf-8"))]
    return done, foreign
