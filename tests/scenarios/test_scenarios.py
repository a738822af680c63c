"""Every scenario in this directory comes out as its text says."""

from contextlib import closing
from pathlib import Path

import pytest

from scenarios.playing import CHANNEL, Player
from scenarios.reading import read_scenario

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", [pytest.param(one, id=one.stem) for one in SCENARIOS])
def test_it_comes_out_as_it_is_written(path: Path, tmp_path: Path) -> None:
    scenario = read_scenario(path)
    with closing(Player(scenario, tmp_path / "store")) as player:
        for now, line in player.play():
            name, wanted, *rest = line.words
            assert player.state(name, now) == wanted, f"line {line.number}"
            if rest:
                acknowledged = player.owner(name, now)
                assert acknowledged == rest[-1], f"line {line.number}"
        told = player.told()
        assert scenario.told is None or [row.kind for row in told] == scenario.told
        assert scenario.letters is None or len({row.group for row in told}) <= scenario.letters
        assert all(row.channel == CHANNEL.name for row in told)
