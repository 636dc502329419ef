"""Tests of scenario documents: the bundled ones, and what is refused."""

import itertools
import re
from importlib import resources
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
from support.scenarios import bundled_scenarios

from harness.errors import ScenarioError
from harness.fault import Fault
from harness.fault_words import Anchor
from harness.hub import faults
from harness.scenario import DEFAULT_SCENARIOS, HTTPS_SCENARIOS, check_scenario, find_scenarios, load_scenario

BUNDLED = sorted(Path(str(resources.files("harness") / "scenarios")).glob("*.toml"))
GOOD = """
schema = 1
id = "mine"
title = "Mine"
credential = "key"
settings = "none"
traffic = []
[end]
after_s = 1.0
limit_s = 5.0
"""


def _outage(fields: str, action: str = "outage") -> str:
    """A fault with these fields, in front of the end."""
    return f'[[faults]]\nat = "half-life"\naction = "{action}"\n{fields}\n[end]'


def written(folder: Path, text: str) -> Path:
    """A scenario file with this text."""
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_the_default_scenarios_are_bundled() -> None:
    """And nothing bundled is wrong."""
    assert {*DEFAULT_SCENARIOS, *HTTPS_SCENARIOS} <= set(bundled_scenarios())


def test_the_skew_scales_with_the_grace() -> None:
    """600 : 300 as on the service, unless set."""
    assert bundled_scenarios()["renewal"].hub.skew == 2.5
    assert bundled_scenarios()["defaults"].hub.skew == 300.0


def test_traffic_has_a_name_for_tables() -> None:
    """Every finding about recovery names it."""
    known = bundled_scenarios()
    assert [known[name].traffic_name for name in ("renewal", "expiry-idle")] == ["sending+listening", "idle"]


def test_a_users_scenario_stands_beside_the_bundled_ones(tmp_path: Path) -> None:
    """By its own id."""
    assert find_scenarios([written(tmp_path, GOOD)])["mine"].title == "Mine"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "mine"', 'id = "renewal"', r"mine\.toml: id: the scenario 'renewal' exists already"),
        ('id = "mine"', 'id = ""', r"mine\.toml: id: '' is no name of a scenario\. Use up to 64 letters"),
        ('id = "mine"', 'id = "../mine"', r"id: '\.\./mine' is no name of a scenario"),
        ('id = "mine"', 'id = "mine,yours"', r"id: 'mine,yours' is no name of a scenario"),
        ('id = "mine"', f'id = "{65 * "m"}"', r"id: 'm+' is no name of a scenario"),
        ("traffic = []", 'traffic = ["sending", "sending"]', r"mine\.toml: traffic: names one twice\. Name each once"),
        ("traffic = []", 'traffic = []\ntransports = ["amqp", "amqp"]', r"transports: names one twice"),
        ("schema = 1", "schema = 1\ncolour = 1", r"mine\.toml: colour: unknown key"),
        ("after_s", "after", r"mine\.toml: end\.after: unknown key\. Did you mean `after_s`\?"),
        ("traffic = []", 'traffic = ["shouting"]', r"mine\.toml: traffic\[.*\]: unknown value 'shouting'\. Known here: sending, listening"),
        ("limit_s = 5.0", "limit_s = 0.5", r"mine\.toml: end: after_s has to be above 0"),
        ('"key"', '"token"', r"mine\.toml: token_lifetime_s: goes with"),
        ('"key"', '"token"\ntoken_lifetime_s = 0', r"token_lifetime_s: is not above 0"),
        ('"key"', '"token"\ntoken_lifetime_s = 315360001', r"token_lifetime_s: is longer than ten years\. Use 315360000 seconds"),
        ("[end]", "[end]\nrenewals = -1", r"end\.renewals: is below 0"),
        ("[end]", "[end]\nother_renewals = -1", r"end\.other_renewals: is below 0"),
        ("[end]", "[end]\ncuts = -1", r"end\.cuts: is below 0"),
        ("limit_s = 5.0", "limit_s = inf", r"end\.limit_s: inf is no number to calculate with"),
        ("[end]", "[hub]\ngrace_s = 5\nskew_s = 5\n[end]", r"hub\.skew_s: skew_s = 5 is not below grace_s = 5.*allow_skew_over_grace"),
        ("[end]", "[hub]\ngrace_s = -1\n[end]", "hub: grace_s and skew_s cannot be negative"),
        ("[end]", "[intervals]\nc2d_s = 0\n[end]", r"intervals\.c2d_s: is not above 0"),
        ("[end]", "[intervals]\nsend_s = 0.009\n[end]", r"intervals\.send_s: is below 0\.01: a flood of messages\. Use 0\.01 seconds or more"),
        ("[end]", "[intervals]\nmethod_s = 86401\n[end]", r"intervals\.method_s: is longer than a day"),
        ("limit_s = 5.0", "limit_s = 86401", r"mine\.toml: end\.limit_s: is longer than a day\. Use 86400 seconds at most"),
        ("[end]", _outage('how = "rst"\nfor_s = 86401'), r"faults\[0\]\.for_s: is longer than a day"),
        ('"key"', '"token"\ntoken_lifetime_s = 9\nsupply = { at = "cut", after_s = 86401 }', r"supply\.after_s: is longer than a day"),
        ('"key"', '"token"\ntoken_lifetime_s = 0.9', r"token_lifetime_s: is below 1, and a token ends at a whole second\. Use 1 second or more"),
        ("[end]", "[hub]\ngrace_s = 315360001\n[end]", r"hub: grace_s or skew_s is longer than ten years\. Use 315360000 seconds"),
        ("[end]", "[hub]\nskew_s = 315360001\nallow_skew_over_grace = true\n[end]", r"hub: grace_s or skew_s is longer than ten years"),
        ("[end]", "[end]\nrenewals = 1001", r"end\.renewals: is above 1000\. Await no more than can happen in a cell"),
        ('"key"\nsettings = "none"', '"token"\ntoken_lifetime_s = 9\nsettings = "main"', r'mine\.toml: settings: are for tokens that an SDK makes itself.*credential = "token"\. Use settings = "none"'),
        ('"key"\nsettings = "none"', '"none"\nsettings = "profile"', r'mine\.toml: settings: are for tokens .*credential = "none"'),
        ("[end]", "[end]\nother_renewals = 1", r'end\.other_renewals: are with settings after the first, .*"none" there is one\. Use settings = "profile"'),
        ("[end]", "[end]\nrefusals = -1", r"end\.refusals: is below 0"),
        ("[end]", "[end]\nrefusals = 1", r"end\.refusals: nothing is refused in this scenario\. Add a fault with action = \"refuse\""),
        ("[end]", '[hub]\nclose = "bang"\n[end]', r"hub\.close: unknown value 'bang'\. Known here: fin, rst, detach, detach-not-closed, close"),
        ("[end]", '[[faults]]\nat = "noon"\naction = "cut"\n[end]', r"faults\[.*\]\.at: unknown value 'noon'.*Known here: before-renewal, renewal, renewal-answer, away, half-life, expiry, grace-end"),
        ("[end]", '[[faults]]\nat = "half-life"\naction = "refuse"\n[end]', r"faults\[0\]\.action: refuse cannot happen at half-life\. It can at renewal, away$"),
        ("[end]", '[[faults]]\nat = "away"\naction = "takeover"\n[end]', r"faults\[0\]\.action: takeover cannot happen at away\. It can at before-renewal, half-life, expiry, grace-end$"),
        ("[end]", '[[faults]]\nat = "renewal"\naction = "delay"\n[end]', r"faults\[0\]\.delay_s: is not above 0\. Say how many seconds"),
        ("[end]", '[[faults]]\nat = "renewal"\naction = "ignore"\ndelay_s = 1\n[end]', r'faults\[0\]\.delay_s: goes with action = "delay"'),
        ("[end]", '[[faults]]\nat = "renewal"\naction = "cut"\ncode = 3\n[end]', r'faults\[0\]\.code: goes with action = "refuse"'),
        ("[end]", '[[faults]]\nat = "renewal"\naction = "refuse"\ncode = 0\n[end]', r"faults\[0\]\.code: 0 is none that SDKs tell apart\. Use one of 1, 2, 3, 4, 5"),
        ("[end]", '[[faults]]\nat = "renewal"\naction = "refuse"\nstatus = 200\n[end]', r"faults\[0\]\.status: 200 is none .* 400, 401, 403, 404, 500"),
        ("schema = 1", 'schema = 1\ntransports = ["amqp", "amqp-ws"]\nfaults = [{ at = "renewal", action = "refuse", code = 3 }]', r"faults\[0\]\.code: only mqtt can carry it, and the scenario is about amqp, amqp-ws"),
        ("schema = 1", 'schema = 1\ntransports = ["mqtt"]\nfaults = [{ at = "renewal", action = "refuse", status = 500 }]', r"faults\[0\]\.status: only amqp can carry it"),
        ("schema = 1", 'schema = 1\ntransports = ["https"]\nfaults = [{ at = "half-life", action = "cut" }]', r"faults\[0\]\.at: HTTPS has no connection that a fault could strike"),
        ("traffic = []", 'traffic = ["sending"]\ntransports = ["mqtt", "https"]\nfaults = [{ at = "half-life", action = "cut" }]', r"faults\[0\]\.at: HTTPS has no connection .* and `transports` names https\. Keep mqtt and drop https"),
        ('"key"', '"certificate"\ncertificate = { kind = "ca" }\ndevice = { key = "another" }', r"device\.key: nothing is signed with the device's key"),
        ("[end]", '[[faults]]\nat = "half-life"\naction = "throttle"\n[end]', r"faults\[0\]\.action: throttle does nothing to an application that sends nothing\. Add"),
        ("[end]", "[end]\nfaults = 1", r"end\.faults: is above 0: no more can strike"),
        ("[end]", "[end]\nfaults = -1", r"end\.faults: is below 0"),
        ("[end]", '[[faults]]\nat = "renewal"\naction = "refuse"\nclose = "fin"\n[end]', r'faults\[0\]\.close: goes with action = "cut"'),
        ("[end]", '[[faults]]\nat = "renewal"\naction = "cut"\ntimes = 0\n[end]', r"faults\[0\]\.times: is not between 1 and 1000"),
        ('"key"', '"token"\ntoken_lifetime_s = 9\nfaults = [{ at = "renewal", action = "cut" }]', r"faults\[0\]\.at: nobody renews a fixed token"),
        ("[end]", _outage("for_s = 5"), r"faults\[0\]\.how: goes with action = \"outage\", and only with it\. Set both"),
        ("[end]", _outage('how = "rst"'), r"faults\[0\]\.for_s: goes with action = \"outage\""),
        ("[end]", _outage('how = "rst"\nfor_s = 0'), r"faults\[0\]\.for_s: is not above 0"),
        ("[end]", '[[faults]]\nat = "renewal"\naction = "delay"\ndelay_s = 6\n[end]', r"faults\[0\]\.delay_s: is longer than the cell may last"),
        ('"key"\nsettings = "none"\ntraffic = []\n[end]', '"token"\ntoken_lifetime_s = 9\nsettings = "none"\ntraffic = []\n[end]\nother_renewals = 1', r"end\.other_renewals: is more than the tokens the application supplies"),
        ("[end]", _outage('how = "rst"\nfor_s = inf'), r"inf is no number to calculate with"),
        ("[end]", _outage('how = "bang"\nfor_s = 5'), r"unknown value 'bang'.*Known here: restart, rst, half-open, blackhole"),
        ("[end]", _outage('how = "rst"\nfor_s = 5\nclose = "fin"'), r'faults\[0\]\.close: fin does not go with how = "rst"'),
        ("[end]", _outage('how = "blackhole"\nfor_s = 5\nclose = "detach"'), r'faults\[0\]\.close: detach does not go with how = "blackhole"'),
        ("[end]", _outage('how = "rst"\nfor_s = 5', "cut"), r"faults\[0\]\.how: goes with action = \"outage\", and only with it"),
        ("schema = 1", 'schema = 1\ntransports = ["amqp", "smoke"]', r"transports\[.*\]: unknown value 'smoke'"),
        ("schema = 1", 'schema = 1\ntransports = ["amqp", "mqtt"]\nhub = { close = "detach" }', r"hub\.close: detach is no way to end a connection over mqtt, which the scenario is about"),
        ("[end]", '[hub]\nclose = "detach"\n[end]', r'mine\.toml: hub\.close: detach is no way to end a connection over mqtt, .* add transports = \["amqp", "amqp-ws"\]'),
        ("schema = 1", 'schema = 1\ntransports = ["mqtt-ws"]\nfaults = [{ at = "half-life", action = "cut", close = "close" }]', r"faults\[0\]\.close: close is no way .* over mqtt-ws, which the scenario is about"),
        ("traffic = []", 'traffic = []\ntransports = ["https"]', r"traffic: over https nothing is seen of an idle application"),
        ("traffic = []", 'traffic = ["sending"]\ntransports = ["https"]\nfaults = [{ at = "half-life", action = "cut" }]', r"faults\[0\]\.at: HTTPS has no connection that a fault could strike"),
        ("traffic = []", 'traffic = ["sending"]\ntransports = ["https"]\nhttps_traffic = []', r"https_traffic: over https nothing is seen of an idle application"),
        ("traffic = []", 'traffic = []\nhttps_traffic = ["sending"]', r"https_traffic: is about https, and the scenario is not\. Name it in `transports`"),
        ("[end]", "[end]\nrefused_requests = 1", r"end\.refused_requests: only over https are there requests"),
        ("[end]", "[end]\nrefused_requests = -1", r"end\.refused_requests: is below 0"),
        ("schema = 1", "schema = ", r"mine\.toml: is not TOML"),
        ("[end]", "[ending]", r"unknown key|end: is missing"),
    ],
)  # fmt: skip
def test_a_wrong_scenario_names_file_field_and_remedy(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Before anything starts."""
    with pytest.raises(ScenarioError, match=says):
        find_scenarios([written(tmp_path, GOOD.replace(old, new))])


def test_nothing_is_cut_over_https(tmp_path: Path) -> None:
    """There is no connection."""
    text = GOOD.replace("traffic = []", 'traffic = ["sending"]\ntransports = ["https"]').replace(
        "[end]", "[end]\ncuts = 1"
    )
    with pytest.raises(ScenarioError, match=r"end\.cuts: over https there is no connection to be cut"):
        load_scenario(written(tmp_path, text))


def test_a_scenario_is_about_connections_unless_it_says_otherwise() -> None:
    """HTTPS has to be named."""
    known = bundled_scenarios()
    assert known["renewal"].is_about == ("mqtt", "mqtt-ws", "amqp", "amqp-ws")
    assert known["https-renewal"].is_about == ("https",)


def test_over_https_an_idle_application_may_send(tmp_path: Path) -> None:
    """Where the document says so; elsewhere it stays idle."""
    text = GOOD.replace("traffic = []", 'traffic = []\ntransports = ["mqtt", "https"]\nhttps_traffic = ["sending"]')
    scenario = load_scenario(written(tmp_path, text))
    assert (scenario.over("mqtt").traffic_name, scenario.over("https").traffic_name) == ("idle", "sending")


def test_every_refusal_is_about_https_too() -> None:
    """But for certificates of an authority, which are refused there for being such, and for the one that another is held against."""
    refused = [one for one in bundled_scenarios().values() if one.refused_at_first]
    connected = {one.id for one in refused if "https" not in one.is_about}
    assert connected == {"x509-ca-expired", "x509-ca-unknown", "clock-behind-6-process"}
    assert all(one.over("https").traffic for one in refused if "https" in one.is_about)


@pytest.mark.parametrize("name", ["grace_s", "skew_s"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_options_that_are_no_numbers_are_refused(name: str, number: float) -> None:
    """What `--grace` and `--skew` set is no document, and is checked all the same."""
    known = bundled_scenarios()["renewal"]
    changed = msgspec.structs.replace(known, hub=msgspec.structs.replace(known.hub, **{name: number}))
    with pytest.raises(ScenarioError, match=rf"^here: hub\.{name}: {number} is no number to calculate with"):
        check_scenario(changed, "here")


def test_the_storm_can_be_asked_for_by_name(tmp_path: Path) -> None:
    """Skew not below the grace is contradictory otherwise."""
    text = GOOD.replace("[end]", "[hub]\ngrace_s = 5\nskew_s = 9\nallow_skew_over_grace = true\n[end]")
    assert load_scenario(written(tmp_path, text)).hub.skew == 9


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """With the path."""
    with pytest.raises(ScenarioError, match=r"absent\.toml: cannot be read"):
        load_scenario(tmp_path / "absent.toml")


def test_what_disturbs_a_device_has_to_be_asked_for() -> None:
    """The scenarios with faults, or with an end that is not the transport's own, are bundled and no part of the default set."""
    asked = {name for name, one in bundled_scenarios().items() if one.faults or one.hub.close is not None}
    assert {"expiry-close", "renewal-refused", "cut-idle", "connack-lost", "throttled", "hub-restart"} <= asked
    assert not asked & set(DEFAULT_SCENARIOS)


@pytest.mark.parametrize(
    "name",
    [
        "cut-sending",
        "cut-refused-sending",
        "hub-restart",
        "network-drop-rst",
        "network-drop-blackhole",
        "network-drop-unreachable",
    ],
)
def test_the_fault_falls_far_from_any_message(name: str) -> None:
    """Half of what is left of a token with whole seconds, counted from its use: at least half a second after a message, a second before the next.

    So does the end of an outage, from which on messages can bring something about.
    """
    scenario = bundled_scenarios()[name]
    assert scenario.token_lifetime_s is not None
    for later in (0.0, scenario.faults[0].for_s or 0.0):
        earliest, latest = later + (scenario.token_lifetime_s - 1.5) / 2, later + scenario.token_lifetime_s / 2
        before = earliest // scenario.intervals.send_s * scenario.intervals.send_s
        assert before + 0.5 <= earliest
        assert latest + 1 <= before + scenario.intervals.send_s


def test_faults_and_transports_are_read(tmp_path: Path) -> None:
    """What only AMQP knows is fine where no other transport is named."""
    fault = '[hub]\nclose = "detach"\n[[faults]]\nat = "half-life"\naction = "cut"\n[end]'
    text = GOOD.replace("traffic", 'transports = ["amqp", "amqp-ws"]\ntraffic').replace("[end]", fault)
    scenario = load_scenario(written(tmp_path, text))
    assert scenario.faults == (Fault(at="half-life", action="cut"),)
    assert (scenario.transports, scenario.closes) == (("amqp", "amqp-ws"), {"hub.close": "detach"})
    assert scenario.close_problem("amqp-ws") is None
    assert scenario.close_problem("mqtt") == ("hub.close", "detach")


def test_documents_and_hub_speak_of_the_same_faults() -> None:
    """The hub knows no documents, so both have the fields; the words are those of one module."""
    assert get_type_hints(Fault) == get_type_hints(faults.Fault)


@pytest.mark.parametrize("end", ["renewals = 1", "other_renewals = 1", "cuts = 1"])
def test_a_certificate_is_neither_renewed_nor_cut(tmp_path: Path, end: str) -> None:
    """An end that waits for that would never come."""
    text = GOOD.replace('"key"', '"certificate"\ncertificate = { kind = "self-signed" }').replace(
        "[end]", f"[end]\n{end}"
    )
    with pytest.raises(ScenarioError, match=rf"mine\.toml: end\.{end.split(maxsplit=1)[0]}: .*certificate"):
        load_scenario(written(tmp_path, text))


FORGOTTEN = GOOD.replace('"key"', '"token"\ntoken_lifetime_s = 9\nfaults = [{ at = "grace-end", action = "ignore" }]')


def test_a_cut_that_is_forgotten_is_not_waited_for(tmp_path: Path) -> None:
    """It is the only one there is."""
    assert load_scenario(written(tmp_path, FORGOTTEN)).end.cuts == 0
    with pytest.raises(ScenarioError, match=r"mine\.toml: end\.cuts: the hub forgets the only cut.*Await `faults`"):
        load_scenario(written(tmp_path, FORGOTTEN.replace("[end]", "[end]\ncuts = 1")))


FIXED = GOOD.replace('"key"', '"token"\ntoken_lifetime_s = 9')


@pytest.mark.parametrize(
    ("before", "end", "says"),
    [
        ('faults = [{ at = "away", action = "refuse" }]', "", r"faults\[0\]\.at: is away, and nothing makes the device leave .*Add a fault with at = \"half-life\""),
        ('faults = [{ at = "half-life", action = "delete", times = 2 }]', "", r"faults\[0\]\.times: is 2, and after the first delete .*Drop it"),
        (
            'faults = [{ at = "half-life", action = "disable" }, { at = "expiry", action = "cut" }]', "",
            r"faults\[1\]\.at: expiry is never reached: .* after disable at half-life\. Drop one",
        ),
        ("", "cuts = 2", r"end\.cuts: is above 1: a token that nobody renews is cut for once, .*Await fewer, or raise `times`"),
        (
            'faults = [{ at = "grace-end", action = "ignore" }, { at = "expiry", action = "takeover" }]', "cuts = 2",
            r"end\.cuts: is above 1",
        ),
        (
            'faults = [{ at = "half-life", action = "cut" }, { at = "away", action = "refuse" }]', "refusals = 1",
            r"end\.refusals: counts new tokens, and nobody renews a fixed one\. Await `faults`, or let `\[supply\]`",
        ),
        (
            'supply = { at = "cut" }\nfaults = [{ at = "grace-end", action = "ignore" }]', "",
            r"supply\.at: is cut, and the hub does not cut for the expiry: ignore at grace-end\. Use at = \"half-life\", or drop the fault",
        ),
    ],
)  # fmt: skip
def test_what_never_comes_with_a_fixed_token_is_refused(tmp_path: Path, before: str, end: str, says: str) -> None:
    """With file, field and remedy, before anything starts."""
    text = FIXED.replace("schema = 1", f"schema = 1\n{before}").replace("[end]", f"[end]\n{end}")
    with pytest.raises(ScenarioError, match=rf"mine\.toml: {says}"):
        load_scenario(written(tmp_path, text))


@pytest.mark.parametrize(
    ("before", "end"),
    [
        ("", "cuts = 1"),
        ('transports = ["amqp"]', "cuts = 2"),  # for tokens that it puts once the hub has refused them
        ("hub = { grace_s = 5, skew_s = 9, allow_skew_over_grace = true }", "cuts = 9"),
        ('supply = { at = "cut", times = 2 }', "cuts = 9"),
        ('supply = { at = "cut" }\nfaults = [{ at = "grace-end", action = "cut", close = "rst" }]', "renewals = 1"),
    ],
)
def test_what_may_come_with_tokens_of_the_application(tmp_path: Path, before: str, end: str) -> None:
    """It is not refused."""
    text = FIXED.replace("schema = 1", f"schema = 1\n{before}").replace("[end]", f"[end]\n{end}")
    load_scenario(written(tmp_path, text))


def test_no_more_refusals_are_awaited_than_faults_make(tmp_path: Path) -> None:
    """`times` of each that refuses."""
    text = GOOD.replace("[end]", '[[faults]]\nat = "renewal"\naction = "refuse"\ntimes = 2\n[end]\nrefusals = 2')
    assert load_scenario(written(tmp_path, text)).end.refusals == 2
    with pytest.raises(ScenarioError, match=r"mine\.toml: end\.refusals: is above 2: no more are refused"):
        load_scenario(written(tmp_path, text.replace("refusals = 2", "refusals = 3")))


SUPPLIED = GOOD.replace('"key"', '"token"\ntoken_lifetime_s = 9').replace(
    "[end]", '[[faults]]\nat = "renewal"\naction = "refuse"\n[supply]\nat = "half-life"\n[end]\nrefusals = 1'
)


def test_renewals_by_the_application_can_go_wrong_too(tmp_path: Path) -> None:
    """Where it does supply tokens."""
    assert load_scenario(written(tmp_path, SUPPLIED)).is_renewed
    with pytest.raises(ScenarioError, match=r"faults\[0\]\.at: nobody renews a fixed token\. .*let `\[supply\]`"):
        load_scenario(written(tmp_path, SUPPLIED.replace("half-life", "never")))


CLAUSE = re.compile(r'"[A-Z0-9][^"]+"|MQTT 3\.1\.1 section \d|AMQP 1\.0 part \d, section \d|[Ii]ssue \d+')


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_every_scenario_begins_with_the_clause_it_comes_from(path: Path) -> None:
    """A comment that names a document, a section of a standard, or an issue of an SDK."""
    text = path.read_text(encoding="utf-8")
    comment = " ".join(
        line.removeprefix("# ") for line in itertools.takewhile(lambda line: line.startswith("# "), text.splitlines())
    )
    assert CLAUSE.search(comment)


def test_every_anchor_is_used() -> None:
    """What can be said is also shown."""
    used = {fault.at for one in bundled_scenarios().values() for fault in one.faults}
    assert used == set(get_args(Anchor))


def test_the_reset_at_expiry_falls_far_from_any_message() -> None:
    """As above; and the next message is due half a second or more before the hub stops accepting the token."""
    scenario = bundled_scenarios()["expiry-reset"]
    assert scenario.token_lifetime_s is not None
    earliest, latest = scenario.token_lifetime_s - 1.5, scenario.token_lifetime_s
    before = earliest // scenario.intervals.send_s * scenario.intervals.send_s
    assert before + 0.5 <= earliest
    assert latest + 0.5 <= before + scenario.intervals.send_s <= earliest + scenario.hub.skew - 0.5
