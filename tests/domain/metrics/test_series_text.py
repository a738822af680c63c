from hypothesis import given
from hypothesis import strategies as st

from watchdeck.domain.metrics.series import Series, SeriesType, parse_series

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,9}", fullmatch=True)


@given(NAMES, st.dictionaries(NAMES, st.text(max_size=12), max_size=4))
def test_the_text_of_a_series_reads_as_the_series(name: str, labels: dict[str, str]) -> None:
    series = Series(name, tuple(sorted(labels.items())), SeriesType.GAUGE)
    assert parse_series(str(series), is_cumulative=False) == series
