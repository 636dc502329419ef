"""Whether two cells were put under the same circumstances."""

from typing import Any

import msgspec
import pytest
from support.analysis_logs import header

from harness.analysis.circumstances import circumstances


def digest(hub: dict[str, Any] | None = None, **scenario: Any) -> str:
    """Of a header whose scenario has these fields, too."""
    head = header()
    return circumstances(
        msgspec.structs.replace(head, scenario={**head.scenario, **scenario}, hub={**head.hub, **(hub or {})})
    )


@pytest.mark.parametrize(
    "scenario",
    [
        {"title": "Another"},
        {"summary": "Another"},
        {"new": None},
        {"new": {"inner": False, "empty": [], "nothing": 0.0}},
    ],
)
def test_words_and_what_says_nothing_do_not_count(scenario: dict[str, Any]) -> None:
    """A later harness may write more fields, with the meaning they had before."""
    assert digest(**scenario) == digest()


def test_a_number_is_itself_however_it_is_written() -> None:
    """Whole, or with a point."""
    assert digest(token_lifetime_s=20) == digest(token_lifetime_s=20.0) != digest(token_lifetime_s=21)


@pytest.mark.parametrize(
    "scenario",
    [{"faults": [{"at": "connect", "action": "refuse"}]}, {"end": {"renewals": 9}}, {"traffic": ["sending"]}],
)
def test_what_is_done_counts(scenario: dict[str, Any]) -> None:
    """At any depth."""
    assert digest(**scenario) != digest()


def test_the_hubs_ways_count() -> None:
    """As options of the command set them; its name and the device's do not."""
    assert digest({"grace_s": 7.0}) != digest({"grace_s": 8.0})
    assert digest({"device_id": "another"}) == digest()


def test_what_is_nested_without_end_breaks_nothing() -> None:
    """A foreign header may hold it."""
    deep: dict[str, Any] = {}
    for _ in range(900):
        deep = {"a": deep}
    assert digest(new=deep) == digest(new={"a": deep})
