"""Models share a resource when they use the same part of a machine, by the configuration."""

import pytest

from watchdeck.domain.board.resource_sharing import ResourceUsers
from watchdeck.domain.settings.endpoint import Endpoint, EndpointFacts, Resource, public_facts


def facts(name: str, *resources: Resource) -> EndpointFacts:
    return EndpointFacts(name, "http://here", 10_000, resources=resources)


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        pytest.param(Resource("a"), Resource("a"), True, id="the whole machine"),
        pytest.param(Resource("a"), Resource("b"), False, id="two machines"),
        pytest.param(Resource("a"), Resource("a", {"gpu": "0"}), True, id="a part of the whole"),
        pytest.param(
            Resource("a", {"gpu": "0"}), Resource("a", {"gpu": "1"}), False, id="two parts"
        ),
        pytest.param(
            Resource("a", {"gpu": "0"}), Resource("a", {"mig": "1"}), True, id="perhaps the same"
        ),
    ],
)
def test_parts_overlap_unless_a_label_tells_them_apart(
    one: Resource, other: Resource, *, overlaps: bool
) -> None:
    assert one.overlaps(other) is other.overlaps(one) is overlaps


def test_a_resource_names_the_other_models_that_use_the_same_part() -> None:
    chat, rank = facts("chat", Resource("a", {"gpu": "0"})), facts("rank", Resource("a"))
    tag = facts("tag", Resource("a", {"gpu": "1"}))
    users = ResourceUsers([chat, rank, tag])
    shared = {one.name: users.shared_resources(one)[0].others for one in (chat, rank, tag)}
    assert shared == {"chat": ("rank",), "rank": ("chat", "tag"), "tag": ("rank",)}
    assert users.shared_resources(chat)[0].text == "a (gpu=0)"


def test_a_name_alone_is_a_whole_resource_in_the_store() -> None:
    endpoint = Endpoint("chat", "http://chat", resources=("a", Resource("b", {"gpu": "0"})))
    assert public_facts(endpoint).resources == (Resource("a"), Resource("b", {"gpu": "0"}))
    assert public_facts(endpoint).resource_names == {"a", "b"}
