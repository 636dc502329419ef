"""What devices suffer from."""

from collections.abc import Callable, Sequence

import pytest
from support.hub_log import CONNECT, DISCONNECT, HubLog, Record, diagnose, entries_of, findings, judged, lines

from harness.diagnosis import Diagnosed
from harness.diagnosis.remedies import Cause
from harness.hub.diagnostics import Problem

HOUR = 3600
CUTS = [4200 * number + 0.0 for number in range(1, 7)]
RANDOM = [500.0, 4100.0, 9000.0, 9900.0, 20_000.0, 31_000.0]
FAR = HubLog("other").connect(200_000).records
"""Another device, long after."""


def cured(log: HubLog, *others: Sequence[Record]) -> Diagnosed:
    """What the log's device suffers from."""
    return diagnose([*log.records, *(record for more in others for record in more)])[log.device]


def noise() -> HubLog:
    """Cut at its token's end, again and again."""
    return HubLog(sdk="com.microsoft.azure.sdk.iot.iot-device-client/2.5.0").connect(0).cut(*CUTS)


def gone_in_rhythm() -> HubLog:
    """The same where no 401003 was written."""
    log = HubLog().connect(0)
    for at in CUTS:
        log.gone(at).connect(at + 2)
    return log


def test_renewal_noise() -> None:
    """The pattern of the article, every 70 minutes."""
    told = cured(noise())
    assert (told.cause, told.sdk, told.lifetime_s, told.grace_s, told.period_s) == (
        "renewal-noise",
        "java 2.5.0",
        3600,
        600,
        4199,
    )
    assert told.message.startswith("Authentication failed for this device")
    assert told.remedy.startswith("No action is needed")
    assert "AMQP" in told.remedy


def test_the_published_pattern_with_a_connect_that_fails() -> None:
    """The article does not name the operation of the 401003."""
    log = HubLog().connect(0)
    for at in CUTS:
        log.refuse(at).gone(at + 1).connect(at + 3)
    assert cured(log).cause == "renewal-noise"


def test_404104_alone_in_a_rhythm() -> None:
    """Every 65 minutes, as in the article on 404104."""
    log = HubLog(sdk=".NET/1.38.0 (x)").connect(0)
    for number in range(1, 6):
        log.gone(3900 * number).connect(3900 * number + 2)
    told = cured(log)
    assert (told.cause, told.lifetime_s, told.grace_s) == ("renewal-noise", 3600, 300)


def test_errors_alone() -> None:
    """The documented query leaves connects out: nobody can be said to stay away."""
    log = HubLog().cut(*CUTS, back_s=None)
    told = cured(log, HubLog("other").gone(100_000).records)
    assert (told.cause, told.sdk, told.period_s) == ("renewal-noise", "java or dotnet (by its rhythm)", 4200)


@pytest.mark.parametrize(
    ("log", "away_s", "cause"),
    [
        pytest.param(HubLog().connect(0).cut(4200, back_s=None), 60, "renewal-noise", id="the log ends too soon"),
        pytest.param(HubLog().connect(0).cut(4200, back_s=None), 600, "refused", id="away"),
        pytest.param(
            HubLog().connect(0).cut(4200).cut(8400, back_s=None), 6000, "renewal-noise", id="its return may be missing"
        ),
        pytest.param(HubLog().connect(0).cut(4200).cut(8400, back_s=None), 12_000, "refused", id="away for periods"),
    ],
)
def test_a_device_that_stays_away(log: HubLog, away_s: float, cause: Cause) -> None:
    """Its token ran out, and nothing came after."""
    ended = 8400 if len(log.records) > 3 else 4200
    told = cured(log, HubLog("other").connect(ended + away_s).records)
    assert told.cause == cause
    assert ("no record shows the device coming back" in told.remedy) is (cause == "refused")
    assert told.message


@pytest.mark.parametrize(
    ("log", "code"),
    [
        pytest.param(noise().gone(CUTS[-1] + 4200), "Authentication failed", id="its 401003 is missing"),
        pytest.param(noise().gone(CUTS[-1] + 8400), "Authentication failed", id="so are all records of the cut before"),
        pytest.param(gone_in_rhythm().gone(CUTS[-1] + 4200), "Device disconnected", id="no cut has one"),
    ],
)
@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
def test_a_device_that_stays_away_after_a_404104(log: HubLog, code: str, *, down: bool) -> None:
    """In the rhythm of its cuts, it is one."""
    entries = entries_of(lines([*log.records, *FAR]))
    told = judged(entries[:: -1 if down else 1], span=2)[log.device]
    assert (told.cause, told.message[: len(code)]) == ("refused", code)
    assert "no record shows the device coming back" in told.remedy


@pytest.mark.parametrize("at", [CUTS[-1] + 1000, CUTS[-1] + 4200 * 7])
def test_a_device_that_stays_away_after_a_404104_out_of_rhythm(at: float) -> None:
    """Nobody knows why it is gone."""
    assert cured(noise().gone(at), FAR).cause == "network"


def test_a_device_that_stays_away_after_a_404104_without_any_rhythm() -> None:
    """However often it was gone, and whatever else there is."""
    log = HubLog().connect(0)
    for at in RANDOM:
        log.gone(at).connect(at + 40)
    told = cured(log.gone(RANDOM[-1] + 3600), FAR)
    assert (told.cause, told.period_s) == ("network", None)


def test_an_error_without_a_text_is_told_by_its_code() -> None:
    """There is always something to look up."""
    log = gone_in_rhythm()
    told = judged([(*entry[:4], "", *entry[5:]) for entry in entries_of(lines(log.records))])[log.device]
    assert (told.cause, told.message) == ("renewal-noise", "404104")


@pytest.mark.parametrize(
    ("message", "code", "remedy"),
    [
        ("Authorization header missing", "401003", "showed no credential"),
        ("IotHub 'h' does not contain the specified device 'd'", "401003", "Register the device"),
        ("Authorization rule 'r' does not allow access for 'd'", "401003", "permission DeviceConnect"),
        ("Authentication failed for this device, renew token or certificate and reconnect", "401003", "clock is right"),
        (
            "Thumbprint does not match configuration: Thumbprint: SHA1Hash=1, SHA2Hash=2",
            "401003",
            "Register the thumbprint",
        ),
        ("something new", "401003", "See that key"),
        ("gone", "404001", "Register the device"),
        ("too fast", "429002", "throttled"),
        ("asked for", "400030", "test message"),
        ("a new one", "400000", "Look the code up"),
    ],
)
def test_refusals(message: str, code: str, remedy: str) -> None:
    """What to mend depends on what the hub said."""
    told = cured(HubLog(sdk="acme/1").refuse(0, 10, 20, message=message, code=code))
    assert (told.cause, told.message, told.sdk) == ("refused", message, "acme 1")
    assert remedy in told.remedy


def test_a_token_that_ran_out_and_is_shown_again() -> None:
    """A cut, then refusals: not noise."""
    told = cured(HubLog().connect(0).cut(4200, back_s=None).refuse(4201, 4203, 4207))
    assert told.cause == "refused"


@pytest.mark.parametrize(
    ("denied", "cause"),
    [
        pytest.param([29_400], "renewal-noise", id="in rhythm, and it comes back"),
        pytest.param([29_400, 29_402, 29_404], "refused", id="many"),
        pytest.param([27_000], "refused", id="out of rhythm"),
    ],
)
def test_a_denied_connect_beside_renewals(denied: list[float], cause: Cause) -> None:
    """It may be what is left of a cut."""
    log = noise().cut(CUTS[-1] + 8400, CUTS[-1] + 12_600)
    assert cured(log.refuse(*denied).connect(29_406)).cause == cause


@pytest.mark.parametrize(("away_s", "cause"), [(6000, "renewal-noise"), (12_000, "refused")])
def test_a_denied_connect_with_nothing_behind_it(away_s: float, cause: Cause) -> None:
    """Renewals before it do not excuse it for long."""
    log = noise().refuse(CUTS[-1] + 4200)
    assert cured(log, HubLog("other").connect(CUTS[-1] + 4200 + away_s).records).cause == cause


def test_a_refused_renewal() -> None:
    """The device took leave itself, so this is no cut."""
    log = HubLog().connect(0).leave(100).refuse(100).connect(101).gone(101).connect(102)
    assert cured(log).cause == "refused"


def test_the_most_frequent_message_is_told() -> None:
    """Of those that tell of the cause."""
    log = HubLog().gone(1, 2, 3).refuse(10, 20, message="a b").refuse(30, message="c d")
    assert cured(log).message == "a b"


def test_the_network() -> None:
    """Out of rhythm, and nothing says why."""
    log = HubLog().connect(0)
    for at in RANDOM:
        log.gone(at).connect(at + 40)
    told = cured(log)
    assert (told.cause, told.period_s, told.lifetime_s) == ("network", None, None)
    assert told.remedy.startswith("Look at the network")
    assert "renewal noise" not in told.remedy


@pytest.mark.parametrize("period", [345, 240])
def test_a_rhythm_too_short_for_tokens(period: int) -> None:
    """A keep-alive, or a firewall."""
    log = HubLog().connect(0)
    for number in range(1, 9):
        log.gone(period * number).connect(period * number + 1)
    assert cured(log).cause == "network"


def test_a_trouble_of_the_service() -> None:
    """It has a remedy of its own."""
    told = cured(HubLog().connect(0).add(50, DISCONNECT, Problem("500001", "Server error")).connect(60))
    assert told.cause == "network"
    assert "trouble of its own" in told.remedy


@pytest.mark.parametrize(("strays", "cause"), [([], "renewal-noise"), ([5000.0, 10_000.0, 15_000.0], "network")])
def test_noise_and_the_network(strays: list[float], cause: Cause) -> None:
    """What lies out of rhythm counts where it is more than a stray."""
    log = noise()
    for at in strays:
        log.gone(at).connect(at + 20)
    assert cured(log).cause == cause


@pytest.mark.parametrize(
    "end", [HubLog.gone, lambda log, at: log.add(at, DISCONNECT, Problem("500001", "Server error"))]
)
def test_cuts_are_not_the_networks(end: Callable[[HubLog, float], HubLog]) -> None:
    """Three ends without a reason beside 24 cuts: how many are what is known, and the remedy says what each is."""
    log = HubLog().connect(0).cut(*(4200 * number for number in range(1, 25)))
    for at in (5000, 26_000, 51_000):
        end(log, at).connect(at + 5)
    (found,) = findings(entries_of(lines(log.records))).values()
    assert (found.told.cause, found.cuts, found.losses) == ("network", 24, 3)
    assert found.told.remedy.endswith("are renewal noise, and not the network's.")


@pytest.mark.parametrize("transport", ["mqtt", "amqp"])
def test_a_second_client(transport: str) -> None:
    """400027 or 409002."""
    told = cured(HubLog(transport=transport).connect(0).replaced(100, 250, 300))
    assert told.cause == "duplicate-identity"
    assert "one client" in told.remedy


def test_a_device_that_comes_back_before_its_loss_was_noticed() -> None:
    """Mostly it is the network."""
    log = HubLog(transport="amqp").connect(0).replaced(300)
    for at in RANDOM:
        log.gone(at).connect(at + 40)
    assert cured(log).cause == "network"


@pytest.mark.parametrize(
    ("sdk", "period", "named"),
    [
        ("azure-iot-device/1.18.4", 2700, "node 1.18.4"),
        ("", 2880, "c (by its rhythm)"),
        ("iothubclient/1.14.0", 2880, "c 1.14.0"),
    ],
)
def test_clean_renewals(sdk: str, period: int, named: str) -> None:
    """No error; at the default lifetime."""
    told = cured(HubLog(sdk=sdk).connect(0).renew(*(period * number for number in range(1, 5))))
    assert (told.cause, told.sdk, told.lifetime_s, told.grace_s) == ("clean-renewal", named, HOUR, None)
    assert (told.message, told.remedy[:19]) == ("", "No action is needed")


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(HubLog().connect(0), id="connected"),
        pytest.param(HubLog().connect(0).leave(900).connect(2000).leave(2900), id="awake now and then"),
        pytest.param(HubLog().connect(0).renew(100, 350, 780, 1557, 2800), id="comes and goes out of rhythm"),
        pytest.param(HubLog().leave(5), id="only its end"),
    ],
)
def test_nothing(log: HubLog) -> None:
    """No error, no renewal."""
    told = cured(log)
    assert (told.cause, told.message, told.remedy, told.period_s) == ("nothing", "", "", None)


def test_lifetimes_of_seconds() -> None:
    """As in the harness's own runs."""
    log = HubLog().connect(0).cut(15, 30, 45, back_s=0).leave(47)
    told = cured(log)
    assert (told.cause, told.period_s, told.lifetime_s) == ("renewal-noise", 15, None)


def test_many_strays_are_counted_from_those_that_are_kept() -> None:
    """Only the last lengths are kept."""
    log = noise()
    at = CUTS[-1]
    for number in range(300):
        at += 700 + 37 * (number % 23)
        log.gone(at).connect(at + 30)
    assert cured(log).cause == "network"


def test_the_latest_version_is_told() -> None:
    """An SDK may be updated."""
    log = HubLog(sdk="acme/1").connect(0)
    log.sdk = "acme/2"
    log.add(10, DISCONNECT).add(11, CONNECT)
    assert cured(log).sdk == "acme 2"


def test_worst_first() -> None:
    """Then those with most errors."""
    log = noise()
    records = [
        *log.records,
        *HubLog("quiet").connect(0).records,
        *HubLog("less").refuse(1).records,
        *HubLog("more").refuse(1, 2).records,
    ]
    assert list(diagnose(records)) == ["more", "less", "dev1", "quiet"]


def test_many_messages_are_bounded() -> None:
    """A hostile device does not grow its entry."""
    log = HubLog()
    for number in range(50):
        log.refuse(number * 100, message=f"m {number}")
    assert cured(log).message == "m 0"


@pytest.mark.parametrize("back_s", [1, 5, 7, 20, 50, 110])
def test_a_cut_told_by_a_denied_connect_whose_device_takes_its_time(back_s: int) -> None:
    """The article has it back in less than a minute."""
    log = HubLog().connect(0)
    for at in (4_200, 8_400, 12_600, 16_800):
        log.refuse(at).gone(at + 1).connect(at + 1 + back_s)
    assert cured(log).cause == "renewal-noise"


def test_a_connection_that_was_lost_before_refusals_is_no_renewal() -> None:
    """Where it stays refused."""
    log = HubLog().connect(0).gone(3_000).refuse(3_002, 3_030, 3_060, 3_090, 4_000)
    assert cured(log).cause == "refused"


def test_a_return_and_the_next_404104_that_are_missing_make_no_refusal() -> None:
    """Of a device whose 401003 stands on a connect, and which takes its time: the denied connect is late by that time."""
    log = HubLog().connect(0)
    for number in range(1, 9):
        at = 4_290 * number
        log.refuse(at)
        if number != 5:
            log.gone(at + 1)
        if number != 4:
            log.connect(at + 91)
    assert cured(log).cause == "renewal-noise"
