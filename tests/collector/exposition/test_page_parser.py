"""Every captured page reads as the reference parser reads it, at every level."""

import math
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from watchdeck.collector.exposition import NotMetrics, PageParser, ParsedPage

PAGES = Path(__file__).parents[2] / "pages"
BODIES = sorted(
    path
    for path in (*PAGES.rglob("*metrics*.body"), *PAGES.rglob("*.prom"))
    if b"# " in path.read_bytes()
)
Samples = list[tuple[str, frozenset[tuple[str, str]], float]]


def reference(text: str) -> Samples:
    read = openmetrics_families if "# EOF" in text else text_string_to_metric_families
    families = read(text)
    return [
        (s.name, frozenset(s.labels.items()), s.value)
        for family in families
        for s in family.samples
    ]


def ours(page: ParsedPage) -> Samples:
    pairs = zip(page.layout.series, page.values, strict=True)
    return [(series.name, frozenset(series.labels), value) for series, value in pairs]


def normal(samples: Samples) -> list[tuple[str, list[tuple[str, str]], str]]:
    # the reference calls every counter NAME_total, whatever the page calls it
    return sorted(
        (name.removesuffix("_total"), sorted(labels), repr(float(value)))
        for name, labels, value in samples
    )


@pytest.mark.parametrize("path", BODIES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_captured_page_reads_as_the_reference_reads_it(path: Path) -> None:
    body = path.read_bytes()
    page = PageParser().read("model", body)
    assert page.truncation.total == 0
    assert normal(ours(page)) == normal(reference(body.decode()))


@pytest.mark.parametrize("path", BODIES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_level_reads_the_same(path: Path) -> None:
    body, reader = path.read_bytes(), PageParser()
    grammar, again = reader.read("a", body), reader.read("a", body)
    cached = reader.read("b", body)
    assert (grammar.level, again.level) == ("grammar", "positional")
    assert cached.level == "cached"
    assert grammar.layout is again.layout is cached.layout
    assert normal(ours(grammar)) == normal(ours(again)) == normal(ours(cached))


def read(*bodies: bytes, **bounds: int) -> list[ParsedPage]:
    reader = PageParser(**bounds)
    return [reader.read("model", body) for body in bodies]


def test_an_empty_page_has_no_series_and_is_no_error() -> None:
    (page,) = read(b"")
    assert (len(page.layout), len(page.values), page.truncation.total) == (0, 0, 0)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        pytest.param(b"<html><body>Not here</body></html>", "HTML", id="a web page"),
        pytest.param(b'{"detail":"Not Found"}', "JSON", id="JSON"),
        pytest.param(b"all is well\nreally", "text", id="words"),
    ],
)
def test_what_is_no_page_is_refused_by_name(body: bytes, what: str) -> None:
    with pytest.raises(NotMetrics, match=what):
        read(body)


def test_one_bad_line_is_counted_and_the_good_ones_are_kept() -> None:
    (page,) = read(b"a 1\nb 1_0\nc 1e999\nd 4\ne 5\n")
    assert ([s.name for s in page.layout.series], page.truncation.malformed) == (["a", "d", "e"], 2)


def test_a_value_that_float_would_take_is_refused_at_every_level() -> None:
    first, second, third = read(b"a 1\nb 2\n", b"a 1_0\nb 2\n", b"a 1e999\nb 2\n")
    assert (list(first.values), first.truncation.malformed) == ([1, 2], 0)
    assert (list(second.values), second.truncation.malformed) == ([2], 1)
    assert (list(third.values), third.truncation.malformed) == ([2], 1)


def test_the_first_of_two_equal_series_counts() -> None:
    (page,) = read(b'a{x="1",y="2"} 1\na{y="2",x="1"} 2\n')
    assert (list(page.values), page.truncation.duplicates) == ([1], 1)


def test_a_changed_type_is_seen_on_an_otherwise_equal_page() -> None:
    before, after = read(b"# TYPE a gauge\na 1\n", b"# TYPE a counter\na 1\n")
    assert [page.layout.series[0].type.value for page in (before, after)] == ["gauge", "counter"]


def test_a_comment_that_becomes_a_sample_is_seen() -> None:
    before, after = read(b"# hello\na 1\n", b"hello 3\na 1\n")
    assert (len(before.layout), len(after.layout)) == (1, 2)


def test_timestamps_and_exemplars_are_read_and_left_out() -> None:
    body = b'a 1 1700000000000\nb_bucket{le="1"} 2 # {trace="x"} 0.5 1700000000.1\n'
    pages = read(body, body.replace(b"1700000000000", b"1700000009999"))
    assert [list(page.values) for page in pages] == [[1, 2], [1, 2]]
    assert [page.level for page in pages] == ["grammar", "grammar"]


def test_nan_and_infinities_are_values() -> None:
    (page,) = read(b"a NaN\nb +Inf\nc -Inf\n")
    assert math.isnan(page.values[0])
    assert list(page.values[1:]) == [math.inf, -math.inf]


def test_what_a_terminal_would_obey_is_made_visible() -> None:
    (page,) = read(b'a{x="\x1b]2;title\x07[/nope]"} 1\n')
    assert page.layout.series[0].labels == (("x", "^[]2;title^G[/nope]"),)


def test_what_passes_a_bound_is_cut_and_counted() -> None:
    (page,) = read(
        b'a 1\nb 2\nc 3\nd{x="' + b"y" * 20 + b'"} 4\n', max_series=2, max_label_value=10
    )
    assert (len(page.layout), page.truncation.series, page.truncation.labels) == (2, 1, 1)


def test_labels_that_change_every_scrape_end_in_one_layout() -> None:
    reader = PageParser()
    pages = [reader.read("m", f'a{{id="{n}"}} {n}\nb {n}\n'.encode()) for n in range(60)]
    assert len({page.layout.digest for page in pages}) == 17
    last = dict(zip((str(s) for s in pages[-1].layout.series), pages[-1].values, strict=True))
    assert last["b"] == 59
    assert pages[-1].truncation.series == 1


def test_a_quoted_name_is_a_name() -> None:
    (page,) = read(b'{"my.metric",x="1"} 2\n')
    assert str(page.layout.series[0]) == 'my.metric{x="1"}'
