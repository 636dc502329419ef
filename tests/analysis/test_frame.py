"""What stands before and after a cell's story."""

from typing import get_args

import pytest
from support.analysis_logs import LogBuilder, header, renews_in_place

from harness.analysis.cells import analyse_cell
from harness.analysis.frame import about, ending
from harness.analysis.telling import tell
from harness.analysis.timeline import make_timeline
from harness.fault_words import Action, Anchor


def begins(log: LogBuilder) -> list[str]:
    """The sentences before the story."""
    read = log.log()
    return list(about(read, analyse_cell(read)))


def ends(log: LogBuilder) -> list[str]:
    """The sentences after it."""
    read = log.log()
    return list(ending(read, tell(read), make_timeline(read)))


def test_a_cell_in_which_all_went_well() -> None:
    """What became of messages, both ways, and how it ended."""
    assert ends(renews_in_place()) == [
        "Of 6 messages, 6 reached the hub.",
        "Of 2 C2D messages, 2 shown to the application.",
        "Of 2 direct methods, 2 answered.",
        "The harness closed the client at 22.1 s; the cell is finished.",
    ]


def test_an_incomplete_log_says_so() -> None:
    """And from when on nothing is known."""
    assert ends(LogBuilder().connect(60).at(7)) == [
        "The log is incomplete: it ends at 0 s, and what happened after that is not known."
    ]


def test_a_cell_that_did_not_run() -> None:
    """The reason is all there is."""
    assert ends(LogBuilder().end("environment", "no Java here", awaited=False)) == [
        "The cell was not measured (environment): no Java here."
    ]
    assert ends(LogBuilder().end("harness-error")) == ["The cell was not measured (harness-error): nobody says why."]


def test_a_busy_machine_is_not_kept_secret() -> None:
    """A second or more is what a device may have given up over."""
    end = "The harness closed the client at 9 s; the cell is finished."
    late = "The machine was busy: the hub was late by up to 11.5 s, and what happened may be of that making."
    busy = LogBuilder().connect(60).at(5).harness("lag", worst_ms=11_530.0, over_s=11.6).harness("lag", worst_ms=1000.0)
    assert ends(busy.at(9).end()) == [late, end]
    assert ends(LogBuilder().connect(60).at(5).harness("lag", worst_ms=999.0).at(9).end()) == [end]


def test_what_was_awaited_and_not_seen() -> None:
    """It is part of how the cell ended."""
    assert ends(LogBuilder().connect(60).at(9).end(awaited=False)) == [
        "The harness closed the client at 9 s; the cell is finished. What the scenario waits for was not seen."
    ]
    reason = "what the scenario waits for was not seen within 9 s"
    assert ends(LogBuilder().connect(60).at(9).end(reason=reason, awaited=False)) == [
        f"The harness closed the client at 9 s; the cell is finished: {reason}."
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "The SDK makes its tokens from the device's key, for as long as it likes."),
        (
            {"lifetime_s": 20.0},
            "The SDK makes its tokens from the device's key; the application sets their lifetime to 20 s.",
        ),
        (
            {"lifetime_s": 20.0, "margin_s": 5.0},
            "The SDK makes its tokens from the device's key; the application sets their lifetime to 20 s, and asks for a renewal 5 s before their end.",
        ),
        (
            {"lifetime_s": 20.0, "margin_percent": 15.0},
            "The SDK makes its tokens from the device's key; the application sets their lifetime to 20 s, and asks for a renewal 15 % of it before their end.",
        ),
    ],
)
def test_who_makes_the_tokens(settings: dict[str, object], said: str) -> None:
    """And for how long."""
    assert begins(LogBuilder(header(settings=settings)))[1] == said


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("expiry", "The application hands it a token for 10 s; the SDK cannot make another."),
        ("own-token-late", "The application hands it a token for 10 s; the application supplies others."),
        ("expired-at-start", "The application hands it a token that expired 600 s ago; the SDK cannot make another."),
        (
            "rule-not-allowed",
            "The application hands it a token for 3600 s signed with the key of the policy service; the SDK cannot make another.",
        ),
        ("x509-ca", "The application hands it a client certificate, which stands for a token."),
        ("no-credential", "The application hands it nothing that could let it in."),
    ],
)
def test_what_else_the_device_has(scenario: str, said: str) -> None:
    """A token of the application's own, a certificate, or nothing."""
    assert begins(LogBuilder(header(scenario)))[1] == said


def test_a_credential_of_which_nothing_is_known() -> None:
    """By the scenario's own word, if it has one."""
    odd = begins(LogBuilder(header(scenario_document={"id": "odd", "credential": "a smile"})))
    assert odd[1] == "The application hands it what the scenario calls a smile."
    assert begins(LogBuilder(header(scenario_document={"id": "odd"})))[1].endswith("not in the log.")


@pytest.mark.parametrize(
    ("scenario", "transport", "said"),
    [
        ("expiry", "mqtt", "The hub keeps a connection for 5 s after its token has expired."),
        ("https-expiry", "https", "The hub takes a request for 3 s after its token has expired."),
        ("x509-ca", "amqp", "The hub ends no connection for the age of a certificate."),
    ],
)
def test_how_patient_the_hub_is(scenario: str, transport: str, said: str) -> None:
    """With what it is patient over this transport."""
    assert begins(LogBuilder(header(scenario, transport=transport, hub={"skew_s": 3.0})))[2] == said


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"at": "renewal", "action": "refuse"}, "when the device comes with a new token, it refuses that."),
        ({"at": "renewal-answer", "action": "delay", "delay_s": 5}, "when it has taken a new token and is about to say so, it answers 5 s late."),
        ({"at": "renewal-answer", "action": "delay"}, "when it has taken a new token and is about to say so, it answers late."),
        ({"at": "away", "action": "cut", "times": 2}, "when the device comes back, it ends the connection (2 times)."),
        ({"at": "grace-end", "action": "ignore"}, "at the end of the token's grace, it lets the connection stand."),
        ({"at": "half-life", "action": "outage", "how": "restart", "for_s": 9}, "at half of the token's time, it stops, and is away for 9 s."),
        ({"at": "half-life", "action": "outage", "how": "flood"}, "at half of the token's time, there is an outage: flood."),
        ({"action": "sing"}, "this is done: sing."),
    ],
)  # fmt: skip
def test_what_is_done_on_purpose(fault: dict[str, object], said: str) -> None:
    """The anchor, then the deed, in words; those that are newer than we are by their names."""
    begun = begins(LogBuilder(header(scenario_document={"id": "odd", "credential": "key", "faults": [fault]})))
    assert begun[2].partition(" On purpose, ")[2] == said


@pytest.mark.parametrize("anchor", get_args(Anchor))
@pytest.mark.parametrize("action", get_args(Action))
def test_every_fault_has_its_words(anchor: str, action: str) -> None:
    """None is told by its name in the document."""
    fault = {"at": anchor, "action": action, "how": "rst"}
    (*_, said) = begins(LogBuilder(header(scenario_document={"id": "odd", "credential": "key", "faults": [fault]})))[:3]
    assert "this is done" not in said
    assert ", " in said.partition(" On purpose, ")[2]


def test_who_took_part() -> None:
    """An emulated device; a recording; a scenario with faults; one of which nothing is known."""
    emulated = begins(LogBuilder(header("cut-idle", device="emulated")))
    assert emulated[0].startswith("An emulated device that plays the An SDK 1.0 over mqtt, in the scenario cut-idle: ")
    assert emulated[2].endswith(" On purpose, at half of the token's time, it ends the connection.")
    assert emulated[3] == "The application does nothing with its client once it is open."
    origin = {"kind": "recorded", "date": "2026-11-24"}
    unknown = {
        "id": "odd",
        "credential": "token",
        "traffic": ["sending"],
        "faults": [{"action": "refuse", "times": 2}, 1],
    }
    recorded = begins(LogBuilder(header(scenario_document=unknown, origin=origin)))
    assert recorded[0] == "The real An SDK 1.0 over mqtt (recorded on 2026-11-24), in the scenario odd."
    assert recorded[1] == "The application hands it a token; the SDK cannot make another."
    assert recorded[3] == "The application sends a message every few s."
