"""Two commits, both checked out and measured in turn on this machine; the work tree stays as it is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_memgate.errors import MeasureError
from pytest_memgate.model.run import Run
from pytest_memgate.tasks.compare.compare import measured_base
from pytest_memgate.tasks.compare.side import prepared
from pytest_memgate.tasks.compare.side_pytest import pytest_there

_USED = {0, 1}  # pytest's exit codes of a run whose tests ran, whatever came of them


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoCommits:
    """What is to be compared: `head` against `base`, by their ids, with a probability of `error` that it is wrong."""

    base: str
    head: str
    error: float = 0.01


def compare_commits(root: Path, cwd: Path, wanted: TwoCommits, args: Sequence[str], option: str) -> Run:
    """Return the run of `head`, judged against `base`; pytest selects by `args`, as if it stood in `cwd`.

    `option` is what named the commits. Raises MeasureError for a commit that cannot be measured.
    """
    began = time.monotonic()
    with (
        prepared(root, cwd, wanted.head, option, lambda _: None) as head,
        prepared(root, cwd, wanted.base, option, lambda _: None) as base,
    ):
        # Paths of the head lead into its checkout, so that is what the base's are told from.
        side = replace(base.side, top=str(head.trees.base_top), error=wanted.error, is_strict=True)
        into = measured_base(replace(base, side=side), cwd, args, began)
        done, foreign = pytest_there(head, cwd, head.trees.arguments(args), [f"--memgate-measured={into}"])
        head.trees.check(foreign)
    if done.code not in _USED or done.run is None:
        raise MeasureError(f"in {wanted.head[:12]}, {done.why_useless}")
    return done.run
