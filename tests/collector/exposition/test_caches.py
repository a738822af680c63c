from itertools import count

import pytest
from hypothesis import given, settings

from collector.exposition import page_strategies as made_pages
from collector.exposition.page_parsing import held, outcome, read
from collector.exposition.samples import read_sample
from collector.exposition.test_reference import no_check
from watchdeck.collector.exposition import NotMetrics, PageParser, ParseError
from watchdeck.collector.exposition.grammar import clean_label
from watchdeck.collector.exposition.series_cache import LabelCache, LineCache
from watchdeck.domain.metrics.series import Series

EXPERIENCED, KEYS = PageParser(), count()


def by_grammar(page: str) -> dict[str, str]:
    """Line after line, without any memory; the first of equal series."""
    found: dict[str, str] = {}
    for line in page.encode().split(b"\n"):
        if line.strip() and not line.lstrip().startswith(b"#"):
            try:
                sample = read_sample(line)
            except ParseError:
                continue
            labels = sorted((clean_label(key), clean_label(value)) for key, value in sample.labels)
            found.setdefault(
                str(Series(clean_label(sample.name), tuple(labels))), repr(sample.value)
            )
    return found


@settings(no_check, max_examples=1_000)
@given(made_pages.pages(doubtful=2))
def test_a_page_reads_as_its_lines_do_one_by_one_whatever_was_read_before(page: str) -> None:
    try:
        found = held(EXPERIENCED.read(str(next(KEYS)), page.encode()))
    except NotMetrics:
        return
    assert {name: repr(value) for name, value in found.items()} == by_grammar(page)


@settings(no_check, max_examples=1_000)
@given(made_pages.pages(doubtful=2), made_pages.pages(doubtful=1))
def test_what_was_read_before_changes_nothing(page: str, before: str) -> None:
    reader, body = PageParser(), f"{page}\n".encode()
    first = outcome(reader, "a", body)
    outcome(reader, "a", f"{before}\n".encode())
    assert outcome(reader, "a", body) == outcome(reader, "b", body) == first


@pytest.mark.parametrize(
    ("braces", "labels"),
    [
        pytest.param(b'{b="2",a="1"}', (("a", "1"), ("b", "2")), id="plain ones are sorted"),
        pytest.param(b'{a="1",}', (("a", "1"),), id="a comma at the end"),
        pytest.param(b'{a="x=\\""}', None, id="an escape"),
        pytest.param(b'{a="1", b="2"}', None, id="a blank"),
        pytest.param(b'{"a"="1"}', None, id="a name in quotes"),
        pytest.param(b'{a="1",a="2"}', None, id="a name that comes twice"),
        pytest.param(b'{__name__="a"}', None, id="the metric's name"),
        pytest.param(b'{a="123456"}', None, id="a value over its bound"),
        pytest.param(b'{abcd="1"}', None, id="a name over its bound"),
        pytest.param(b"{}", None, id="none"),
    ],
)
def test_labels_are_read_by_memory_only_where_they_are_plain(
    braces: bytes, labels: tuple[tuple[str, str], ...] | None
) -> None:
    pairs = LabelCache(name=3, value=5)
    assert [pairs.read(braces) for _ in range(2)] == [labels, labels]


def test_equal_labels_of_different_series_are_one_object() -> None:
    (page,) = read(b'a{x="1",y="2"} 1\nb{y="3",x="1"} 2\n')
    first, second = page.layout.series
    assert first.labels[0] is second.labels[0]


def test_labels_that_never_come_again_are_forgotten() -> None:
    pairs = LabelCache(name=200, value=1_024)
    for turn in range(50_000):
        pairs.read(b'{a="%d"}' % turn)
    assert len(pairs) <= 20_000


def test_long_lines_are_forgotten_before_they_fill_the_memory() -> None:
    lines = LineCache(40_000, LabelCache(name=200, value=1_024))
    for turn in range(2_000):
        lines.put(b"%030000d" % turn, Series(str(turn)))
    assert len(lines) < 700
