"""The table of devices."""

from support.hub_log import HubLog, Record, entries_of, lines

from harness.diagnosis import Finding, Patients
from harness.report.diagnosis import diagnosis_text


def findings(records: list[Record]) -> list[Finding]:
    """What the devices suffer from."""
    patients = Patients()
    patients.add(entries_of(lines(records)))
    return patients.findings()


def a_log() -> HubLog:
    """A device with noise and one that is refused."""
    log = HubLog("noisy", ".NET/1.38.0 (x)").connect(0).cut(4200, 8400)
    return log.about("bad").refuse(1, 2, message="Authorization header missing").about("quiet").connect(3)


def test_a_line_for_each_device() -> None:
    """Cause, SDK, figures, errors, message; below, each remedy once."""
    text = diagnosis_text(findings(a_log().records), 20)
    body, _, advice = text.rpartition("\n\n")
    assert body.index("bad") < body.index("noisy") < body.index("quiet")
    for part in (
        "dotnet 1.38.0",
        "2 cut",
        "last 70 min",
        "token about 60 min",
        "grace about 10 min",
        "401003 x 2",
        "header missing",
    ):
        assert part in " ".join(text.split())
    assert "refused (1 device): The device showed no credential" in advice
    assert "renewal-noise (1 device): No action is needed" in advice
    assert "more:" not in text


def test_many_devices() -> None:
    """A summary first, then the worst ones, and how to see the others."""
    log = a_log()
    for number in range(30):
        log = log.about(f"idle-{number:02}").connect(number).cut(4200 + number)
    text = diagnosis_text(findings(log.records), 2)
    summary, table, hidden, _advice = text.split("\n\n", 3)
    assert [line.split()[:2] for line in summary.split("\n")[2:]] == [
        ["refused", "1"],
        ["renewal-noise", "31"],
        ["nothing", "1"],
    ]
    assert "bad" in table
    assert "idle" not in table
    assert hidden.startswith("31 devices more:")
    assert "devices more" not in diagnosis_text(findings(log.records), 0)


def test_one_device() -> None:
    """That is hidden is told in the singular."""
    assert "1 device more:" in diagnosis_text(findings(HubLog("a").refuse(1).about("b").connect(2).records), 1)


def test_short_periods() -> None:
    """In seconds."""
    assert "last 25 s" in diagnosis_text(findings(HubLog().connect(0).cut(25, 51).records), 0)


def test_what_was_lost_stands_beside_what_was_cut() -> None:
    """So that nobody takes the cuts for the network's."""
    log = HubLog().connect(0).cut(4200, 8400, 12_600).gone(13_000).connect(13_010)
    words = " ".join(diagnosis_text(findings(log.records), 0).split())
    assert "3 cut" in words
    assert "1 lost" in words


def test_hostile_texts() -> None:
    """Ids, versions, codes and messages cannot move the cursor or add a line."""
    evil = "\x1b[2J\nok  nothing\u202e"
    log = HubLog(f"id{evil}", f"sdk{evil}/1").refuse(0, message=f"message {evil}" + "x" * 9999)
    log.records[0]["resultType"] = f"499{evil}"
    text = diagnosis_text(findings(log.records), 0)
    assert not {"\x1b", "\u202e", "\r"} & set(text)
    assert not any(line.startswith("ok") for line in text.split("\n"))
    assert len(text) < 5000
