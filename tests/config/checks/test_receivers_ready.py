from pathlib import Path

from watchdeck.config.checks.receivers import receiver_problems
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.receivers import Channel, Heartbeat
from watchdeck.domain.values.secret import Secret

GONE = Secret(env="WATCHDECK_TEST_NOT_SET")
WHY = "the environment variable WATCHDECK_TEST_NOT_SET is not set"


def test_what_is_missing_to_tell_somebody_is_known_before_the_night() -> None:
    settings = Settings(
        channel=(
            Channel("hook", "webhook", url="http://h", headers={"X": GONE, "Y": "plain"}),
            Channel("pd", "pagerduty", routing_key=GONE),
            Channel("siren", "command", command=("/no/such", "x"), environment=("NOT_SET_EITHER",)),
        ),
        heartbeat=Heartbeat(GONE),
    )
    assert list(receiver_problems(settings)) == [
        f"channel hook: {WHY}",
        f"channel pd: {WHY}",
        "channel siren: there is no program '/no/such'",
        "channel siren: the environment variable NOT_SET_EITHER is not set",
        f"heartbeat: {WHY}",
    ]


def test_who_has_all_is_ready(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("hush\n")
    key.chmod(0o600)
    settings = Settings(
        channel=(
            Channel("pd", "pagerduty", routing_key=Secret(file=str(key))),
            Channel("siren", "command", command=("sh",)),
            Channel("chat", "apprise", url="json://h", services=("json",)),
        )
    )
    assert list(receiver_problems(settings)) == []
