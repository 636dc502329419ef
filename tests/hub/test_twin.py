"""The twin: merging, limits, versions."""

import json

import pytest

from harness.hub.twin import Twin


def reported(twin: Twin) -> object:
    """The reported half of the twin."""
    return json.loads(twin.document())["reported"]


def test_new_twin() -> None:
    """Two halves with version 1 and nothing else."""
    assert json.loads(Twin().document()) == {"desired": {"$version": 1}, "reported": {"$version": 1}}


def test_patches_are_merged() -> None:
    """Properties are added, changed, removed by null, and merged below the top level."""
    twin = Twin()
    assert twin.patch(b'{"a": 1, "b": {"c": 2, "d": 3}, "e": 4}') == 2
    assert twin.patch(b'{"a": {"x": 1}, "b": {"c": null, "f": 5}, "e": null, "gone": null}') == 3
    assert reported(twin) == {"a": {"x": 1}, "b": {"d": 3, "f": 5}, "$version": 3}


def test_service_keys_are_skipped() -> None:
    """A device cannot set $version."""
    twin = Twin()
    assert twin.patch(b'{"$version": 7, "$metadata": {"a": 1}}') == 2
    assert reported(twin) == {"$version": 2}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b'"\xff"',
        b'{"a": "\xff"}',
        b'{"a": ' * 11 + b"1" + b"}" * 11,
        b'{"a":' * 100_000,
        b'{"a": "' + b"x" * 33_000 + b'"}',
    ],
)
def test_unacceptable_patches_change_nothing(body: bytes) -> None:
    """No JSON object, too deep or too large: the version stays."""
    twin = Twin()
    assert twin.patch(body) is None
    assert reported(twin) == {"$version": 1}


def test_ten_levels_are_allowed() -> None:
    """The documentation's limit itself is fine."""
    assert Twin().patch(b'{"a": ' * 10 + b"1" + b"}" * 10) == 2
