"""The baseline file: what it looks like, that it reads back, and how each damage is reported."""

import pytest
from samples import FILE, HEADER, METRIC, document

from pytest_memgate.baseline.document import Document, dump, load
from pytest_memgate.errors import BaselineError
from pytest_memgate.model.environment import Header
from pytest_memgate.model.judgement.reference import Reference

WHERE = f".memgate/env/{FILE}.yaml"
HEAD = "format: 2\nallocator: pymalloc, traced\nmemray: '1.20'\ncoverage: false\n"
ENTRY = "tests:\n  test_a:\n    memory.peak:\n      value: 10\n"
REMEDY = "; restore it from git, or delete it and run: memgate baseline update"

FULL = document(
    {
        "test_b": Reference(value=20),
        "test_a[x: y]": Reference(
            value=3000,
            sites={"shop/b.py:<module>": 900, "shop/a.py:load": 2000},
            anchor=1000,
            reason="new cache",
            spread=50,
            repeatable=False,
        ),
    }
)


def test_a_file_is_sorted_block_yaml_with_a_blank_line_between_tests() -> None:
    assert dump(FULL) == (
        "# Written by `memgate baseline update`; review it like code.\n"
        "format: 2\n"
        "allocator: pymalloc, traced\n"
        "memray: '1.20'\n"
        "coverage: false\n"
        "tests:\n"
        "\n"
        "  'test_a[x: y]':\n"
        "    memory.peak:\n"
        "      value: 3000\n"
        "      anchor: 1000\n"
        "      reason: new cache\n"
        "      repeatable: false\n"
        "      spread: 50\n"
        "      sites:\n"
        "        shop/a.py:load: 2000\n"
        "        shop/b.py:<module>: 900\n"
        "\n"
        "  test_b:\n"
        "    memory.peak:\n"
        "      value: 20\n"
        "\n"
        "# end\n"
    )


def test_what_was_written_reads_back() -> None:
    assert load(dump(FULL), WHERE) == FULL
    assert load(dump(Document(header=HEADER)), WHERE) == Document(header=HEADER)


PAGE = Reference(
    value=1953.4,
    anchor=1600.5,
    reason="new hero",
    conditions={"throttling": "simulate", "lighthouse": "12.6"},
    samples=(1951, 1953.4, 1957.25),
    sites={"load delay": 900.5, "https://cdn.example/a.js?x: y": 3},
    audits={"unused-javascript": 150},
)
WEB = Document(
    header=Header(),
    entries={
        "page[home]": {"web.lcp": PAGE, "web.cls": Reference(value=0.02, samples=(0.02, 0.02, 0.02))},
        "bundle[app]": {"bundle.initial.gzip[src/main.js]": Reference(value=2309, conditions={"zlib": "zlib-ng"})},
    },
)
ROWS = Document(header=HEADER, entries={"test_a": {"custom.rows": Reference(value=41.5, unit="rows")}})


def test_a_file_of_the_web_has_no_header_but_its_format() -> None:
    assert dump(WEB) == (
        "# Written by `memgate baseline update`; review it like code.\n"
        "format: 2\n"
        "tests:\n"
        "\n"
        "  bundle[app]:\n"
        "    bundle.initial.gzip[src/main.js]:\n"
        "      value: 2309\n"
        "      conditions: {zlib: zlib-ng}\n"
        "\n"
        "  page[home]:\n"
        "    web.cls:\n"
        "      value: 0.02\n"
        "      samples: [0.02, 0.02, 0.02]\n"
        "    web.lcp:\n"
        "      value: 1953.4\n"
        "      anchor: 1600.5\n"
        "      reason: new hero\n"
        "      conditions: {lighthouse: '12.6', throttling: simulate}\n"
        "      samples: [1951, 1953.4, 1957.25]\n"
        "      sites:\n"
        "        'https://cdn.example/a.js?x: y': 3\n"
        "        load delay: 900.5\n"
        "      audits:\n"
        "        unused-javascript: 150\n"
        "\n"
        "# end\n"
    )


@pytest.mark.parametrize("one", [WEB, ROWS], ids=["web", "rows"])
def test_what_was_written_of_other_metrics_reads_back(one: Document) -> None:
    assert load(dump(one), WHERE) == one
    assert dump(load(dump(one), WHERE)) == dump(one)


def test_a_unit_of_the_projects_own_stands_below_the_value() -> None:
    assert "    custom.rows:\n      value: 41.5\n      unit: rows\n" in dump(ROWS)


@pytest.mark.parametrize(
    "value",
    [0, 0.1, 1e-5, 1e-9, 0.1 + 0.2, 123456789.123, 10**17, 1e17, 2.5e15, 10**18, 1e300, 1e-300],
)
def test_a_value_of_any_size_reads_back(value: float) -> None:
    one = Document(header=HEADER, entries={"test_a": {"custom.x": Reference(value=value, samples=(value,))}})
    assert load(dump(one), WHERE) == one


def test_the_order_of_samples_is_kept_and_that_of_conditions_is_not() -> None:
    turned = Reference(value=5, samples=(9, 1, 5), conditions={"b": "2", "a": "1"})
    text = dump(Document(header=HEADER, entries={"test_a": {"web.lcp": turned}}))
    assert "conditions: {a: '1', b: '2'}" in text
    assert load(text, WHERE).entries["test_a"]["web.lcp"].samples == (9, 1, 5)


def test_a_file_of_the_web_that_says_how_memory_was_measured_must_say_all_of_it() -> None:
    assert load(dump(WEB).replace("format: 2\n", HEAD), WHERE).header == HEADER
    with pytest.raises(BaselineError, match="'memray' is missing"):
        load(dump(WEB).replace("format: 2\n", "format: 2\nallocator: x\n"), WHERE)


def test_the_order_of_entries_and_sites_makes_no_difference() -> None:
    turned = {
        name: {
            metric: Reference(value=one.value, sites=dict(reversed(list(one.sites.items()))))
            for metric, one in metrics.items()
        }
        for name, metrics in reversed(list(FULL.entries.items()))
    }
    straight = {
        name: {metric: Reference(value=one.value, sites=one.sites) for metric, one in metrics.items()}
        for name, metrics in FULL.entries.items()
    }
    assert dump(Document(header=HEADER, entries=turned)) == dump(Document(header=HEADER, entries=straight))


def test_a_hand_written_file_reads_the_same() -> None:
    text = HEAD + 'tests: {"test_a": {memory.peak: {value: 10, sites: }}}\n'
    assert load(text, WHERE).entries == {"test_a": {METRIC: Reference(value=10)}}


def test_a_newer_format_says_to_upgrade() -> None:
    text = dump(FULL).replace("format: 2", "format: 3").replace("value:", "amount:")
    with pytest.raises(BaselineError) as caught:
        load(text, WHERE)
    assert str(caught.value) == f"{WHERE}: format 3 is newer than this memgate reads; upgrade pytest-memgate"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": 'format' is missing"),
        ("just words", ":1: a mapping is expected"),
        ("- a\n", ":1: a mapping is expected"),
        ("allocator: x\n", ":1: 'format' is missing"),
        ("format: one\n", ":1: a whole number is expected"),
        ("format: [1]\n", ":1: a whole number is expected"),
        ("format: 2\nallocator: x\n", ":1: 'memray' is missing"),
        (HEAD.replace("coverage: false", "coverage: no"), ":4: true or false is expected"),
        (HEAD.replace("memray: '1.20'", "memray: {}"), ":3: a word is expected"),
        (HEAD + "tests: [a]\n", ":5: a mapping is expected"),
        (HEAD + "tests:\n  test_a: 12\n", ":6: a mapping is expected"),
        (HEAD + "tests:\n  test_a:\n    memory.peak: 12\n", ":7: a mapping is expected"),
        (HEAD + "tests:\n  test_a:\n    memory.peak:\n      anchor: 1\n", ":8: 'value' is missing"),
        (HEAD + ENTRY.replace("10", "ten"), ":8: a number is expected"),
        (HEAD + ENTRY.replace("10", "-10"), ":8: a number is expected"),
        (HEAD + ENTRY.replace("10", "1.5.2"), ":8: a number is expected"),
        (HEAD + ENTRY + "      anchor: x\n", ":9: a number is expected"),
        (HEAD + ENTRY + "      spread: x\n", ":9: a number is expected"),
        (HEAD + ENTRY + "      reason: [x]\n", ":9: a word is expected"),
        (HEAD + ENTRY + "      repeatable: 0\n", ":9: true or false is expected"),
        (HEAD + ENTRY + "      sites: [x]\n", ":9: a mapping is expected"),
        (HEAD + ENTRY + "      unit: {}\n", ":9: a word is expected"),
        (HEAD + ENTRY + "      samples: 5\n", ":9: a list is expected"),
        (HEAD + ENTRY + "      samples: {a: 5}\n", ":9: a list is expected"),
        (HEAD + ENTRY + "      samples: [5, x]\n", ":9: a number is expected"),
        (HEAD + ENTRY + "      samples: [5, .nan]\n", ":9: a number is expected"),
        (HEAD + ENTRY + "      samples:\n      - 5\n      - []\n", ":11: a number is expected"),
        (HEAD + ENTRY + "      conditions: [x]\n", ":9: a mapping is expected"),
        (HEAD + ENTRY + "      conditions: {cpu: []}\n", ":9: a word is expected"),
        (HEAD + ENTRY + "      conditions: {cpu: a, cpu: b}\n", ":9: 'cpu' stands here twice, as after a merge"),
        (HEAD + ENTRY + "      audits: {a: x}\n", ":9: a number is expected"),
        (HEAD + ENTRY + "      sites:\n        a:b: x\n", ":10: a number is expected"),
        (HEAD + ENTRY + ENTRY[7:], ":9: 'test_a' stands here twice, as after a merge"),
        (HEAD + ENTRY + "      value: 11\n", ":9: 'value' stands here twice, as after a merge"),
        (HEAD + ENTRY + "   odd: 1\n", ":9: did not find expected key"),
        (HEAD + "tests: {a: b\n", ":6: did not find expected ',' or '}'"),
        (HEAD + "tests:\n  a: \x07\n", ": control characters are not allowed"),
        (HEAD + "tests:\n  {a: b}: 1\n", ":6: a name is expected"),
        (HEAD + "tests: &a {}\n", ":5: anchors and aliases (&name, *name) are not read: write it out, or quote it"),
        (HEAD + "tests: !!map {}\n", ":5: tags (!name) are not read: quote what begins with !"),
        (HEAD + "tests: {<<: {}}\n", ":5: merge keys (<<) are not read: write it out"),
        (HEAD + ENTRY.replace("10", "9" * 5000), ":8: a number is expected"),
    ],
)
def test_a_damaged_file_names_the_line_and_the_remedy(text: str, message: str) -> None:
    with pytest.raises(BaselineError) as caught:
        load(text, WHERE)
    assert str(caught.value) == f"{WHERE}{message}{REMEDY}"


@pytest.mark.parametrize("at", range(len(dump(FULL).splitlines())))
def test_conflict_markers_are_called_by_their_name(at: int) -> None:
    lines = dump(FULL).splitlines()
    lines[at : at + 1] = ["<<<<<<< HEAD", lines[at], "=======", lines[at], ">>>>>>> other"]
    with pytest.raises(BaselineError, match=r"\.yaml:\d+: conflict markers; restore it from git"):
        load("\n".join(lines), WHERE)


@pytest.mark.parametrize(("number", "kept"), [(1, None), (2, Reference(value=0))])
def test_what_is_not_stored_is_nothing_from_format_2_on(number: int, kept: Reference | None) -> None:
    """A file of format 1 was written before anybody looked at what tests retain."""
    text = dump(Document(header=HEADER, entries={"test_a": {"memory.peak": Reference(value=5000)}}))
    document = load(text.replace("format: 2", f"format: {number}"), WHERE)
    assert document.entry("test_a", "memory.retained") == kept
    assert document.entry("test_a", "memory.peak") == Reference(value=5000)
    assert document.entry("test_a", "custom.rows") is None
    assert document.entry("test_b", "memory.retained") is None
    assert f"format: {number}\n" in dump(document)
