"""Reading TOML documents: what is accepted, and that every error names file, field and remedy."""

import os
import re
from pathlib import Path
from typing import Literal

import pytest

from harness import documents
from harness.documents import Document, load, one_of, parse
from harness.errors import UserInputError


class Inner(Document, frozen=True):
    """An inner table."""

    size: int = 0
    colour: str = ""
    weight: float = 0.0
    kind: Literal["apple", "pear"] | None = None
    weights: tuple[float, ...] = ()
    level: Literal[1, 2] = 1


class Outer(Document, frozen=True):
    """A document with every kind of nesting."""

    name: str
    inner: Inner = Inner()
    maybe: Inner | None = None
    many: tuple[Inner, ...] = ()


class Numbered(Document, frozen=True):
    """A document that says which schema it has."""

    schema: Literal[1, 2]
    name: str = ""


@pytest.mark.parametrize("text", ["schema = 1", "schema = 2"])
def test_older_documents_stay_readable(text: str) -> None:
    """Each schema that is known."""
    assert parse(text, Numbered, UserInputError, where="x.toml").schema in {1, 2}


@pytest.mark.parametrize("text", ["schema = 3", 'schema = 3\nnew = "key"\nname = 1'])
def test_a_newer_document_is_refused_as_that(text: str) -> None:
    """Whatever else in it this version does not know."""
    with pytest.raises(UserInputError, match=r"x\.toml: schema: is 3, this harness reads up to 2. Use a newer harness"):
        parse(text, Numbered, UserInputError, where="x.toml")


@pytest.mark.parametrize(
    ("text", "says"),
    [("schema = 0", "schema: unknown value 0"), ('schema = "3"', "schema: "), ("schema = ", "is not TOML")],
)
def test_what_has_no_schema_of_ours(text: str, says: str) -> None:
    """Is wrong as anything else is: foreign and truncated documents."""
    with pytest.raises(UserInputError, match=rf"x\.toml: {says}"):
        parse(text, Numbered, UserInputError, where="x.toml")


def test_a_document_is_read() -> None:
    """TOML becomes the structure, with its defaults."""
    read = parse('name = "a"\n[inner]\nsize = 1\n[[many]]\ncolour = "red"', Outer, UserInputError, where="x.toml")
    assert read == Outer(name="a", inner=Inner(size=1), many=(Inner(colour="red"),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('nam = "a"', "x.toml: nam: unknown key. Did you mean `name`?"),
        ('name = "a"\n[inner]\nsiez = 1', "x.toml: inner.siez: unknown key. Did you mean `size`?"),
        ('name = "a"\n[maybe]\ncolor = ""', "x.toml: maybe.color: unknown key. Did you mean `colour`?"),
        (
            'name = "a"\n[[many]]\nqq = 1',
            "x.toml: many[0].qq: unknown key. Known here: size, colour, weight, kind, weights, level",
        ),
        ("", "x.toml: name: is missing. Add `name`"),
        ('name = "a"\n[inner]\nsize = "1"', "x.toml: inner.size: Expected `int`, got `str`. Correct the value"),
        (
            'name = "a"\n[[many]]\nkind = "appel"',
            "x.toml: many[0].kind: unknown value 'appel'. Did you mean `apple`? Known here: apple, pear",
        ),
        ('name = "a"\ninner.kind = "rice"', "x.toml: inner.kind: unknown value 'rice'. Known here: apple, pear"),
        ('name = "a"\ninner.kind = ""', "x.toml: inner.kind: unknown value ''. Known here: apple, pear"),
        ('name = "a"\ninner.level = 3', "x.toml: inner.level: unknown value 3. Known here: 1, 2"),
        (
            'name = "a"\ninner.weight = nan',
            "x.toml: inner.weight: nan is no number to calculate with. Use a finite number",
        ),
        (
            'name = "a"\n[[many]]\n[[many]]\nweights = [1.0, -inf]',
            "x.toml: many[1].weights[1]: -inf is no number to calculate with. Use a finite number",
        ),
        (
            'name = "a"\nmaybe.weight = 1e999',
            "x.toml: maybe.weight: inf is no number to calculate with. Use a finite number",
        ),
        ("name = ", "x.toml: is not TOML (Invalid value (at end of document)). Correct the syntax at that place"),
    ],
)
def test_errors_name_file_field_and_remedy(text: str, message: str) -> None:
    """One sentence about what is wrong, where, and one about what to do."""
    with pytest.raises(UserInputError) as error:
        parse(text, Outer, UserInputError, where="x.toml")
    assert str(error.value) == message


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_an_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    """Absent, or not UTF-8: the error names the path."""
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserInputError, match="cannot be read") as error:
        load(path, Outer, UserInputError)
    assert error.value.where == str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"name = {5_000 * '['}", "is nested too deep to be read. Nest arrays and inline tables a few levels deep at most"),
        (f"name = {5_000 * '{a = '}", "is nested too deep to be read. Nest arrays and inline tables a few levels deep at most"),
        (f"name = {5_000 * '1'}", "has an integer of too many digits to be read. Use a number of a few digits"),
    ],
    ids=["arrays", "tables", "digits"],
)  # fmt: skip
def test_what_the_toml_reader_gives_up_on(text: str, message: str) -> None:
    """It is a mistake in the document like any other, and no fault of the program."""
    with pytest.raises(UserInputError) as error:
        parse(text, Outer, UserInputError, where="x.toml")
    assert str(error.value) == f"x.toml: {message}"


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(UserInputError, match=f"^{re.escape(str(tmp_path))}: is no ordinary file"):
        load(tmp_path, Outer, UserInputError)


def test_nothing_is_read_of_a_device() -> None:
    """Some never end."""
    with pytest.raises(UserInputError, match=f"^{os.devnull}: is no ordinary file. Name a TOML file"):
        load(Path(os.devnull), Outer, UserInputError)


def test_nothing_is_read_of_a_pipe() -> None:
    """Nobody may ever write to it; this one is over already, so that a reader would find an empty document."""
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading), pytest.raises(UserInputError, match="is no ordinary file"):
        load(Path(f"/dev/fd/{reading}"), Outer, UserInputError)


def test_one_of_suggests_the_nearest() -> None:
    """A known value passes; a misspelt one is answered with what was probably meant."""
    assert one_of("mqtt", ["mqtt", "amqp"], what="transport", where="-t", error=UserInputError) == "mqtt"
    with pytest.raises(UserInputError) as error:
        one_of("mqt", ["mqtt", "amqp"], what="transport", where="-t", error=UserInputError)
    assert str(error.value) == "-t: unknown transport 'mqt'. Did you mean `mqtt`?"


def test_one_of_nothing() -> None:
    """Where nothing is known, nothing is suggested."""
    with pytest.raises(UserInputError, match="Remove it"):
        one_of("x", [], what="thing", where="-t", error=UserInputError)


def test_a_place_that_cannot_be_followed() -> None:
    """Where the structure of a place is unknown, no keys are suggested."""
    assert documents._fields_at(Outer, "inner.nothing") == []
