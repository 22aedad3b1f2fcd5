"""What holds for any value: texts and files read back, sums are whole, patterns never raise."""

import json
from collections.abc import Mapping
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from samples import HEADER, METRIC, SUBJECT, budget, known, settled

from pytest_memgate.baseline.document import Document, dump, load
from pytest_memgate.budget.match import matches
from pytest_memgate.budget.rule import Allowance
from pytest_memgate.compare.agreement import agree, settled_value
from pytest_memgate.compare.attribution import growth_by_site, largest
from pytest_memgate.compare.judge import ceiling, judge
from pytest_memgate.model.codec import decode, encode
from pytest_memgate.model.environment import Environment, Header
from pytest_memgate.model.judgement.finding import Finding, Outcome
from pytest_memgate.model.judgement.reference import Reference
from pytest_memgate.model.measurement import Measurement
from pytest_memgate.model.run import Run
from pytest_memgate.model.site import Site
from pytest_memgate.model.subject import Subject
from pytest_memgate.tasks.run.file import json_schema, to_json
from pytest_memgate.units import format_growth, format_size, parse_size

SIZES = st.integers(min_value=0, max_value=10**15)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))  # what JSON can hold
HOSTILE = st.sampled_from(
    [
        *("yes", "no", "null", "~", "true", "1e3", "0x10", "012", "1_000", "1:30", "2027-01-31", ".inf", "=", "<<"),
        *("", " ", "-", "?", ":", "- a", "? a", "a: b", "a #b", "#a", "&a", "*a", "!a", "!!int 3", "%a", "@a", "`a"),
        *("{", "}", "[", "]", ",", "'", '"', "\\", "|", ">", "---", "...", "test_a[1-2]", "test[a::b]", "<<<<<<< HEAD"),
        *("a\nb", "a\n\nb", "\n", "a\r\nb", "\t", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "😀", "ünï", "x" * 2000),
        *("test_a[" + "long " * 60 + "]", "a\n" * 70, " leading", "trailing ", "tests:", "format: 2"),
    ]
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | HOSTILE
# What can be measured: sizes, milliseconds, shares.
AMOUNTS_KEPT = SIZES | st.floats(min_value=1e-9, max_value=1e15)
REFERENCES = st.builds(
    Reference,
    value=AMOUNTS_KEPT,
    unit=NAMES,
    sites=st.dictionaries(NAMES, AMOUNTS_KEPT, max_size=4),
    anchor=st.none() | AMOUNTS_KEPT,
    reason=NAMES,
    spread=AMOUNTS_KEPT,
    repeatable=st.booleans(),
    samples=st.lists(AMOUNTS_KEPT, max_size=6).map(tuple),
    conditions=st.dictionaries(NAMES, NAMES, max_size=3),
    audits=st.dictionaries(NAMES, AMOUNTS_KEPT, max_size=3),
)
HEADERS = st.just(Header()) | st.builds(Header, allocator=NAMES, memray=NAMES, coverage=st.booleans())
DOCUMENTS = st.builds(
    Document,
    header=HEADERS,
    entries=st.dictionaries(NAMES, st.dictionaries(NAMES, REFERENCES, min_size=1, max_size=2), max_size=4),
)
SITES = st.lists(
    st.builds(
        Site,
        path=st.sampled_from(["a.py", "b/c.py", "c:/d.py"]),
        function=st.sampled_from(["f", "g", "<module>", "h", "T.m"]),
        size=SIZES,
    ),
    unique_by=lambda site: site.key,
    max_size=15,
)


@given(SIZES)
def test_a_size_in_bytes_reads_back_exactly(size: int) -> None:
    assert parse_size(size) == size
    assert parse_size(f"{size}B") == size


@given(st.integers(min_value=0, max_value=999_000_000_000))
def test_a_size_reads_back_to_three_digits(size: int) -> None:
    shown = parse_size(format_size(size))
    assert abs(shown - size) <= 0.005 * size
    assert format_size(shown) == format_size(size)


@given(SIZES, SIZES)
def test_a_larger_size_is_never_shown_as_smaller(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert parse_size(format_size(low)) <= parse_size(format_size(high))


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_a_growth_shows_its_sign(size: int) -> None:
    assert format_growth(size).startswith("-" if size < 0 else "+")


@given(st.text(max_size=30))
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    for parse in (parse_size, Allowance.parse):
        try:
            parse(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017  # either way is right


AMOUNTS = st.sampled_from([f"{number} {unit}" for number in (0, 1, 7, 200, 999) for unit in ("B", "KB", "MB", "GB")])
PERCENTS = st.integers(min_value=0, max_value=100_000).map(lambda number: f"{number / 1000:g}%")
ALLOWANCES = AMOUNTS | PERCENTS | st.builds("{}({}, {})".format, st.sampled_from(["max", "min"]), AMOUNTS, PERCENTS)


@given(ALLOWANCES)
def test_the_text_of_an_allowance_reads_back(text: str) -> None:
    allowance = Allowance.parse(text)
    assert Allowance.parse(str(allowance)) == allowance


@given(ALLOWANCES, SIZES, SIZES)
def test_a_larger_base_never_allows_less(text: str, one: int, other: int) -> None:
    allowance = Allowance.parse(text)
    low, high = sorted((one, other))
    assert 0 <= allowance.of(low) <= allowance.of(high)


@given(AMOUNTS, PERCENTS, SIZES)
def test_max_allows_both_and_min_neither_more(size: str, percent: str, base: int) -> None:
    both = [Allowance.parse(size).of(base), Allowance.parse(percent).of(base)]
    assert Allowance.parse(f"max({size}, {percent})").of(base) == max(both)
    assert Allowance.parse(f"min({size}, {percent})").of(base) == min(both)


@given(ALLOWANCES)
def test_no_allowance_is_looser_than_itself(text: str) -> None:
    assert not Allowance.parse(text).looser_than(Allowance.parse(text))


@given(DOCUMENTS)
def test_a_baseline_file_reads_back_whatever_the_names(document: Document) -> None:
    text = dump(document)
    again = load(text, "here")
    assert again == document
    assert dump(again) == text
    assert text.endswith("\n")


@given(DOCUMENTS)
def test_a_baseline_file_survives_a_disk_and_a_checkout_with_crlf(document: Document) -> None:
    text = dump(document)
    assert load(text.encode().decode(), "here") == document
    plain = text.replace("\n", "\r\n")
    assert dump(load(plain, "here")) == text


@given(st.dictionaries(NAMES, REFERENCES, max_size=5), st.randoms(use_true_random=False))
def test_the_order_in_which_tests_ran_leaves_no_trace(entries: Mapping[str, Reference], random: Random) -> None:
    names = list(entries)
    random.shuffle(names)
    straight = Document(header=HEADER, entries={name: {METRIC: entries[name]} for name in entries})
    turned = Document(header=HEADER, entries={name: {METRIC: entries[name]} for name in names})
    assert dump(straight) == dump(turned)


@given(st.from_type(Finding))
def test_any_finding_survives_json(finding: Finding) -> None:
    assert decode(Finding, json.loads(json.dumps(encode(finding)))) == finding


@given(st.builds(Run, environment=st.builds(Environment, key=NAMES, header=HEADERS)))
def test_any_run_survives_json(run: Run) -> None:
    assert decode(Run, json.loads(json.dumps(encode(run)))) == run


SCHEMA = Draft202012Validator(json_schema())


@given(st.builds(Run, environment=st.builds(Environment, key=NAMES, header=HEADERS)))
def test_the_file_of_any_run_fits_its_schema(run: Run) -> None:
    assert [error.message for error in SCHEMA.iter_errors(json.loads(json.dumps(to_json(run))))] == []


@given(SITES, SITES, st.integers(min_value=1, max_value=12))
def test_what_grew_sums_to_the_growth(head: list[Site], base: list[Site], most: int) -> None:
    growth = sum(site.size for site in head) - sum(site.size for site in base)
    for kept in ({site.key: site.size for site in base}, largest(base, sum(site.size for site in base))):
        grown = growth_by_site(head, kept, growth, most=most)
        assert sum(one.growth for one in grown) == growth
        named = [one.site.key for one in grown if one.site]
        assert len(named) == len(set(named)) <= most
        assert all(one.growth for one in grown)


@given(SITES)
def test_a_baseline_keeps_no_more_than_it_needs(sites: list[Site]) -> None:
    peak = sum(site.size for site in sites)
    kept = largest(sites, peak)
    assert len(kept) <= 10
    assert all(size > 0.02 * peak for size in kept.values())


@given(st.text(max_size=25), st.text(max_size=15), st.text(max_size=15))
def test_no_pattern_raises(pattern: str, file: str, name: str) -> None:
    assert matches(pattern, Subject(file, name)) in {True, False}


@given(
    st.text(st.characters(exclude_characters="*?:/"), min_size=1, max_size=15),
    st.text(st.characters(exclude_characters="*?"), min_size=1, max_size=15),
)
def test_a_test_matches_its_own_name(file: str, name: str) -> None:
    assert matches(f"{file}::{name}".rstrip("/"), Subject(file, name.rstrip("/")))


@given(SIZES, st.integers(min_value=0, max_value=10**12), ALLOWANCES)
def test_the_ceiling_is_where_growth_begins_to_fail(base: int, more: int, text: str) -> None:
    allowed, reference = budget(text), Reference(value=base)
    top = ceiling(allowed, reference)
    assert top is not None
    found = judge(SUBJECT, METRIC, settled(base + more), allowed, known(reference))
    assert (found.outcome is Outcome.REGRESSED) is (base + more > top)


@given(SIZES, SIZES)
def test_agreement_goes_both_ways(one: int, other: int) -> None:
    assert agree(one, other) is agree(other, one)
    assert settled_value((one, other)) in {None, max(one, other)}


@given(st.builds(Measurement, value=SIZES, cold=SIZES, warm=st.lists(SIZES, max_size=3).map(tuple)))
def test_first_use_is_never_negative(measurement: Measurement) -> None:
    assert 0 <= measurement.first_use <= measurement.cold
