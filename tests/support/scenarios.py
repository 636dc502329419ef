"""The bundled scenarios, read once: they cannot be changed."""

import functools

from harness.scenario import Scenario, find_scenarios

__all__ = ["bundled_scenarios"]


@functools.cache
def bundled_scenarios() -> dict[str, Scenario]:
    """By id."""
    return find_scenarios()
