from pathlib import Path

import pytest

from config.config_files import ONE, problems, write
from watchdeck.config.load import load
from watchdeck.config.reading.files import parse
from watchdeck.config.reading.problems import ConfigProblems, Problem, nearest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            'evry = "10s"',
            "endpoint[0].evry is not a setting. Did you mean 'every'?",
            id="misspelt",
        ),
        pytest.param(
            'interval = "10s"',
            "endpoint[0].interval is not a setting. Did you mean 'every'?",
            id="another tool's word",
        ),
        pytest.param(
            'slo = { avalability = "99%" }',
            "endpoint[0].slo.avalability is not a setting. Did you mean 'availability'?",
            id="misspelt in a table",
        ),
        pytest.param(
            'headers = { A = { evn = "X" } }',
            "endpoint[0].headers.A.evn is not a setting. Did you mean 'env'?",
            id="misspelt in a table of either texts or tables",
        ),
        pytest.param(
            'canary = { path = "/", body = "{}", expct = "$.a exists" }',
            "endpoint[0].canary.expct is not a setting. Did you mean 'expect'?",
            id="misspelt in an optional table",
        ),
        pytest.param(
            'latency_p95 = "1s"',
            "endpoint[0].latency_p95 is not a setting. It belongs in 'slo'.",
            id="outside of its table",
        ),
        pytest.param(
            '[endpoint.slo]\nowner = "me"',
            "endpoint[0].slo.owner is not a setting."
            " It belongs to endpoint[0] itself, before 'slo'.",
            id="below the wrong header",
        ),
        pytest.param(
            "zzz = 1",
            "endpoint[0].zzz is not a setting. Settings here: name, url, kind,",
            id="nothing like it",
        ),
        pytest.param(
            '"\\u001b[2J" = 1', 'endpoint[0]."^[[2J" is not a setting.', id="a hostile key"
        ),
    ],
)
def test_an_unknown_setting_is_told_with_the_nearest(tmp_path: Path, text: str, said: str) -> None:
    [line] = problems(tmp_path, ONE + text)
    assert line.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "every = 10",
            'endpoint[0].every must be a duration such as "10s", not the number 10. Write "10s".',
            id="a duration without a unit",
        ),
        pytest.param(
            'every = "10"',
            "endpoint[0].every '10' has no unit. Units are ms, s, m, h, d, w.",
            id="a duration without a unit, in quotes",
        ),
        pytest.param(
            "max_body = 1048576",
            'endpoint[0].max_body must be a size such as "1MiB", not the number 1048576.'
            ' Write "1048576B".',
            id="a size without a unit",
        ),
        pytest.param(
            "slo = { availability = 99.9 }",
            'endpoint[0].slo.availability must be a share such as "99.9%", not the number 99.9.'
            ' Write "99.9%".',
            id="a share without its sign",
        ),
        pytest.param(
            "slo = { availability = 1 }",
            'endpoint[0].slo.availability must be a share such as "99.9%", not the number 1.'
            ' Write "100%" or "1%".',
            id="a share that may mean two things",
        ),
        pytest.param(
            "slo = { error_ratio = nan }",
            'endpoint[0].slo.error_ratio must be a share such as "99.9%", not the number nan.',
            id="a share that is no number",
        ),
        pytest.param(
            "model = true", "endpoint[0].model must be a text in quotes, not true.", id="a flag"
        ),
        pytest.param(
            'tier = "1"',
            "endpoint[0].tier must be a whole number, not a text. Leave the quotes out.",
            id="a number in quotes",
        ),
        pytest.param(
            "tier = 1.5", "endpoint[0].tier must be a whole number, not the number 1.5.", id="half"
        ),
        pytest.param(
            'serves = "payments"',
            'endpoint[0].serves must be a list such as ["...", "..."], not a text.'
            " Put it in brackets: [...].",
            id="one in place of a list",
        ),
        pytest.param(
            'exclude_paths = ["/a", 5]',
            "endpoint[0].exclude_paths[1] must be a text in quotes, not the number 5."
            " Put it in quotes.",
            id="one of a list",
        ),
        pytest.param(
            "labels = { when = 2026-11-23 }",
            "endpoint[0].labels.when must be a text in quotes, not a date.",
            id="a date",
        ),
        pytest.param(
            'slo = "99.9%"',
            "endpoint[0].slo must be a table with availability, latency_p95, error_ratio,"
            " not a text.",
            id="a text for a table",
        ),
        pytest.param(
            'headers = { A = ["secret"] }',
            "endpoint[0].headers.A must be a text in quotes or a table with env, file, prefix,"
            " not a list.",
            id="what stands in a header is not repeated",
        ),
    ],
)
def test_a_wrong_type_is_told_with_what_is_right(tmp_path: Path, text: str, said: str) -> None:
    assert problems(tmp_path, ONE + text) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            '[[endpoint]]\nname = "a"',
            "endpoint[0] has no 'url'. Write url = \"http://HOST:PORT\".",
            id="no url",
        ),
        pytest.param(
            '[[endpoint]]\nnmae = "a"\nurl = "http://h"',
            "endpoint[0].nmae is not a setting. Did you mean 'name'?",
            id="a misspelt name is not told as missing too",
        ),
        pytest.param(
            '[endpoint]\nname = "a"',
            "endpoint must be a list of tables, not a table."
            " Its line has two brackets on either side, as in [[endpoint]].",
            id="one bracket",
        ),
        pytest.param(
            '[[endpoints]]\nname = "a"',
            "endpoints is not a setting. Did you mean 'endpoint'?",
            id="the plural",
        ),
        pytest.param('every = "10s"', "every is not a setting. It belongs in", id="top"),
        pytest.param('store = ""', "store is empty.", id="no store"),
        pytest.param('store = "~nobody-here/x"', "store names the home of a user", id="no home"),
        pytest.param('store = "a\\u0000"', "store is too long, or has", id="a zero byte"),
        pytest.param(
            '[retention]\nraw = "90d"\nrollups = "30d"',
            "retention.rollups is 30d, shorter than raw (90d).",
            id="rollups that end before what they are left of",
        ),
        pytest.param('[retention]\nraw = "1s"', "retention.raw is 1s, less than 1h.", id="seconds"),
        pytest.param('[retention]\nbudget = "1B"', "retention.budget is 1B, less", id="a byte"),
        pytest.param("[retention]\nraw = 30", "retention.raw must be a duration", id="no unit"),
    ],
)
def test_the_frame_of_a_configuration_is_checked(tmp_path: Path, text: str, said: str) -> None:
    [line] = problems(tmp_path, text)
    assert line.startswith(said)


def test_a_name_of_two_endpoints_is_told_once_for_each_after_the_first(tmp_path: Path) -> None:
    assert problems(tmp_path, ONE + ONE + ONE) == [
        "endpoint[1].name is the name of endpoint[0] too. Every endpoint has its own.",
        "endpoint[2].name is the name of endpoint[0] too. Every endpoint has its own.",
    ]


def test_a_broken_endpoint_is_still_one_that_others_may_name(tmp_path: Path) -> None:
    text = ONE + 'depends_on = ["b"]\n[[endpoint]]\nname = "b"\nurl = 5\n'
    assert problems(tmp_path, text) == [
        "endpoint[1].url must be a text in quotes, not the number 5. Put it in quotes."
    ]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = f"""
    stroe = "x"
    {ONE}
    evry = "10s"
    timeout = 5
    tier = "high"
    slo = {{ latency_p95 = "soon", availability = "99.9%" }}
    labels = {{ team = 7 }}
    kind = "vlm"
    {ONE.replace('"a"', '"b"')}
    depends_on = ["aa"]
    max_body = "1 mb"
    """
    assert [line.split(" ")[0] for line in problems(tmp_path, text)] == [
        "stroe",
        "endpoint[0].evry",
        "endpoint[0].timeout",
        "endpoint[0].tier",
        "endpoint[0].slo.latency_p95",
        "endpoint[0].labels.team",
        "endpoint[1].max_body",
        "endpoint[0].kind",
        "endpoint[1].depends_on[0]",
    ]


def test_the_first_fifty_problems_are_listed_and_the_rest_counted(tmp_path: Path) -> None:
    said = problems(tmp_path, ONE + "".join(f"zz{number} = 1\n" for number in range(80)))
    assert len(said) == 51
    assert said[-1] == "and 30 more problems."


def test_problems_are_told_to_programs_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as refused:
        load(write(tmp_path, ONE + "evry = 1"))
    assert refused.value.problems == (
        Problem("endpoint[0].evry", "is not a setting", "Did you mean 'every'?"),
    )


def test_the_checks_end_after_two_hundred_problems(tmp_path: Path) -> None:
    endpoints = "".join(
        f'[[endpoint]]\nname = "model-{number}"\nurl = "http://a"\ndepends_on = ["x{number}"]\n'
        for number in range(1_000)
    )
    assert problems(tmp_path, endpoints)[-1] == "and at least 150 more problems."


def test_a_name_is_compared_with_the_few_that_begin_alike() -> None:
    known = [f"{letter}-model-{number}" for letter in "abcdefgh" for number in range(1_000)]
    assert nearest("h-model-9999", known) in known
    assert nearest("h-modle-7", [*known, "h-model-7x"]) is not None
    assert nearest("h" * 1_000_000, known) is None


@pytest.mark.parametrize(
    ("key", "is_taken"),
    [
        pytest.param(".".join("a" * 16), True, id="sixteen parts"),
        pytest.param(".".join("a" * 17), False, id="seventeen parts"),
        pytest.param(" . ".join("a" * 17), False, id="with blanks"),
        pytest.param(".".join(['"a.b"'] * 17), False, id="in quotes"),
        pytest.param(f'"{"a." * 40}"', True, id="points in quotes"),
        pytest.param(f"b.{'a.' * 400_000}a", False, id="many"),
    ],
)
def test_a_dotted_key_has_few_parts(key: str, *, is_taken: bool) -> None:
    if is_taken:
        assert parse("file", f"# a comment\n{key} = 1\n")
        return
    with pytest.raises(ConfigProblems, match="line 2 has a key of more than 16 parts"):
        parse("file", f"# a comment\n{key} = 1\n")


def test_points_in_a_text_are_no_parts_of_a_key() -> None:
    text = "a." * 40
    assert parse("file", f'a = "\\"{text}"\n') == {"a": f'"{text}'}
    assert parse("file", f"a = '{text}' # a 'comment'\n") == {"a": text}
