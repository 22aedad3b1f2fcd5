"""Programs that keep what they allocate, played call by call: what a tracker would see of them, without a process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from samples import site

from pytest_memgate.compare.leak_slope import Slope, measure_slope
from pytest_memgate.model.leak import Held, Step

Call = Callable[["Program", int], None]


@dataclass
class Program:
    """A program that keeps things: each call gets its number, and says what it allocates and what it gives up.

    `alive` maps what is kept to its bytes and to the call that allocated it. What was there before is not seen.
    """

    call: Call
    alive: dict[object, tuple[float, int]] = field(default_factory=dict)
    done: int = 0
    loose: bool = False

    def keep(self, name: object, size: float) -> None:
        self.alive[name] = (size, self.done)

    def run(self, step: Step) -> Mapping[str, Held]:
        first = self.done + step.warmup
        for _ in range(step.warmup + step.calls):
            self.call(self, self.done)
            self.done += 1
        blocks, count = [0.0] * step.blocks, 0
        for size, when in self.alive.values():
            if when >= first:
                blocks[(when - first) * step.blocks // step.calls] += size
                count += 1
        one = site("keep", int(sum(blocks)))
        return {one.key: Held(site=one, count=count, blocks=() if self.loose else tuple(blocks))} if count else {}


def slope_of(program: Program, *, rounds: int = 40, warmup: int = 10, top: float | None = None) -> Slope:
    plan = measure_slope(rounds, warmup, lambda slope: top is not None and (slope.low > top or slope.high <= top))
    step = next(plan)
    while True:
        try:
            step = plan.send(program.run(step))
        except StopIteration as done:
            slope: Slope = done.value
            return slope


def list_buffer(length: int) -> int:
    """Return the places that CPython has taken for a list by the time that it is so long."""
    places = 0
    for size in range(1, length + 1):
        if size > places:
            places = (size + (size >> 3) + 6) & ~3
    return places


def appends(program: Program, call: int) -> None:
    if list_buffer(call + 1) != list_buffer(call):
        program.keep("buffer", 8 * list_buffer(call + 1))


def caches(entries: int) -> Call:
    def call(program: Program, number: int) -> None:
        program.keep(number, 100)
        program.alive.pop(number - entries, None)

    return call


def each(every: int, size: float = 1000) -> Call:
    def call(program: Program, number: int) -> None:
        if number % every == 0:
            program.keep(number, size)

    return call


def once(at: int) -> Call:
    return lambda program, number: program.keep("state", 100_000) if number == at else None


def memo(keys: int) -> Call:
    def call(program: Program, number: int) -> None:
        key = number * 7919 % keys
        if key not in program.alive:
            program.keep(key, 500)

    return call


def resizes(every: int) -> Call:
    """Return a bounded container that is built anew now and then."""
    return lambda program, number: program.keep("table", 4704) if number % every == 0 else None
