"""Tests of the requirement itself: a required runtime that is absent fails its tests, another skips them."""

import pytest
from support.runtimes import demand, read_required


def test_a_runtime_that_is_there_is_enough() -> None:
    """Required or not."""
    demand("node", frozenset({"node"}), lambda _: "somewhere/node")


def test_an_absent_runtime_skips() -> None:
    """With what brings it."""
    with pytest.raises(pytest.skip.Exception, match=r"Node\.js is not installed \(apt-get install nodejs npm\)"):
        demand("node", frozenset({"java"}), lambda _: "")


def test_an_absent_runtime_that_is_required_fails() -> None:
    """Nothing passes silently."""
    with pytest.raises(pytest.fail.Exception, match=r"HARNESS_REQUIRE names node: Node\.js is not installed"):
        demand("node", frozenset({"node"}), lambda _: "")


def test_the_requirement_is_a_comma_list() -> None:
    """With or without spaces."""
    assert read_required(" python, node,") == {"python", "node"}


def test_a_typing_error_is_no_requirement() -> None:
    """It would never be met, and never be missed."""
    with pytest.raises(pytest.UsageError, match=r"names pyhton; known are python, node, .*, chromium"):
        read_required("pyhton")


def test_the_browser_is_required_like_a_runtime() -> None:
    """Its tests name it."""
    with pytest.raises(pytest.fail.Exception, match=r"Chromium is not installed \(apt-get install chromium\)"):
        demand("chromium", read_required("chromium"), lambda _: "")
