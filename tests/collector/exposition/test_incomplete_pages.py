"""Pages of which a part is missing, and samples that are not of the present."""

import math

import pytest

from watchdeck.collector.exposition import IncompletePage, PageParser

NOW = 1_800_000_000_000
WHOLE = b'hits{code="200"} 1000\nhits{code="500"} 105\n'


@pytest.mark.parametrize("end", [1, 2, 5, 20])
def test_a_page_whose_last_line_is_cut_is_incomplete_where_no_length_is_told(end: int) -> None:
    with pytest.raises(IncompletePage, match="in the middle of a line"):
        PageParser().read("e", WHOLE[:-end], is_whole=False)


def test_a_page_by_hand_may_lack_its_last_newline_where_its_length_is_told() -> None:
    reader = PageParser()
    for _ in range(2):
        assert [*reader.read("e", WHOLE[:-1]).values] == [1000, 105]


def test_a_page_that_lacks_the_newline_of_earlier_ones_is_cut() -> None:
    reader = PageParser()
    reader.read("e", WHOLE)
    with pytest.raises(IncompletePage):
        reader.read("e", WHOLE[:-3])
    assert [*reader.read("other", WHOLE[:-1]).values] == [1000, 105]
    assert [*reader.read("e", WHOLE).values] == [1000, 105]


@pytest.mark.parametrize("end", [b"# EOF", b"# EOF\n"])
def test_an_openmetrics_page_is_whole_with_its_end_mark(end: bytes) -> None:
    page = PageParser().read("e", WHOLE + end, "application/openmetrics-text", is_whole=False)
    assert [*page.values] == [1000, 105]


@pytest.mark.parametrize("body", [WHOLE, WHOLE[:-4], b"", b"# EOF\n" + WHOLE])
def test_an_openmetrics_page_without_its_end_mark_is_incomplete(body: bytes) -> None:
    with pytest.raises(IncompletePage, match="# EOF"):
        PageParser().read("e", body, "application/openmetrics-text; version=1.0.0")


@pytest.mark.parametrize("unit", [pytest.param(1, id="ms"), pytest.param(1_000, id="s")])
def test_a_sample_counts_only_while_its_own_time_is_of_the_present(unit: int) -> None:
    young, old = (NOW - 60_000) / unit, (NOW - 3 * 3_600_000) / unit
    body = f"queue 5 {young:.0f}\nold 7 {old:.0f}\nplain 9\n".encode()
    page = PageParser().read("e", body, at=NOW)
    assert [*page.values][::2] == [5, 9]
    assert math.isnan(page.values[1])
    assert (page.truncation.stale, page.truncation.total) == (1, 1)
    assert page.stale_age == 3 * 3_600_000
    assert page.at is None, "the samples are of different times"


def test_a_sample_of_the_far_future_is_not_of_the_present_either() -> None:
    page = PageParser().read("e", f"queue 5 {NOW + 3_600_000}\n".encode(), at=NOW)
    assert math.isnan(page.values[0])
    assert page.truncation.stale == 1


def test_samples_with_one_time_in_common_are_of_that_time() -> None:
    page = PageParser().read("e", f"a 5 {NOW - 9_000}\nb 6 {NOW - 9_000}\n".encode(), at=NOW)
    assert page.at == NOW - 9_000
    assert [*page.values] == [5, 6]


def test_without_a_time_to_compare_with_every_sample_counts() -> None:
    page = PageParser().read("e", b"queue 5 1000\n")
    assert ([*page.values], page.at) == ([5], None)
