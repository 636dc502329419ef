"""Options that several commands share."""

from pathlib import Path

import pytest
from support.plans import a_profile

from harness.cli.options import scenarios_named, sdk_list, transport_list
from harness.errors import UserInputError

OWN = """
schema = 1
id = "{name}"
title = "Mine"
credential = "key"
settings = "none"
traffic = []
[end]
after_s = 1.0
limit_s = 5.0
"""


def written(folder: Path, name: str) -> str:
    """A document of the user's own, by its path."""
    path = folder / "own.toml"
    path.write_text(OWN.format(name=name))
    return str(path)


def test_a_file_stands_beside_names_and_groups(tmp_path: Path) -> None:
    """By its path; and it is in the groups that it fits."""
    named = scenarios_named(["clocks", written(tmp_path, "mine"), "expiry"])
    assert [one.id for one in named[-2:]] == ["mine", "expiry"]
    assert len([one for one in scenarios_named(["all", written(tmp_path, "mine")]) if one.id == "mine"]) == 1


def test_of_a_group_comes_what_the_sdks_have_a_transport_for() -> None:
    """Those that say why they lack one have it, so that the table says so."""
    over_mqtt = a_profile("one")
    assert {one.id for one in scenarios_named(["https", "clocks"], ["mqtt", "https"], [over_mqtt])} > {"https-renewal"}
    assert "https-renewal" not in {one.id for one in scenarios_named(["all"], [], [over_mqtt])}


def test_a_file_must_not_have_the_name_of_a_group(tmp_path: Path) -> None:
    """The file and the field are named."""
    with pytest.raises(UserInputError, match=r"own\.toml: id: 'network' is the name of a group of scenarios\. Give"):
        scenarios_named([written(tmp_path, "network")])


def test_transports_are_known_ones() -> None:
    """With the nearest one as the remedy."""
    assert transport_list(["mqtt,amqp", "mqtt"]) == ["mqtt", "amqp"]
    with pytest.raises(UserInputError, match=r"--transport: unknown transport 'mqtt5'\. Did you mean `mqtt`\?"):
        transport_list(["mqtt5"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        (["python,node"], ["python", "node"]),
        (["python@2.0.0,2.9.0,2.14.0"], ["python@2.0.0", "python@2.9.0", "python@2.14.0"]),
        (["node,python@2.0.0, 2.9.0,java@2.5.0,c"], ["node", "python@2.0.0", "python@2.9.0", "java@2.5.0", "c"]),
        (["python@2.0,2.1", "java@2.0,2.1"], ["python@2.0", "python@2.1", "java@2.0", "java@2.1"]),
        (["python@2.0,2.0"], ["python@2.0"]),
        (["node,2.9.0"], ["node", "2.9.0"]),  # no version precedes: it is taken for an SDK, and refused as unknown
        (["python@2.0,node,2.9.0"], ["python@2.0", "node", "2.9.0"]),
        (["python@2.0", "2.9.0"], ["python@2.0", "2.9.0"]),
    ],
)
def test_versions_go_on_after_an_at(values: list[str], expected: list[str]) -> None:
    """Within one option, until an SDK is named."""
    assert sdk_list(values) == expected


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([""], "names nothing"),
        ([","], "names nothing"),
        (["python@"], "'python@' is no SDK@VERSION"),
        (["@2.0"], "'@2.0' is no"),
    ],
)
def test_what_names_no_sdk(values: list[str], says: str) -> None:
    """It is said, and not taken for all."""
    with pytest.raises(UserInputError, match=says):
        sdk_list(values)
