"""OpenMetrics pages that hypothesis makes: whole families, and at most one thing wrong."""

from hypothesis import strategies as st

LABELS = (
    "",
    'a="1"',
    'a="1",b="2"',
    'a="\\"\\\\\\n"',
    'a="}é{,=# "',
    ' a = "1" ',
    '"my.label"="1"',
)
NUMBERS = (
    "0", "1", "1.5", "1e3", "007", "1e+300", "5e-324", "+Inf", "9" * 20, "-1", "NaN", "-Inf",
)  # fmt: skip
WHOLE = ("0", "1", "17", "100000", "1e3", "2.0")
TIMES = ("", "", " 1700000000", " 1700000000.123", " 1.7e9", " -1")
EXEMPLARS = ("", "", ' # {trace="x y"} 0.5', ' # {trace="x"} 1 1700000000.1', " # {} 1")
HELPS = ("", "# HELP {name} How \\n it {{is}}.\n", "# HELP {name} \n")

WRONG = (
    "", " ", "# a comment", "# EOF", "#", "# HELP gauge_0 late", "# TYPE gauge_0 gauge",
    "# TYPE x untyped", "# TYPE x strange", "# TYPE x", "# UNIT x seconds", "# TYPE 0x gauge",
    "x  1", "x\t1", "x 1 ", " x 1", "x 1  2", "x 1_0", "x 1 1_0", "x{a=1} 1", 'x{a="1"',
    'x{a="1",} 1', 'x{,a="1"} 1', 'x{a="1",a="2"} 1', 'x{__a="1"} 1', "x", "0x 1",
    '{"my.name"} 1', "x 1 NaN", "x 1 # {} ", "x 1 # {}",
    'x 1 # {a="1"', "x 1 #{} 1", "x_total 1 # {} x", "x 1 # {a=1} 1", "{} 1",
    "x one", "x 1 2 3", "x{} 1 +Inf",
)  # fmt: skip
"""Each is refused wherever it stands between families, or is harmless in both readings."""


ENDS = (*["# EOF\n"] * 12, "# EOF", "", "# EOF\n\n", "#EOF\n", "# EOF \n")


def _gauge(name: str, labels: str, number: str, time: str) -> str:
    return f"# TYPE {name} gauge\n{name}{{{labels}}} {number}{time}\n"


def _bare(name: str, _labels: str, number: str, time: str) -> str:
    return f"{name} {number}{time}\n"


def _unit(name: str, labels: str, number: str, time: str) -> str:
    name = f"{name}_seconds"
    return f"# TYPE {name} unknown\n# UNIT {name} seconds\n{name}{{{labels}}} {number}{time}\n"


def _quoted(name: str, _labels: str, number: str, time: str) -> str:
    return f'# TYPE "my.{name}" gauge\n{{"my.{name}"}} {number}{time}\n'


def _counter(name: str, labels: str, whole: str, time: str, exemplar: str) -> str:
    rows = f"{name}_total{{{labels}}} {whole}{time}{exemplar}\n{name}_created{{{labels}}} 1{time}\n"
    return f"# TYPE {name} counter\n{rows}"


def _histogram(name: str, labels: str, whole: str, time: str, exemplar: str) -> str:
    more = f"{labels}," if labels else ""
    return (
        f"# TYPE {name} histogram\n"
        f'{name}_bucket{{{more}le="0.5"}} 0{time}\n'
        f'{name}_bucket{{{more}le="+Inf"}} {whole}{time}{exemplar}\n'
        f"{name}_count{{{labels}}} {whole}{time}\n{name}_sum{{{labels}}} 1.5{time}\n"
    )


def _summary(name: str, labels: str, whole: str, time: str, _exemplar: str) -> str:
    more = f"{labels}," if labels else ""
    row = f'{name}{{{more}quantile="0.5"}} {whole}{time}\n'
    return f"# TYPE {name} summary\n{row}{name}_count{{{labels}}} {whole}{time}\n"


def _info(name: str, labels: str, _whole: str, time: str, _exemplar: str) -> str:
    states = f'{name}_s{{{name}_s="on"}} 1\n{name}_s{{{name}_s="off"}} 0\n'
    return (
        f"# TYPE {name} info\n{name}_info{{{labels}}} 1{time}\n# TYPE {name}_s stateset\n{states}"
    )


_pick = st.sampled_from
_families = st.one_of(
    st.tuples(
        _pick((_gauge, _bare, _unit, _quoted)), _pick(LABELS), _pick(NUMBERS), _pick(TIMES)
    ),
    st.tuples(
        _pick((_counter, _histogram, _summary, _info)),
        _pick(LABELS), _pick(WHOLE), _pick(TIMES), _pick(EXEMPLARS),
    ),
)  # fmt: skip


def _page(families: list[tuple[object, ...]], helps: str, wrong: list[str], end: str) -> str:
    parts = []
    for number, (make, *arguments) in enumerate(families):
        name = f"{make.__name__.strip('_')}_{number}"  # type: ignore[attr-defined]
        parts.append(make(name, *arguments))  # type: ignore[operator]
    if helps and parts and parts[0].startswith("# TYPE gauge_0"):
        parts[0] = helps.format(name="gauge_0") + parts[0]
    half = len(parts) // 2
    parts[half:half] = [f"{line}\n" for line in wrong]
    return "".join(parts) + end


pages = st.builds(
    _page,
    st.lists(_families, max_size=4),
    _pick(HELPS),
    st.lists(_pick(WRONG), max_size=1),
    _pick(ENDS),
)
