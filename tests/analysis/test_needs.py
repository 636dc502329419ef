"""What a developer asks for."""

import pytest

from harness.analysis.needs import Needs


def test_only_limits_that_are_set_are_limits() -> None:
    """Nought is one."""
    assert Needs(max_errors_per_day=0.0, max_away_s_per_day=2.0).limits == {"errors": 0.0, "away_s": 2.0}
    assert Needs().limits == {}


@pytest.mark.parametrize(
    ("needs", "wanted"),
    [
        (Needs(), True),
        (Needs(sdks=("sdk",)), True),
        (Needs(sdks=("sdk@1.0",)), True),
        (Needs(sdks=("sdk@2.0",)), False),
        (Needs(transports=("mqtt", "amqp")), True),
        (Needs(sdks=("sdk",), transports=("amqp",)), False),
    ],
)
def test_who_is_asked_about(needs: Needs, wanted: bool) -> None:  # noqa: FBT001 - a table
    """SDKs with or without a version, and transports; naming none means all."""
    assert needs.wants("sdk", "1.0", "mqtt") is wanted
