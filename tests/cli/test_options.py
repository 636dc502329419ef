"""Options that several commands share."""

import pytest

from harness.cli.options import sdk_list
from harness.errors import UserInputError


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
