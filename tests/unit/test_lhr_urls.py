"""Names of resources that stay the same from build to build."""

import time

import pytest

from pytest_memgate.measure.lighthouse.urls import names, without_hash

PAGE = "http://localhost:40001/shop/"


@pytest.mark.parametrize(
    ("path", "stable"),
    [
        ("/assets/index-BxYzAbCd.js", "/assets/index-*.js"),  # Vite, Rollup
        ("/assets/index-B-x_Y9aZ.css", "/assets/index-*.css"),
        ("/assets/main-page-Ab3dEf9h.js", "/assets/main-page-*.js"),
        ("/chunk-ABCDEFGH.js", "/chunk-*.js"),  # esbuild
        ("/main.0f1f5c3f2b4a5b6c7d8e.css", "/main.*.css"),  # webpack
        ("/main.3f9c2a71.chunk.js", "/main.*.chunk.js"),
        ("/main.abcdef12.js.map", "/main.*.js.map"),
        ("/3f9c2a71.js", "/*.js"),
        ("/_next/static/Xy3zAbCdEfGhIjKlMnOpQ/page-42372ed130431b0a.js", "/_next/static/*/page-*.js"),
    ],
)
def test_a_hash_is_left_out(path: str, stable: str) -> None:
    assert without_hash(path) == stable


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/style.css",
        "/123.js",
        "/jquery-3.7.1.min.js",
        "/bootstrap.min.js",
        "/foo-services.js",
        "/home-Services.js",
        "/component-UserCard.js",
        "/page-section1.js",
        "/font-v12-latin.woff2",
        "/product-images-2024/a.png",
        "/react-production.js",
    ],
)
def test_a_name_that_someone_gave_stays(path: str) -> None:
    assert without_hash(path) == path


def test_the_page_s_own_origin_is_left_out_and_others_keep_their_host() -> None:
    urls = ["http://localhost:40001/app.js", "http://localhost:40002/app.js", "https://cdn.example.com/app.js"]
    assert list(names(urls, PAGE).values()) == ["/app.js", "localhost:40002/app.js", "cdn.example.com/app.js"]


def test_a_query_stays_only_where_it_tells_resources_apart() -> None:
    root = "http://localhost:40001"
    urls = [f"{root}/a.css?v=3f9c2a71", f"{root}/api?id=1", f"{root}/api?id=2"]
    assert list(names(urls, PAGE).values()) == ["/a.css", "/api?id=1", "/api?id=2"]


def test_time_stamps_and_hashes_in_queries_are_left_out() -> None:
    root = "http://localhost:40001"
    urls = [f"{root}/hit?t=1795391622380", f"{root}/hit?t=1795391622999", f"{root}/hit?v=3f9c2a71b0"]
    assert list(names(urls, PAGE).values()) == ["/hit?t=*", "/hit?t=*", "/hit?v=*"]


def test_a_hostile_name_takes_no_time() -> None:
    begun = time.perf_counter()
    without_hash(f"/{'a' * 20000}-1!/{'aB' * 10000}-{'x' * 8}.js")
    assert time.perf_counter() - begun < 1
