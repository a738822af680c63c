import pytest
from msgspec.structs import replace

from domain.notifications.made import MINUTE, NOW, hook, message, raised, taken
from watchdeck.domain.notifications.message import LastMessage, MessageKind
from watchdeck.domain.notifications.outbox import OutboxEntry
from watchdeck.domain.notifications.routing import AlertContext, Routing, due_escalation, route
from watchdeck.domain.rules.rule import Rule, Severity, Unsupported
from watchdeck.domain.settings.receivers import (
    CONSOLE,
    Escalation,
    EscalationStep,
    OnCallSchedule,
    Override,
    Route,
)
from watchdeck.domain.values.units import Milliseconds

PHONE, CHAT, BACKUP = hook("phone"), hook("chat"), hook("backup")
ALL = (PHONE, CHAT, BACKUP)
LADDER = Escalation(
    "risk",
    (EscalationStep(("phone",)), EscalationStep(("backup",), Milliseconds(5 * MINUTE))),
    again=Milliseconds(10 * MINUTE),
)


def told(routing: Routing, severity: Severity = Severity.HIGH, at: int = NOW) -> list[str]:
    alert = raised(severity=severity)
    return names(route(message(alert), AlertContext(alert), routing, at, {}))


def names(rows: tuple[OutboxEntry, ...]) -> list[str]:
    return [row.channel for row in rows]


def test_every_message_stands_on_the_console_and_is_done_there() -> None:
    alert = raised()
    [row] = route(message(alert), AlertContext(alert), Routing(), NOW, {})
    assert (row.channel, row.is_delivered, row.kind, row.episode) == (CONSOLE, True, "page", 1)


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        pytest.param(Severity.HIGH, [CONSOLE, "phone", "chat", "backup"], id="a page to all"),
        pytest.param(Severity.MEDIUM, [CONSOLE], id="a notice to nobody"),
    ],
)
def test_without_routes_pages_go_to_every_channel(severity: Severity, expected: list[str]) -> None:
    assert told(Routing(channels=ALL), severity) == expected


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        pytest.param(Route(match=("owner=risk",)), True, id="a label"),
        pytest.param(Route(match=("owner!=risk",)), False, id="another label"),
        pytest.param(Route(match=("rule=slow", "model=~fra.*")), True, id="its rule and model"),
        pytest.param(Route(severity=(1,)), False, id="another severity"),
        pytest.param(Route(match=("severity=2",)), True, id="its severity as a label"),
        pytest.param(Route(hours="08:00-18:00", zone="Europe/Berlin"), False, id="before work"),
        pytest.param(Route(hours="18:00-08:00", zone="Europe/Berlin"), True, id="by night"),
        pytest.param(Route(days="sat, sun"), False, id="not on a weekend"),
        pytest.param(Route(hours="22:00-06:00", days="sun"), True, id="the night from Sunday"),
        pytest.param(Route(hours="22:00-06:00", days="mon"), False, id="the night from Monday"),
    ],
)
def test_a_route_takes_what_it_says(way: Route, expected: bool) -> None:  # noqa: FBT001
    routing = Routing(channels=ALL, routes=(replace(way, to=("phone",)),))
    assert ("phone" in told(routing)) is expected


def test_the_first_route_that_matches_is_the_last_unless_it_goes_on() -> None:
    first, second = Route(to=("phone",)), Route(to=("chat",))
    assert told(Routing(channels=ALL, routes=(first, second))) == [CONSOLE, "phone"]
    on = replace(first, continue_=True)
    assert told(Routing(channels=ALL, routes=(on, second))) == [CONSOLE, "phone", "chat"]


def test_a_channel_gets_only_the_kinds_that_it_wants() -> None:
    routing = Routing(channels=(hook("phone", kinds=("resolved",)),))
    assert told(routing) == [CONSOLE]


def test_a_rota_reaches_who_is_on_call_by_their_own_channel() -> None:
    rota = OnCallSchedule("oncall", ("Anna", "ben"), starts="2026-11-23T00:00", to=("chat",))
    routing = Routing((hook("a", "anna"), CHAT), (Route(to=("oncall",)),), rotas=(rota,))
    assert told(routing) == [CONSOLE, "a"]
    alert = raised()
    rows = route(message(alert), AlertContext(alert), routing, NOW + 7 * 86_400_000, {})
    assert names(rows) == [CONSOLE, "chat"]
    assert rows[1].payload["on_call"] == ["ben"]


def test_who_had_it_is_told_beside_those_of_the_route() -> None:
    alert = raised()
    expired = message(alert, MessageKind.ACK_EXPIRED, ("Ben",))
    routing = Routing((PHONE, hook("b", "ben")), (Route(to=("phone",)),))
    assert names(route(expired, AlertContext(alert), routing, NOW, {})) == [CONSOLE, "phone", "b"]


def test_an_override_goes_before_the_turns_and_the_last_one_wins() -> None:
    night = Override("cleo", "2026-11-22T20:00", "2026-11-23T08:00")
    rota = OnCallSchedule(
        "r", ("anna",), override=(night, replace(night, person="dora")), to=("chat",)
    )
    alert = raised()
    routing = Routing(ALL, (Route(to=("r",)),), rotas=(rota,))
    [_, row] = route(message(alert), AlertContext(alert), routing, NOW, {})
    assert row.payload["on_call"] == ["dora"]


def test_what_can_be_taken_back_is_not_sent_before_its_time() -> None:
    alert = taken(raised())
    said = message(alert, MessageKind.ACKNOWLEDGED)
    context = AlertContext(alert, last={"phone": LastMessage(MessageKind.PAGE)})
    rows = route(said, context, Routing(ALL), NOW, {}, not_before=NOW + 10_000)
    assert {row.not_before for row in rows if not row.is_delivered} == {NOW + 10_000}
    assert rows[1].payload["acknowledged_by"] == "anna"


def test_alerts_fold_by_the_labels_of_their_rule() -> None:
    rule = Rule("slow", "", Unsupported("spend", ()), group_by=("model",))
    alerts = [raised(1, "a"), raised(2, "b")]
    windows: dict[str, int] = {}
    rows = [
        route(message(a), AlertContext(a, rule), Routing((PHONE,)), NOW, windows)[1] for a in alerts
    ]
    assert rows[0].group != rows[1].group
    assert {row.not_before for row in rows} == {NOW}


def test_a_row_keeps_no_secret_and_nothing_that_a_terminal_would_obey() -> None:
    alert = raised(model="\x1b[2Jevil")
    row = route(message(alert), AlertContext(alert), Routing(), NOW, {})[0]
    assert "\x1b" not in repr(row.payload)
    assert row.payload["model"] == "^[[2Jevil"


@pytest.mark.parametrize(
    ("minutes", "taken_so_far", "expected"),
    [
        pytest.param(4, 0, None, id="not yet"),
        pytest.param(5, 0, (1, ("backup",)), id="the next one"),
        pytest.param(6, 1, None, id="once"),
        pytest.param(15, 1, (2, ("backup",)), id="the last one again"),
        pytest.param(60, 1, (6, ("backup",)), id="steps that were missed are one"),
        pytest.param(6_000, 11, None, id="and not for ever"),
    ],
)
def test_who_is_next_when_nobody_takes_it(
    minutes: int, taken_so_far: int, expected: tuple[int, tuple[str, ...]] | None
) -> None:
    routing = Routing(ALL, (Route(escalation="risk"),), (LADDER,))
    alert = raised()
    alert = replace(alert, episode=replace(alert.episode, escalated=taken_so_far))
    due = due_escalation(alert, routing, NOW + minutes * MINUTE)
    assert (due and (due.escalated, due.to)) == expected


def test_an_escalation_stops_when_somebody_has_it() -> None:
    routing = Routing(ALL, (Route(escalation="risk"),), (LADDER,))
    assert due_escalation(taken(raised()), routing, NOW + 60 * MINUTE) is None


def test_an_escalation_goes_the_way_that_was_open_when_it_began() -> None:
    night = Route(hours="22:00-06:00", escalation="risk")
    routing = Routing(ALL, (night, Route(to=("chat",))), (LADDER,))
    assert due_escalation(raised(), routing, NOW + 90 * MINUTE) is not None


LAST = {
    "phone": LastMessage(MessageKind.PAGE, ("anna",)),
    "backup": LastMessage(MessageKind.RESOLVED),
    "gone": LastMessage(MessageKind.PAGE),
}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(MessageKind.RESOLVED, ["phone"], id="the end"),
        pytest.param(MessageKind.ACKNOWLEDGED, ["phone"], id="who has it"),
        pytest.param(MessageKind.RETURNED, ["boss", "phone", "backup"], id="that it fires again"),
        pytest.param(MessageKind.NO_DATA, ["boss", "phone", "backup"], id="that nothing is known"),
    ],
)
def test_who_had_a_message_gets_what_follows_whatever_the_routes_say_by_now(
    kind: MessageKind, expected: list[str]
) -> None:
    alert = raised()
    routing = Routing((*ALL, hook("boss")), (Route(to=("boss",)),))
    rows = route(message(alert, kind), AlertContext(alert, last=LAST), routing, NOW, {})
    assert names(rows) == [CONSOLE, *expected]
    told = next(row for row in rows if row.channel == "phone")
    assert told.payload["on_call"] == ["anna"]


@pytest.mark.parametrize("kind", [MessageKind.RETURNED, MessageKind.REPEATED])
def test_a_channel_for_pages_gets_all_that_pages(kind: MessageKind) -> None:
    alert = raised()
    rows = route(
        *(message(alert, kind), AlertContext(alert), Routing((hook("pager", kinds=("page",)),))),
        NOW, {},
    )  # fmt: skip
    assert names(rows) == [CONSOLE, "pager"]


def test_acknowledgements_of_one_moment_are_one_notification_and_wait_for_no_other() -> None:
    windows: dict[str, int] = {}
    said = []
    for number, at in ((1, NOW), (2, NOW), (3, NOW + 4_000)):
        alert = taken(raised(number))
        context = AlertContext(alert, last={"phone": LastMessage(MessageKind.PAGE)})
        found = message(alert, MessageKind.ACKNOWLEDGED)
        said.append(route(found, context, Routing(ALL), at, windows, not_before=at + 10_000)[1])
    assert [row.not_before - NOW for row in said] == [10_000, 10_000, 14_000]
    assert said[0].group == said[1].group != said[2].group
