"""Which call sites grew: complete, folded, and never more than the growth."""

from samples import site

from pytest_memgate.compare.attribution import growth_by_site, largest
from pytest_memgate.model.site import Contribution, Site


def test_what_grew_comes_first_and_what_shrank_last() -> None:
    head = [site("keep", 900), site("same", 500), site("less", 100), site("fresh", 300)]
    base = {"shop/orders.py:keep": 400, "shop/orders.py:same": 500, "shop/orders.py:less": 200}
    grown = growth_by_site(head, base, 700)
    assert [(one.site and one.site.function, one.growth) for one in grown] == [
        ("keep", 500),
        ("fresh", 300),
        ("less", -100),
    ]
    assert sum(one.growth for one in grown) == 700


def test_a_site_that_is_gone_counts_with_what_it_held() -> None:
    grown = growth_by_site([site("fresh", 1000)], {"shop/orders.py:old": 400}, 600)
    assert [(one.site and one.site.key, one.base, one.head) for one in grown] == [
        ("shop/orders.py:fresh", 0, 1000),
        ("shop/orders.py:old", 400, 0),
    ]


def test_a_gone_site_keeps_its_path_with_colons_and_its_odd_function() -> None:
    gone = growth_by_site([], {"c:/x.py:<module>": 100}, -100)[0].site
    assert gone is not None
    assert (gone.path, gone.function, gone.key) == ("c:/x.py", "<module>", "c:/x.py:<module>")


def test_small_moves_are_folded_into_one_without_a_name() -> None:
    head = [site("big", 10_000), *(site(f"small{number}", 10) for number in range(20))]
    grown = growth_by_site(head, {}, 10_200)
    assert [one.site.function if one.site else None for one in grown] == ["big", None]
    assert grown[-1] == Contribution(site=None, base=0, head=200)


def test_no_more_than_ten_sites_are_named() -> None:
    head = [site(f"f{number:02}", 1000) for number in range(15)]
    grown = growth_by_site(head, {}, 15_000)
    assert len(grown) == 11
    assert grown[-1].site is None
    assert grown[-1].growth == 5000


def test_what_the_baseline_did_not_list_makes_up_the_sum() -> None:
    # The peak grew by 50, though the named site alone brings 400: small ones, which a baseline leaves out, went.
    grown = growth_by_site([site("keep", 900)], {"shop/orders.py:keep": 500}, 50)
    assert [one.growth for one in grown] == [400, -350]
    assert grown[-1].site is None


def test_nothing_moved_names_nothing() -> None:
    assert growth_by_site([site("keep", 900)], {"shop/orders.py:keep": 900}, 0) == ()


def test_a_baseline_keeps_the_sites_above_two_percent_ten_at_most() -> None:
    sites = [*(site(f"f{number:02}", 1000 + number) for number in range(12)), site("edge", 20), site("above", 21)]
    kept = largest(sites, 1000)
    assert len(kept) == 10
    assert next(iter(kept)) == "shop/orders.py:f11"
    assert list(largest([site("edge", 20), site("above", 21)], 1000)) == ["shop/orders.py:above"]


def test_the_harness_is_no_business_of_a_baseline() -> None:
    ours = site("call", 900, path="pytest_memgate/measure/memory/capture.py")
    assert list(largest([ours, site("load", 100)], 1000)) == ["shop/orders.py:load"]


def _chunks(sizes: dict[str, int]) -> list[Site]:
    return [Site(path=path, size=size) for path, size in sizes.items()]


def test_files_that_only_have_another_name_are_no_growth() -> None:
    base = {"chunks/abcdefgh.js": 230_000, "chunks/ijklmnop.js": 90_000, "chunks/qrstuvwx.css": 90_000}
    head = _chunks({"chunks/zyxwvuts.js": 230_003, "chunks/rqponmlk.js": 90_001, "chunks/jihgfedc.css": 90_000})
    assert [(one.site and one.site.path, one.growth) for one in growth_by_site(head, base, 4)] == [
        ("chunks/zyxwvuts.js", 3),
        ("chunks/rqponmlk.js", 1),
    ]


def test_a_renamed_chunk_that_grew_is_told_by_its_growth() -> None:
    base = {f"chunks/*.js ({name}.js)": size for name, size in (("0a1", 230_000), ("0b2", 120_000), ("0c3", 40_000))}
    head = {f"chunks/*.js ({name}.js)": size for name, size in (("0d4", 450_000), ("0e5", 120_004), ("0f6", 40_000))}
    grown = growth_by_site(_chunks(head), base, 220_004)
    assert [(one.site and one.site.path, one.growth) for one in grown] == [
        ("chunks/*.js (0d4.js)", 220_000),
        (None, 4),
    ]


def test_another_file_in_place_of_one_is_told_as_both() -> None:
    grown = growth_by_site(_chunks({"src/new.js": 300_000}), {"src/old.js": 90_000}, 210_000)
    assert [one.growth for one in grown] == [300_000, -90_000]


def test_parts_too_small_for_the_baseline_are_not_taken_for_new_ones() -> None:
    base = {"node_modules/react": 500_000, "src/app.js": 1000}
    small = {f"src/part{number}.js": 1030 for number in range(20)}  # a little below 0.2 % of all, above that of `base`
    grown = growth_by_site(_chunks({**base, "src/app.js": 1001, **small}), base, 1)
    assert [(one.site and one.site.path, one.growth) for one in grown] == [("src/app.js", 1)]
