"""How like emulated devices are to real ones, in words."""

from harness.analysis import Likeness
from harness.report.fidelity import fidelity_table
from harness.report.layout import WIDTH


def pair(*differences: str) -> Likeness:
    """A pair of cells with these differences."""
    return Likeness("sdk", "1.0", "mqtt", "renewal", "sdk-real-1", "sdk-emulated-1", differences)


def test_what_agrees_and_what_differs() -> None:
    """Each pair by the real cell's name, each difference below it, within the width."""
    text = fidelity_table([pair(), pair("gap: real 4 ms, emulated 9 ms", "application: real " + "word " * 60)])
    assert text.splitlines()[1:4] == [
        "sdk-real-1: agrees",
        "sdk-real-1: differs",
        "    gap: real 4 ms, emulated 9 ms",
    ]
    assert max(map(len, text.splitlines())) <= WIDTH


def test_nothing_without_a_pair() -> None:
    """Not even a heading."""
    assert fidelity_table([]) == ""
