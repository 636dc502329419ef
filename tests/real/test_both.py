"""A real SDK and the emulated device that plays it, side by side in one run."""

import pytest
from support.real_runs import finish, start_comparison

from harness.analysis import Likeness, likenesses
from harness.cli.results import derive

pytestmark = [pytest.mark.matrix, pytest.mark.slow, pytest.mark.real_sdk]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Likeness, ...]:
    """What was compared of the SDK for Python whose connection ended while it was idle."""
    root = tmp_path_factory.mktemp("both")
    run = start_comparison(root, ["cut-idle"], "--sdk", "python", "--transport", "mqtt", "--device", "both")
    return likenesses(cell for row in derive(finish(run, root, 120)).rows for cell in row.cells)


def test_the_two_are_held_against_each_other(pairs: tuple[Likeness, ...]) -> None:
    """And do not differ in what happened, nor in what the application was told."""
    (pair,) = pairs
    assert (pair.real.endswith("cut-idle-real-1"), pair.emulated.endswith("cut-idle-emulated-1")) == (True, True)
    assert [told for told in pair.differences if not told.startswith("absence 1, gap")] == []
