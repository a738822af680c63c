"""Pages that hypothesis makes: lines as servers write them, oddly spaced ones, and wrong ones."""

from collections.abc import Callable, Sequence
from functools import partial

from hypothesis import strategies as st

NAMES = (
    "up",
    "http_requests_total",
    "vllm:tokens",
    "lat_bucket",
    "lat_sum",
    "lat_count",
    "lat",
    "_x",
)
WRONG_NAMES = ("0up", "a-b", "é", "a b", "")
LABELS = (
    "", "{}", '{a="1"}', '{a="1",b="2"}', '{le="+Inf"}', '{le="0.5",}', '{,a="1"}', "{ }",
    '{ a = "1" , b = "2" }', '{a="}"}', '{a="{,="}', '{a="\\\\"}', '{a="\\""}', '{a="\\n\\x"}',
    '{a="é"}', '{a="# "}', '{a=" 1"}', '{"my.label"="1"}', '{a:b="1"}', '{a=""}', ' {b="\\\\\\""}',
)  # fmt: skip
UTF8_NAMES = ('{"my.name"}', '{"my.name",a="1"}', '{a="1","my.name"}', '{__name__="x"}')
WRONG_LABELS = (
    '{a="1"', "{a=1}", "{a}", '{a="1""2"}', '{a="1" b="2"}', '{a="1",,b="2"}', '{a="1",a="2"}',
    '{__a="1"}', '{a.b="1"}', '{"x","y"}', '{a="1"}}', '{="1"}', "{a='1'}", "{,,}", '{""}',
    '{a="1", ,b="2"}', '{""="1"}', '{"x"}',
)  # fmt: skip
BLANKS = (" ", " ", " ", " ", "  ", "\t", " \t", "")
NUMBERS = (
    "0", "1", "-1", "+1", "1.5", "1.", ".5", "1e3", "1E-3", "1e+300", "007", "9" * 20, "NaN", "nan",
    "-NaN", "+Inf", "-Inf", "inf", "Infinity", "9223372036854775794",
    "1.7976931348623157e308", "5e-324",
)  # fmt: skip
WRONG_NUMBERS = (
    "", "1_0", "0x10", "1e", "--1", "1,0", "abc", "1.0.0", "e5", "1 x", "nan(1)", "in", "1e999",
    "\u0661",
)  # fmt: skip
TAILS = (
    "", "", "", "", " ", "\r", " 1700000000000", " -1", "\t17", " 1.5",
    ' # {t="x"} 0.5', ' # {t="x y"} 0.5 17.5', " # {} 1",
)  # fmt: skip
WRONG_TAILS = (" x", " 1_0", " # ", " #", ' # {t="x"}', ' # {t="x"} x')
OTHERS = (
    "", " ", "\r", "#", "# a comment", "#EOF", "# EOF", "# HELP up How it is.",
    "# HELP lat \\n\\\\", "# TYPE up gauge", "# TYPE lat histogram", "# TYPE lat summary",
    "# TYPE http_requests_total counter", "# TYPE vllm:tokens counter", "#  TYPE\tup\tuntyped ",
    "# HELP up", '# TYPE "my.name" gauge', "# UNIT up seconds", " # indented", "# HELP",
    "# TYPE _x unknown", '# HELP lat a "quoted',
)  # fmt: skip
WRONG_OTHERS = (
    "# TYPE", "# TYPE up", "# TYPE up strange", "# TYPE 0up gauge", "# HELP é x",
    "# TYPE up gauge too", '# TYPE "up gauge', "<html>", '{"a": 1}', "words", "OK",
)  # fmt: skip

_text = st.text('a"\\n{}=, #é\t', max_size=5)


def _choices(make: Callable[..., str], *tables: Sequence[str]) -> st.SearchStrategy[str]:
    """One entry of each table, by one number: five draws a line would take a minute in all."""
    return st.integers(0, _count(tables) - 1).map(partial(_chosen, make, tables))


def _count(tables: Sequence[Sequence[str]]) -> int:
    count = 1
    for table in tables:
        count *= len(table)
    return count


def _chosen(make: Callable[..., str], tables: Sequence[Sequence[str]], number: int) -> str:
    parts = []
    for table in tables:
        number, at = divmod(number, len(table))
        parts.append(table[at])
    return make(*parts)


def _line(labels: str, number: str, tail: str, blank: str, name: str) -> str:
    between = blank or ("" if labels else " ")
    return f"{name}{labels}{between}{number}{tail}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


good_lines = st.one_of(
    _choices(_line, LABELS, NUMBERS, TAILS, BLANKS, NAMES),
    _choices(_line, UTF8_NAMES, NUMBERS, TAILS, BLANKS, ("",)),
    st.sampled_from(OTHERS),
    st.builds(
        lambda label, number: f'up{{a="{_escaped(label)}"}} {number!r}', _text, st.floats(width=64)
    ),
)
doubtful_lines = st.one_of(
    _choices(_line, LABELS, NUMBERS, TAILS, BLANKS, WRONG_NAMES),
    _choices(_line, WRONG_LABELS, NUMBERS, TAILS, BLANKS, NAMES),
    _choices(_line, LABELS, WRONG_NUMBERS, TAILS, BLANKS, NAMES),
    _choices(_line, LABELS, NUMBERS, WRONG_TAILS, BLANKS, NAMES),
    st.sampled_from(WRONG_OTHERS),
    st.builds(lambda label: f'up{{a="{label}"}} 1', _text),
)


def _page(good: list[str], doubtful: list[str], end: str) -> str:
    half = len(good) // 2
    return "\n".join([*good[:half], *doubtful, *good[half:]]) + end


def pages(*, doubtful: int, most: int = 5) -> st.SearchStrategy[str]:
    """Pages of a few lines, of which at most `doubtful` are so."""
    return st.builds(
        _page,
        st.lists(good_lines, max_size=most),
        st.lists(doubtful_lines, max_size=doubtful),
        st.sampled_from(("\n", "", "\r\n")),
    )
