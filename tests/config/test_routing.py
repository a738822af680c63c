from pathlib import Path

import pytest

from config.config_files import ONE, problems, write
from watchdeck.config.load import load
from watchdeck.config.routing import routing_of
from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import Milliseconds

HOOK = '[[channel]]\nname = "hook"\ntype = "webhook"\nurl = "https://hooks.example/x"\n'
FULL = """
[[channel]]
name = "hook"
type = "webhook"
url = { env = "HOOK_URL" }
headers = { Authorization = { file = "keys/hook", prefix = "Bearer " } }
kinds = ["page", "resolved"]

[[channel]]
name = "pd"
type = "pagerduty"
routing_key = { env = "PD_KEY" }
token = { file = "~/pd-token" }
person = "anna"

[[channel]]
name = "siren"
type = "command"
command = ["bin/siren", "--now"]
environment = ["SIREN_HOST"]
timeout = "5s"

[[channel]]
name = "chat"
type = "apprise"
url = { env = "CHAT_URL" }
services = ["slack", "mailtos"]
rate = 30

[[route]]
match = ["owner=risk"]
severity = [1, 2]
escalation = "risk"
continue = true

[[route]]
hours = "08:00-18:00"
days = "mon-fri"
zone = "Europe/Berlin"
to = ["chat"]

[[route]]
to = ["oncall", "hook"]

[[escalation]]
name = "risk"
again = "30m"
[[escalation.step]]
to = ["oncall"]
[[escalation.step]]
to = ["siren"]
after = "5m"

[[rota]]
name = "oncall"
people = ["anna", "ben"]
turn = "weekly"
starts = "2026-01-05T09:00"
zone = "Europe/Berlin"
to = ["pd"]
[[rota.override]]
person = "cleo"
from = "2026-12-24T09:00"
until = "2026-12-27T09:00"

[heartbeat]
url = "https://hc.example/ping"
every = "30s"
method = "POST"
"""
SHIFTS = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:anna\nDTSTART:20260105T090000\n"
    "DURATION:P1W\nRRULE:FREQ=WEEKLY\nEND:VEVENT\nEND:VCALENDAR\n"
)


def test_who_is_told_is_read_as_it_is_written(tmp_path: Path) -> None:
    settings = load(write(tmp_path, ONE + FULL))
    hook, pd, siren, chat = settings.channel
    assert hook.url == Secret(env="HOOK_URL")
    assert hook.headers == {"Authorization": Secret(None, f"{tmp_path}/keys/hook", "Bearer ")}
    assert pd.token is not None
    assert str(pd.token.file).endswith("/pd-token")
    assert siren.command == (f"{tmp_path}/bin/siren", "--now")
    assert chat.services == ("slack", "mailtos")
    assert settings.route[0].continue_
    assert settings.escalation[0].step[1].after == Milliseconds(300_000)
    assert settings.rota[0].override[0].from_ == "2026-12-24T09:00"
    assert settings.heartbeat is not None
    assert settings.heartbeat.every == Milliseconds(30_000)
    assert routing_of(settings).routes == settings.route


def test_a_rota_may_be_a_calendar_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "oncall.ics").write_text(SHIFTS)
    text = f'{ONE}{HOOK}person = "Anna"\n[[rota]]\nname = "r"\ncalendar = "oncall.ics"\n'
    settings = load(write(tmp_path, text))
    shifts = routing_of(settings).calendars["r"](1_770_000_000_000)
    assert {shift.person for shift in shifts} == {"anna"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            'name = "a"\ntype = "webhok"',
            "channel[0].type is no type of channel. Did you mean 'webhook'?",
            id="a misspelt type",
        ),
        pytest.param(
            'name = "a"\ntype = "webhook"',
            "channel[0].url is missing, and a webhook cannot be told without it."
            ' Write url = "https://HOST/PATH", or {env = "NAME"}.',
            id="a webhook without an address",
        ),
        pytest.param(
            'name = "a"\ntype = "webhook"\nurl = "ftp://x"',
            "channel[0].url cannot be asked over ftp. Write http or https.",
            id="an address that nobody can ask",
        ),
        pytest.param(
            'name = "a"\ntype = "command"\ncommand = "page --now"',
            'channel[0].command must be a list such as ["...", "..."], not a text.'
            " Put it in brackets: [...].",
            id="a command as a text",
        ),
        pytest.param(
            'name = "a"\ntype = "command"\ncommand = ["page --now"]',
            "channel[0].command[0] is a whole line."
            ' Each argument is a text of its own: ["page", "--now"]; no shell reads them.',
            id="a command as one line in a list",
        ),
        pytest.param(
            'name = "a"\ntype = "command"\ncommand = ["x"]\nenvironment = ["A=b"]',
            "channel[0].environment[0] is not the name of a variable."
            " Write names alone; their values are taken from the collector's.",
            id="a variable with its value",
        ),
        pytest.param(
            'name = "a"\ntype = "pagerduty"\nrouting_key = "0123456789abcdef0123456789abcdef"',
            "channel[0].routing_key must be a table with env, file, prefix, not a text.",
            id="a key that stands in the file",
        ),
        pytest.param(
            'name = "a"\ntype = "pagerduty"\nrouting_key = { env = "K" }\ncommand = ["x"]',
            "channel[0].command is nothing that a pagerduty has."
            " It has routing_key, token, url, api, ca.",
            id="what another type has",
        ),
        pytest.param(
            'name = "a"\ntype = "apprise"\nurl = "slack://a/b/c"\nservices = ["mailtos"]',
            "channel[0].url is not of a service that is allowed. Allowed are mailtos.",
            id="a service that is not allowed",
        ),
        pytest.param(
            'name = "console"\ntype = "command"\ncommand = ["x"]',
            "channel[0].name is 'console', which is always there. Take another.",
            id="the console's name",
        ),
        pytest.param(
            'name = "a"\ntype = "command"\ncommand = ["x"]\nkinds = ["resolve"]',
            "channel[0].kinds[0] is no kind of message. Did you mean 'resolved'?",
            id="an unknown kind",
        ),
        pytest.param(
            'name = "a"\ntype = "command"\ncommand = ["x"]\nrate = 0',
            "channel[0].rate is 0, less than 1.",
            id="never",
        ),
    ],
)
def test_a_channel_that_cannot_be_told_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert problems(tmp_path, f"{ONE}[[channel]]\n{text}\n", mode=0o600) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            'to = ["hok"]',
            "route[0].to[0] names no channel or rota. Did you mean 'hook'?",
            id="a channel that is none",
        ),
        pytest.param(
            'escalation = "risk"', "route[0].escalation names no escalation.", id="no escalation"
        ),
        pytest.param(
            'match = ["owner=risk"]',
            'route[0] tells nobody. Write to = ["NAME"], or escalation = "NAME".',
            id="nobody",
        ),
        pytest.param(
            'to = ["hook"]\nmatch = ["owner=a", "owner=b"]',
            "route[0].match can never match: owner is either 'a' or 'b'.",
            id="two owners at once",
        ),
        pytest.param(
            'to = ["hook"]\nmatch = ["severity=3"]\nseverity = [1, 2]',
            "route[0].match can never match: severity is 3, and none of 1, 2.",
            id="two severities at once",
        ),
        pytest.param(
            'to = ["hook"]\nseverity = [0]',
            "route[0].severity[0] is 0. Severities are 1 to 4.",
            id="no severity",
        ),
        pytest.param(
            'to = ["hook"]\nmatch = ["owner"]',
            "route[0].match[0] 'owner' is not a matcher. Write label=value, or label=~pattern.",
            id="no matcher",
        ),
        pytest.param(
            'to = ["hook"]\nhours = "8-18"',
            "route[0].hours is not a span of the day."
            " Write 08:00-18:00, or 18:00-08:00 for the night.",
            id="no hours",
        ),
        pytest.param(
            'to = ["hook"]\ndays = "mo-fr"',
            "route[0].days is not a list of days. Write mon-fri, or sat, sun.",
            id="no days",
        ),
        pytest.param(
            'to = ["hook"]\nzone = "CEST"',
            "route[0].zone is not a time zone. Write a name such as Europe/Berlin, or UTC.",
            id="no zone",
        ),
        pytest.param(
            'to = ["hook"]\nseverity = [1]\n[[route]]\nto = ["hook"]\n'
            '[[route]]\nto = ["hook"]\nmatch = ["owner=a"]',
            "route[2] can never match: route[1] takes all that it would."
            " Put it before, or let that one continue.",
            id="behind one that takes all",
        ),
    ],
)
def test_a_route_that_leads_nowhere_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert problems(tmp_path, f"{ONE}{HOOK}[[route]]\n{text}\n") == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            '[[escalation]]\nname = "e"\n[[escalation.step]]\nto = ["hook"]\nafter = "1m"',
            "escalation[0].step[0].after is 1m. The first step is taken at once.",
            id="a late first step",
        ),
        pytest.param(
            '[[escalation]]\nname = "e"\nstep = []',
            "escalation[0].step is empty. Write [[escalation.step]] with to and after.",
            id="no step",
        ),
        pytest.param(
            '[[escalation]]\nname = "e"\nstep = [{ to = ["hook"] }, { to = ["hook"] }]',
            "escalation[0].step[1].after is 0s, not after the step before it.",
            id="two steps at once",
        ),
        pytest.param(
            '[[rota]]\nname = "r"\npeople = ["anna"]',
            "rota[0].to is missing, and 'anna' has no channel."
            ' Give a channel person = "NAME", or the rota to = ["CHANNEL"].',
            id="somebody who cannot be reached",
        ),
        pytest.param(
            '[[rota]]\nname = "r"\nto = ["hook"]',
            "rota[0] needs one of people and calendar.",
            id="nobody",
        ),
        pytest.param(
            '[[rota]]\nname = "hook"\npeople = ["a"]\nto = ["console"]',
            "rota[0].name is taken already. Take another.",
            id="a channel's name",
        ),
        pytest.param(
            '[[rota]]\nname = "r"\npeople = ["a"]\nto = ["hook"]\nturn = "weakly"',
            "rota[0].turn is no turn. Did you mean 'weekly'?",
            id="no turn",
        ),
        pytest.param(
            '[[rota]]\nname = "r"\npeople = ["a"]\nto = ["hook"]\n[[rota.override]]\n'
            'person = "b"\nfrom = "2026-12-27T09:00"\nuntil = "2026-12-24T09:00"',
            "rota[0].override[0].until is not after from.",
            id="an override that ends before it begins",
        ),
        pytest.param(
            '[[rota]]\nname = "r"\ncalendar = "none.ics"\nto = ["hook"]',
            "rota[0].calendar there is no such file.",
            id="a calendar that is not there",
        ),
        pytest.param(
            '[[rota]]\nname = "r"\ncalendar = "watchdeck.toml"\nto = ["hook"]',
            "rota[0].calendar line 1: is not an iCalendar file. It begins with BEGIN:VCALENDAR.",
            id="a calendar that is none",
        ),
        pytest.param(
            '[heartbeat]\nurl = "hc.example"\nmethod = "PUT"\nevery = "1s"',
            'heartbeat.url has no scheme. Write "http://HOST:PORT".\n'
            "heartbeat.every is 1s, less than 10s.\n"
            "heartbeat.method is no way to ask. There are GET, HEAD, POST.",
            id="a sign of life with three problems",
        ),
    ],
)
def test_what_reaches_nobody_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert "\n".join(problems(tmp_path, f"{ONE}{HOOK}{text}\n")) == said


def test_secrets_do_not_stand_in_a_file_that_others_can_read(tmp_path: Path) -> None:
    text = (
        f'{ONE}{HOOK}headers = {{ Authorization = "Bearer hush" }}\n'
        '[[channel]]\nname = "b"\ntype = "apprise"\nurl = "slack://hush/a/b"\nservices = ["slack"]'
    )
    found = problems(tmp_path, text, mode=0o644)
    assert [line.split()[0] for line in found] == [
        "channel[0].headers.Authorization",
        "channel[1].url",
    ]
    assert "hush" not in "".join(found)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = f'{ONE}{HOOK}type = 1\n[[route]]\nto = ["x"]\n[[escalation]]\nname = 1\n'
    found = problems(tmp_path, text.replace('type = "webhook"\n', ""))
    assert len(found) >= 3
