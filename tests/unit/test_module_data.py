"""What the variables of a module hold."""

import sys
import types
from collections import deque
from collections.abc import Iterator

import pytest

from pytest_memgate.measure.python.module_data import ModuleData, loaded_since

NUMBERS = 20_000


@pytest.fixture
def data() -> ModuleData:
    return ModuleData()


def module(**variables: object) -> types.ModuleType:
    made = types.ModuleType("shop.tables")
    vars(made).update(variables)
    return made


def texts() -> list[str]:
    return [f"row {number}" for number in range(NUMBERS)]


EACH = sys.getsizeof("row 12345") + 8


@pytest.mark.parametrize("container", [list, tuple, set, deque, dict.fromkeys])
def test_what_a_container_holds_is_counted(data: ModuleData, container: type) -> None:
    held = data.size(module(TABLE=container(texts())))
    assert 0.9 * NUMBERS * EACH < held < 3 * NUMBERS * EACH


def test_a_module_of_code_holds_next_to_nothing(data: ModuleData) -> None:
    assert data.size(module(sys=sys, f=texts, kind=dict, __doc__="x" * 100_000)) < 1000


def test_an_instance_and_a_class_of_the_module_are_followed(data: ModuleData) -> None:
    kind = type("Store", (), {"__module__": "shop.tables", "SHARED": texts()})
    own = kind()
    own.rows = texts()
    assert data.size(module(Store=kind, STORE=own)) > 1.9 * NUMBERS * EACH


def test_a_foreign_object_is_not_followed(data: ModuleData) -> None:
    foreign = types.SimpleNamespace(rows=texts())
    assert data.size(module(FOREIGN=foreign)) < 1000


def test_who_imports_a_table_holds_none_of_it(data: ModuleData) -> None:
    table = texts()
    assert data.size(module(TABLE=table)) > NUMBERS * EACH
    assert data.size(module(TABLE=table, more=[table])) < 1000


def test_a_size_that_raises_and_a_loop_are_no_end(data: ModuleData) -> None:
    class Wrong:
        def __sizeof__(self) -> int:
            raise ValueError

    loop: list[object] = [Wrong()]
    loop.append(loop)
    assert data.size(module(LOOP=loop)) < 1000


def test_a_large_table_is_looked_at_for_a_while_only(data: ModuleData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_memgate.measure.python.module_data._MOST", 100)
    assert 0 < data.size(module(TABLE=texts())) < 1_000_000


@pytest.fixture
def two_modules() -> Iterator[tuple[types.ModuleType, types.ModuleType]]:
    made = types.ModuleType("memgate_outer"), types.ModuleType("memgate_inner")
    sys.modules.update({one.__name__: one for one in made})
    yield made
    for one in made:
        del sys.modules[one.__name__]


def test_new_modules_come_with_those_first_that_others_needed(
    two_modules: tuple[types.ModuleType, types.ModuleType],
) -> None:
    outer, inner = two_modules
    found = loaded_since(sys.modules.keys() - {"memgate_outer", "memgate_inner"})
    assert found == [inner, outer]
