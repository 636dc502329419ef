"""The canonical names of what goes wrong."""

import re
from pathlib import Path
from typing import get_args

import pytest

from harness import hub
from harness.analysis.troubles import TROUBLES, name_of_end, name_of_refusal
from harness.hub.auth import ASKED, CHECKS, FAULTY
from harness.hub.ending import Cause
from harness.sas import MALFORMED, MISSING

UNSPECIFIC = {"refused: not-authorized", "refused: other"}


def test_the_list_is_closed() -> None:
    """Each name once, among them the best known."""
    assert len(set(TROUBLES)) == len(TROUBLES)
    assert {"token-expired", "refused: token-expired", "refused: unknown-device", "network: reset"} <= set(TROUBLES)


def written_checks() -> list[str]:
    """The names of all checks that the code of the hub makes refusals of, wherever it does."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(Path(hub.__path__[0]).rglob("*.py"))]
    return [name for source in sources for name in re.findall(r'\bCheck\(\s*"([^"]+)"', source)]


KNOWN = {check.name: check for check in (*CHECKS, *FAULTY.values(), ASKED)}


def test_no_check_of_the_hub_is_overlooked_here() -> None:
    """Those that are tested below are all there are."""
    assert set(written_checks()) == set(KNOWN)


def test_every_decision_of_the_hub_has_a_name() -> None:
    """By its text; none is taken for what its code alone would say, and different ones differ."""
    texts = [check.text for check in KNOWN.values() if check.text != "{problem}" and check is not ASKED]
    names = {text: name_of_refusal(401, text, mqtt=False) for text in texts}
    assert set(names.values()) <= set(TROUBLES) - UNSPECIFIC
    assert {one for one in names.values() if list(names.values()).count(one) > 1} <= {"refused: other-hub"}


@pytest.mark.parametrize("check", KNOWN)
def test_every_rule_of_the_hub_has_a_name(check: str) -> None:
    """Over either protocol, also where its text is not in the log; both lead to the same name, unless the text is that of any refusal."""
    row = KNOWN[check]
    name = name_of_refusal(row.status, "", check, mqtt=False)
    assert name in set(TROUBLES) - UNSPECIFIC
    assert name == name_of_refusal(int(row.connack), "", check, mqtt=True)
    assert row.text == "{problem}" or row is ASKED or name == name_of_refusal(401, row.text, mqtt=False)


@pytest.mark.parametrize("cause", get_args(Cause))
def test_every_cause_of_the_hub_has_a_name(cause: str) -> None:
    """But for those that end no stay: the device was not in, or the cell is over."""
    name = name_of_end(cause, "fin")
    assert name in TROUBLES
    assert (name == "hub: other") == (cause in {"connect-timeout", "refused", "hub-stopped"})


@pytest.mark.parametrize("text", [MALFORMED, MISSING.format(name="se")])
def test_what_is_no_token(text: str) -> None:
    """Whatever is wrong with it."""
    assert name_of_refusal(5, text, mqtt=True) == "refused: malformed-token"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Thumbprint does not match configuration: Thumbprint: SHA1Hash=a", "thumbprint"),
        ("The certificate is not the one that is registered.", "thumbprint"),
        ("The device does not use certificates.", "x509-disabled"),
        ("The certificate has expired, or is not valid yet.", "certificate-expired"),
        ("The hub does not know the certificate's authority.", "certificate-authority"),
        ("The certificate names another device.", "certificate-subject"),
        ("The certificate is odd", "certificate"),
        ("bad signature", "wrong-key"),
        ("expired", "token-expired"),
        ("Too many requests", "throttled"),
        ("Cbs message missing Type property", "bad-request"),
    ],
)
def test_a_text_tells_more_than_a_code(text: str, name: str) -> None:
    """Also where two of its words do."""
    assert name_of_refusal(5, text, mqtt=True) == f"refused: {name}"


@pytest.mark.parametrize(
    ("code", "mqtt", "name"),
    [
        (1, True, "protocol-version"),
        (2, True, "identifier"),
        (3, True, "server-unavailable"),
        (4, True, "bad-credentials"),
        (5, True, "not-authorized"),
        (9, True, "other"),
        (401, False, "not-authorized"),
        (400, False, "bad-request"),
        (404, False, "unknown-device"),
        (429, False, "throttled"),
        (500, False, "server-error"),
        (403, False, "other"),
    ],
)
def test_without_a_text_the_code_counts(code: int, name: str, *, mqtt: bool) -> None:
    """Each of the two protocols has its own."""
    assert name_of_refusal(code, "fault", mqtt=mqtt) == f"refused: {name}"
    assert f"refused: {name}" in TROUBLES


@pytest.mark.parametrize(
    ("cause", "close", "name"),
    [
        ("token-expired", "detach", "token-expired"),
        ("takeover", "fin", "takeover"),
        ("fault", "fin", "network: end"),
        ("fault", "rst", "network: reset"),
        ("fault", "detach-not-closed", "link: detached"),
        ("fault", "close", "connection: closed"),
        ("fault", "half-open", "network: half-open"),
        ("fault", "blackhole", "network: blackhole"),
        ("fault", "restart", "hub: restart"),
        ("key-rolled", "fin", "key-rolled"),
        ("fault", "", "hub: other"),
        ("", "fin", "network: end"),
        ("a-new-one", "fin", "hub: other"),
    ],
)
def test_how_a_stay_ended(cause: str, close: str, name: str) -> None:
    """By the cause where it is one; what a scenario brought about, by how it looked."""
    assert name_of_end(cause, close) == name
    assert name in TROUBLES
