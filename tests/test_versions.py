"""Versions: their order, and what ranges cover."""

import itertools

import pytest

from harness.versions import Version, covers, meet, version_problem

IN_ORDER = [
    "1.9",
    "1.10.0-beta.2",
    "1.10.0-beta.10",
    "1.10.0-preview.1",
    "1.10",
    "1.10.0.post1",
    "2.14.0",
    "2.15.0a1",
    "2.15.0rc",
    "2.15.0rc1",
    "2.15.0RC2",
    "2.15.0",
    "3.0.0b2",
]


def test_versions_are_in_order() -> None:
    """Numbers as numbers, pre-releases before what they lead to, `post` after it."""
    for first, second in itertools.combinations(IN_ORDER, 2):
        assert Version(first) < Version(second)
        assert Version(second) > Version(first)
        assert Version(first) != Version(second)


@pytest.mark.parametrize(
    ("first", "second"), [("2", "2.0.0"), ("1.0rc1", "1.0.0-RC.1"), ("1.0+build.7", "1.0"), ("0", "0.0")]
)
def test_versions_that_are_the_same(first: str, second: str) -> None:
    """Whatever they look like."""
    assert Version(first) == Version(second)
    assert hash(Version(first)) == hash(Version(second))


def test_a_version_is_no_text() -> None:
    """It equals versions only, and keeps how it was written."""
    assert Version("1.0") != "1.0"
    assert repr(Version("1.0rc1")) == "Version('1.0rc1')"


@pytest.mark.parametrize("text", ["", "latest", "v1", "1 0", "1.0!", "-1", "1..0/"])
def test_what_is_no_version(text: str) -> None:
    """It names the text."""
    with pytest.raises(ValueError, match="is no version"):
        Version(text)


@pytest.mark.parametrize(
    ("ranges", "version", "expected"),
    [
        (["2.0"], "2.0.0", True),
        (["2.0"], "2.0.1", False),
        (["==2.0"], "2", True),
        (["!=2.0"], "2", False),
        (["!=2.0"], "2.1", True),
        ([">=2.10.0"], "2.9.0", False),
        ([">=2.10.0"], "2.10.0", True),
        ([">2.10.0"], "2.10.0", False),
        ([">2.10.0"], "2.11.0", True),
        (["<=2.1"], "2.1", True),
        (["<2.1"], "2.1", False),
        (["<2.1"], "2.0", True),
        (["<2.15"], "2.15.0rc1", True),
        (["<2.15.0rc1"], "2.15.0rc1", False),
        ([">=2.10, <2.15.0rc1"], "2.14.0", True),
        ([">=2.10, <2.15.0rc1"], "2.15.0", False),
        (["1.0", ">=2"], "3", True),
        (["LTS_03_2025"], "LTS_03_2025", True),
        (["LTS_03_2025"], "1.0", False),
        ([">=1"], "unheard of", False),
        ([], "1.0", False),
    ],
)
def test_what_ranges_cover(ranges: list[str], version: str, *, expected: bool) -> None:
    """All comparisons of any range."""
    assert covers(ranges, version) is expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["1.0"], ["1.0.0"], True),
        (["1.0"], ["1.1"], False),
        (["<2"], [">=2"], False),
        (["<=2"], [">=2"], True),
        (["<=2,!=2"], [">=2"], False),
        (["<2"], [">1"], True),
        ([">1", "0.5"], ["<1"], True),
        ([">=1"], [">2"], True),
        ([">=1"], ["!=1"], True),
        ([">1", ">=1"], ["<=1", "<1"], True),
        ([">1,>=1"], ["<=1"], False),
        (["<2,<3"], [">=2"], False),
        ([">=2,>=3"], ["<3"], False),
        (["LTS_1"], ["LTS_1", "1.0"], True),
        (["LTS_1"], [">=1"], False),
        ([], ["1"], False),
    ],
)
def test_what_ranges_have_in_common(first: list[str], second: list[str], *, expected: bool) -> None:
    """Whichever comes first."""
    assert meet(first, second) is expected
    assert meet(second, first) is expected


@pytest.mark.parametrize("text", ["1.0", ">=1", "LTS_03_2025", ">=1, <2,!=1.5"])
def test_what_can_be_written(text: str) -> None:
    """Versions, names and ranges."""
    assert version_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("latest", "is no version"),
        (">=", "nor comparisons"),
        ("1.0, 1.1", "covers no version"),
        (">2,<1", "covers no version"),
        (">=v1", "'v1' is no version"),
    ],
)
def test_what_cannot_be_written(text: str, problem: str) -> None:
    """With what is wrong."""
    assert problem in version_problem(text)
