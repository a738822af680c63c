"""What is told from memory while the store cannot be written."""

from dataclasses import dataclass, field

from watchdeck.domain.notifications.outbox import Notification
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.receivers import Channel, Route
from watchdeck.notify.delivery import Receiver
from watchdeck.notify.result import DeliveryResult, Sent, TryAgain
from watchdeck.service.store_outage import TELL_AFTER, StoreOutageNotifier

FULL = "metrics.db cannot grow: the disk is full."


@dataclass
class Scene:
    """A made-up clock, a store's problem, models that fail, and two channels that note all."""

    now: int = 0
    problem: str = FULL
    failing: dict[str, str] = field(default_factory=dict)
    refuses: bool = False
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        routing = Routing(
            (Channel("phone", "webhook"), Channel("mail", "webhook")),
            (Route(to=("phone",), severity=(1,)), Route(to=("mail",))),
        )
        receivers = {name: Receiver(self.take) for name in ("phone", "mail")}
        self._notifier = StoreOutageNotifier(
            *(receivers, routing, lambda: 1_000 + self.now, lambda: self.now),
            *(lambda: self.problem, lambda: self.failing),
        )

    async def take(self, notification: Notification) -> DeliveryResult:
        if self.refuses:
            return TryAgain("no")
        lines = " | ".join(notification.lines)
        self.told.append(f"{notification.channel} {notification.kind} {notification.id}: {lines}")
        return Sent()

    async def after(self, milliseconds: int) -> None:
        self.now += milliseconds
        await self._notifier.check()


async def test_a_store_that_cannot_be_written_is_told_once_and_so_is_its_end() -> None:
    scene = Scene()
    await scene.after(0)
    await scene.after(TELL_AFTER - 1)
    assert scene.told == []
    for _ in range(9):
        await scene.after(5_000)
    begin = "phone call store-outage/35999: watchdeck cannot write its store, so no other alert can"
    assert scene.told == [f"{begin} be told: {FULL}"]
    scene.problem = ""
    await scene.after(5_000)
    await scene.after(5_000)
    assert scene.told[1:] == [
        "phone resolved store-outage/35999/over: watchdeck writes its store again"
    ]


async def test_a_model_that_fails_meanwhile_is_told_from_memory() -> None:
    scene = Scene()
    await scene.after(0)
    await scene.after(TELL_AFTER)
    scene.failing["fraud"] = "/metrics: the connection was refused"
    await scene.after(5_000)
    await scene.after(5_000)
    assert len(scene.told) == 2
    assert scene.told[1].endswith("| fraud does not answer: /metrics: the connection was refused")


async def test_a_channel_that_refuses_is_tried_again() -> None:
    scene = Scene(refuses=True)
    await scene.after(0)
    await scene.after(TELL_AFTER)
    scene.refuses = False
    await scene.after(5_000)
    assert len(scene.told) == 1


async def test_a_short_trouble_is_told_nobody() -> None:
    scene = Scene()
    await scene.after(0)
    scene.problem = ""
    await scene.after(5_000)
    scene.problem = FULL
    await scene.after(TELL_AFTER)
    assert scene.told == []
