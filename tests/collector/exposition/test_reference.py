import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from collector.exposition import openmetrics_strategies as made_openmetrics
from collector.exposition import page_strategies as made_pages
from collector.exposition.page_parsing import CAPTURED, OPENMETRICS_PAGES, held
from collector.exposition.reference import ours, reference
from collector.exposition.strict_parser import parse
from watchdeck.collector.exposition import PageParser
from watchdeck.domain.metrics.series import Series

TAKEN_BY_THE_REFERENCE = {
    "a number too large for a float, as infinity": (r"(?i)\d{309}|e\+?\d{3}", "a 1e999"),
    "any word between the value and the last number": (r"\S\s+\S+\s+\S+.*\s\S+\s*$", "a 1 x 2"),
    "one word that ends in a number, with its last letter cut off the name": (
        r"(?i)^\s*\w*(inf|infinity|nan)\s*$",
        "Infinity",
    ),
    "any name, where braces follow": (r"^(?!\s*[a-zA-Z_:][\w:]*\s*\{)[^{]+\{", '0a-b{x="1"} 1'),
    "nothing but a blank between two commas": (r",\s+,", 'a{x="1", ,y="2"} 1'),
    "an empty label name in quotes": (r'""\s*=', 'a{""="1"} 1'),
    "an unknown type, when it is declared again": (
        r"# TYPE up strange",
        "# TYPE up strange\n# TYPE up gauge",
    ),
    "digits beyond ASCII": (r"[^\x00-\x7f]", "a \u0661"),
}
"""What prometheus_client takes and the formats do not: the pattern of such lines, and a page."""

THE_FAMILY_IS_WRONG = {
    "buckets without +Inf": '# TYPE a histogram\na_bucket{le="1"} 1\n',
    "buckets that shrink": '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\n',
    "half a count": "# TYPE a summary\na_count 1.5\na_sum 1\n",
    "a counter below zero": "# TYPE a counter\na_total -1\n",
    "a quantile above one": '# TYPE a summary\na{quantile="2"} 1\n',
    "an exemplar on a gauge": "# TYPE a gauge\na 1 # {} 1\n",
    "a state that is neither on nor off": '# TYPE a stateset\na{a="x"} 2\n',
    "times that go backwards": "# TYPE a gauge\na 1 5\na 1 4\n",
}
"""OpenMetrics that prometheus_client refuses for what it means; we read what it says."""

no_check = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_captured_page_reads_as_the_reference_reads_it(path: Path) -> None:
    text = path.read_text()
    expected = reference(text)
    assert expected is not None
    assert ours(text) == expected
    page = PageParser().read("model", path.read_bytes())
    assert page.truncation.total == 0
    assert held(page) == pytest.approx(
        {str(Series(name, labels)): float(value) for name, labels, value in expected},
        abs=0, rel=0, nan_ok=True,
    )  # fmt: skip


@pytest.mark.parametrize("path", OPENMETRICS_PAGES, ids=lambda path: path.stem)
def test_an_openmetrics_page_reads_as_the_reference_reads_it(path: Path) -> None:
    text = path.read_text()
    expected = reference(text, openmetrics=True)
    assert expected
    assert ours(text, openmetrics=True) == expected
    page = PageParser().read("model", path.read_bytes())
    assert (len(page.layout), page.truncation.total) == (len(expected), 0)


@pytest.mark.parametrize("examples", [1_000, pytest.param(20_000, marks=pytest.mark.long)])
def test_any_page_gives_the_samples_of_the_reference_or_its_refusal(examples: int) -> None:
    settings(no_check, max_examples=examples)(given(made_pages.pages(doubtful=1))(compare))()


def compare(page: str) -> None:
    expected, found = reference(page), ours(page)
    if found is None and expected is not None:
        refused = [line for line in page.split("\n") if ours(line) is None]
        assert all(known_exception(line) for line in refused)
    else:
        assert found == expected


@pytest.mark.parametrize("examples", [1_000, pytest.param(4_000, marks=pytest.mark.long)])
def test_any_openmetrics_page_gives_the_samples_of_the_reference_or_its_refusal(
    examples: int,
) -> None:
    settings(no_check, max_examples=examples)(given(made_openmetrics.pages)(compare_openmetrics))()


def compare_openmetrics(page: str) -> None:
    expected, found = reference(page, openmetrics=True), ours(page, openmetrics=True)
    assert found == expected


def known_exception(line: str) -> bool:
    return any(re.search(pattern, line) for pattern, _ in TAKEN_BY_THE_REFERENCE.values())


@pytest.mark.parametrize(
    ("pattern", "page"), TAKEN_BY_THE_REFERENCE.values(), ids=TAKEN_BY_THE_REFERENCE
)
def test_the_reference_takes_what_we_refuse(pattern: str, page: str) -> None:
    assert re.search(pattern, page)
    assert reference(page) is not None
    assert ours(page) is None


def test_the_reference_takes_any_word_that_begins_with_a_hash_for_a_comment_sign() -> None:
    assert reference("#x TYPE up strange\n") is None
    assert ours("#x TYPE up strange\n") == []


@pytest.mark.parametrize("family", THE_FAMILY_IS_WRONG.values(), ids=THE_FAMILY_IS_WRONG)
def test_what_the_numbers_of_an_openmetrics_family_mean_is_not_judged(family: str) -> None:
    page = f"{family}# EOF\n"
    assert reference(page, openmetrics=True) is None
    assert ours(page, openmetrics=True)


def test_the_reference_takes_any_name_in_openmetrics_too_where_braces_follow() -> None:
    page = 'x {a="1"} 1\n# EOF\n'
    assert reference(page, openmetrics=True) == [("x ", (("a", "1"),), "1.0")]
    assert ours(page, openmetrics=True) is None


def test_bytes_that_are_no_utf8_are_refused_strictly_and_replaced_in_a_scrape() -> None:
    body = b'a{x="\xff"} 1\n'
    with pytest.raises(ValueError, match="UTF-8"):
        parse(body)
    assert held(PageParser().read("model", body)) == {'a{x="\ufffd"}': 1}
