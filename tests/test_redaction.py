"""Tests of the redaction: no spelling of a secret survives, and nothing else is lost."""

import base64
import string
from collections.abc import Callable, Sequence
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.redaction import DEEPEST, MARK, TOO_DEEP, Redactor, spellings

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SIGNATURE = "LzPWB2jTnQdFPww4A+nwUMPcAI5ocx93l/ZWyGfp1C8="
KEYS = st.binary(min_size=12, max_size=40).map(lambda raw: base64.b64encode(raw).decode())
MANY = tuple(base64.b64encode(bytes([number] * 32)).decode() for number in range(30))
WORDS = st.text(string.ascii_letters + string.digits + " .:/-", max_size=40)


@pytest.mark.parametrize(
    "text",
    [
        f"SharedAccessSignature sr=h%2Fdevices%2Fd&sig={quote(SIGNATURE, safe='')}&se=1767225600",
        f"SharedAccessSignature sig={quote(SIGNATURE, safe='').lower()}&se=1&sr=h/devices/d",
        f"HostName=h;DeviceId=d;SharedAccessKey={KEY}",
        f"password=SharedAccessSignature%20sr%3Dh%26sig%3D{quote(quote(SIGNATURE, safe=''), safe='')}%26se%3D1",
    ],
)
def test_signatures_and_keys_are_blanked_without_being_known(text: str) -> None:
    """The usual spellings of a credential are recognised by their names."""
    redacted = Redactor().text(text)
    assert MARK in redacted
    assert not any(secret[:20] in redacted for secret in (KEY, SIGNATURE, quote(SIGNATURE, safe=""), SIGNATURE.lower()))


def test_the_rest_of_a_token_stays_readable() -> None:
    """Resource and expiry are what a reader needs."""
    token = "SharedAccessSignature sr=h%2Fdevices%2Fd&sig=abc%3D&se=1767225600&skn=policy"
    assert Redactor().text(token) == f"SharedAccessSignature sr=h%2Fdevices%2Fd&sig={MARK}&se=1767225600&skn=policy"


@pytest.mark.parametrize("others", [(), MANY], ids=["few", "many"])
@given(secret=KEYS, before=WORDS, after=WORDS)
def test_a_known_secret_is_blanked_in_every_spelling(
    others: Sequence[str], secret: str, before: str, after: str
) -> None:
    """Plain, percent-encoded, hexadecimal, and inside base64 at whatever alignment it falls; however many others are known."""
    redactor = Redactor([*others, secret])
    text = before + secret + after
    written = [
        text,
        quote(text, safe=""),
        text.encode().hex(),
        text.encode().hex().upper(),
        base64.b64encode(text.encode()).decode(),
        base64.urlsafe_b64encode(text.encode()).decode(),
        f"{before}{secret.rstrip('=')} {after}",
        f"{before}{secret.replace('+', '-').replace('/', '_')}{after}",
        f"{before}{base64.b64decode(secret).hex()}{after}",
        before + secret.replace("+", "\\u002B").replace("/", "\\/").replace("=", "\\u003d") + after,
    ]
    for line in map(redactor.text, written):
        assert MARK in line
        assert not any(form in line for form in spellings(secret))


def test_a_text_whose_escapes_hide_nothing_is_left_alone() -> None:
    """A path of Windows, a line break."""
    assert Redactor([KEY]).text(r"C:\users\u002bx \/ \n") == r"C:\users\u002bx \/ \n"


@given(st.text(min_size=12))
def test_no_spelling_is_shorter_than_the_shortest_secret(secret: str) -> None:
    """Texts below that length are not searched for secrets."""
    assert min(map(len, spellings(secret))) >= 12


@pytest.mark.parametrize("text", ["sig=abc", "sig%3Dabc", "sig%3dabc"])
def test_a_named_secret_is_blanked_however_short(text: str) -> None:
    """What is called a signature needs no length to be one."""
    assert Redactor().text(text).endswith(MARK)


@given(text=WORDS)
def test_innocent_text_is_left_alone(text: str) -> None:
    """What holds no secret comes back as it was."""
    assert Redactor([KEY]).text(text) == text


def test_values_are_redacted_at_every_depth() -> None:
    """Lists, objects and their keys; numbers and switches stay what they are."""
    value = {"a": [f"x {KEY}", {KEY: 1}], "b": 2.5, "c": None, "d": (True, KEY)}
    assert Redactor([KEY]).value(value) == {"a": [f"x {MARK}", {MARK: 1}], "b": 2.5, "c": None, "d": [True, MARK]}


@pytest.mark.parametrize("wrapped", [lambda one: [one], lambda one: {"a": one}])
def test_what_is_nested_too_deeply_is_left_out(wrapped: Callable[[object], object]) -> None:
    """A device program may write it; nothing breaks of it, and no secret hides there."""
    value: object = KEY
    for _ in range(5000):
        value = wrapped(value)
    told, depth = Redactor([KEY]).value(value), 0
    while isinstance(told, list | dict):
        told = told[0] if isinstance(told, list) else told["a"]
        depth += 1
    assert (told, depth) == (TOO_DEEP, DEEPEST)


def test_a_short_secret_is_ignored() -> None:
    """Blanking a short word would make logs unreadable."""
    assert Redactor(["abc"]).text("abc") == "abc"


def test_a_secret_learned_late_is_blanked_from_then_on() -> None:
    """The signatures become known as the hub sees them."""
    redactor = Redactor()
    assert redactor.text(f"seen {SIGNATURE}") == f"seen {SIGNATURE}"
    redactor.add(SIGNATURE)
    redactor.add(SIGNATURE)
    assert redactor.text(f"seen {SIGNATURE}") == f"seen {MARK}"


def test_a_secret_is_found_in_a_long_text() -> None:
    """Length is no cover."""
    assert Redactor([KEY]).text("x " * 1000 + KEY) == "x " * 1000 + MARK


def test_a_secret_that_is_mostly_padding_garbles_no_log() -> None:
    """A device may send anything as its password; no spelling of it is short."""
    assert Redactor(["x==========="]).text("an exact text of it") == "an exact text of it"
