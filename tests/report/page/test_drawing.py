"""Where the shapes of a picture lie."""

import re
from typing import Any

import pytest

from harness.analysis import Away, Exchange, Moment, Picture, Stay, TokenLife
from harness.report.page.drawing import WIDTH, Drawing, draw


def a_picture(**changes: Any) -> Picture:
    """Ten seconds in which nothing happened, but for `changes`."""
    fields: dict[str, Any] = {
        "end_s": 10.0, "closing_s": 9.0, "tokens": (), "stays": (), "aways": (), "telemetry": (), "cloud": (), "moments": (), "lacks": (), "told": "", **changes,
    }  # fmt: skip
    return Picture(**fields)


def shape(drawing: Drawing, name: str) -> str:
    """The path of that class, or nothing."""
    return "".join(one.path for one in drawing.shapes if one.name == name)


def starts(path: str) -> list[float]:
    """Where the parts of a path begin, from the left."""
    return [float(x) for x in re.findall(r"M(-?[\d.]+) ", path)]


def test_time_goes_from_left_to_right() -> None:
    """What is twice as late is twice as far from the beginning."""
    begin, half, end = starts(shape(draw(a_picture(stays=tuple(Stay(at, at, 1, "") for at in (0, 5, 10)))), "stay"))
    assert half - begin == pytest.approx(end - half)
    assert end < WIDTH


def test_a_token_that_outlasts_the_picture_ends_at_its_edge() -> None:
    """With the time at which it really ends."""
    drawing = draw(a_picture(tokens=(TokenLife(1.0, 9.0, 1.0, 910.0, 915.0),)))
    assert [one.text for one in drawing.texts if one.name == "until"] == ["to 910 s"]
    assert max(float(x) for x in re.findall(r"h([\d.]+)v", shape(drawing, "life"))) < WIDTH


def test_lives_use_grace_and_refusals_of_tokens() -> None:
    """Each has its own shape; of one without a known end only that it was shown."""
    lives = (
        TokenLife(0.0, 4.0, 0.0, 5.0, 7.0),
        TokenLife(4.0, None, 4.0, 8.0, 10.0),
        TokenLife(4.5, 9.0, None, None, None),
    )
    drawing = draw(a_picture(tokens=lives))
    assert [len(starts(shape(drawing, name))) for name in ("life", "used", "grace", "refd")] == [2, 2, 2, 1]


def test_many_tokens_share_rows() -> None:
    """The picture does not grow without end."""
    few, many = (draw(a_picture(tokens=(TokenLife(0, 1, 0, 2, 3),) * number)) for number in (6, 60))
    assert few.height == many.height


def test_a_short_absence_can_be_seen() -> None:
    """Whatever the scale."""
    path = shape(draw(a_picture(end_s=3600.0, aways=(Away(5.0, 5.001, back=True),))), "away")
    assert "h1.5v" in path


def test_messages_by_what_became_of_them() -> None:
    """Those that fall on one place are one stroke."""
    many = tuple(Exchange(at, fate, "1") for fate in ("reached", "lost") for at in (1.0, 1.00001, 2.0))
    drawing = draw(a_picture(telemetry=many, cloud=(Exchange(3.0, "open", "C2D 1"),)))
    assert [len(starts(shape(drawing, f"x-{fate}"))) for fate in ("reached", "lost", "open", "again")] == [2, 2, 1, 0]


def test_marks_say_what_they_stand_for() -> None:
    """Those of one place and kind together."""
    moments = (Moment(1.0, "error", "401003"), Moment(1.0, "error", "404104"), Moment(1.0, "fault", "cut"))
    error, fault = draw(a_picture(moments=moments)).marks
    assert (error.name, error.text) == ("error", "1.00 s: 401003\n1.00 s: 404104")
    assert (fault.x, fault.text) == (error.x, "1.00 s: cut")
    assert fault.y > error.y


def test_too_many_marks_are_drawn_without_words() -> None:
    """And a mark's words are bounded."""
    many = tuple(Moment(number / 10, "told", "x" * 1000) for number in range(100))
    marks = draw(a_picture(moments=many)).marks
    assert len(marks) == 100
    assert (marks[-1].text, len(marks[0].text)) == ("", 402)


@pytest.mark.parametrize("end_s", [0.0, 0.3, 9.0, 61.0, 4000.0, 400_000.0, 1e9])
def test_the_axis_has_a_few_numbers(end_s: float) -> None:
    """Whatever its length."""
    numbers = [one for one in draw(a_picture(end_s=end_s)).texts if one.name == "num"]
    assert 1 <= len(numbers) <= 19
    assert numbers[0].text == "0 s"


def test_a_lane_says_that_something_was_not_recorded() -> None:
    """Else it would look as if nothing had been there."""
    texts = [
        one.text for one in draw(a_picture(lacks=("hub-log", "quiet-rows", "commands"))).texts if one.name != "num"
    ]
    assert texts[2:] == ["messages", "not all recorded", "from the cloud", "hub log", "not recorded", "application"]
