"""What the first run of one test paid once for everybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_memgate.model.subject import Subject

Parts = Mapping[str, float]  # bytes by module or call site


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The first use that a test paid, by owner: a package, or a file of the project.

    `argument` is how pytest is told to run the test. `shared` is what other threads paid while several tests were
    measured together: any of those that `causes` names, by their arguments, may have been the cause. `packages` are the
    owners that can be imported by their name.
    """

    test: Subject
    argument: str
    own: Mapping[str, Parts] = field(default_factory=dict)
    shared: Mapping[str, Parts] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
