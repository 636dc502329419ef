"""Profile documents: what a valid one needs, and the error each fault gets."""

from pathlib import Path

import msgspec
import pytest

from harness.errors import ProfileError
from harness.law import Law
from harness.profile import (
    LoadedProfile,
    Settings,
    at_version,
    find_profiles,
    known_versions,
    load_profile,
    settings_problem,
)

MINIMAL = """
schema = 1
sdk = "mine"
name = "My SDK"
language = "Rust"
version = "1.0"
transports = ["mqtt"]

[[settings]]
lifetime_s = 30

[emulation]
user_agent = "mine/1.0"
api_version = "2021-04-12"
keep_alive_s = 60
default_lifetime_s = 3600
renewal = { law = "fraction", fraction = 0.8 }
"""
CLAIM = """
[[claims]]
id = "{id}"
kind = "{kind}"
value = {value}
source = {{ document = "A page", section = "Tokens", date = "2026-01-01" }}
{more}
"""


def claim(name: str = "one", kind: str = "token-lifetime", value: str = "3600", more: str = "") -> str:
    """A claim as TOML."""
    return CLAIM.format(id=name, kind=kind, value=value, more=more)


def loaded(tmp_path: Path, text: str) -> LoadedProfile:
    """The profile of this text."""
    (tmp_path / "profile.toml").write_text(text, encoding="utf-8")
    return load_profile(tmp_path)


def refusal(tmp_path: Path, text: str) -> ProfileError:
    """The error this text gets; it always names the file and a remedy."""
    with pytest.raises(ProfileError) as error:
        loaded(tmp_path, text)
    assert error.value.where == str(tmp_path / "profile.toml")
    assert error.value.remedy
    return error.value


def test_a_minimal_profile(tmp_path: Path) -> None:
    """What has no default is enough; the folder is remembered, and the file itself can be named."""
    profile = loaded(tmp_path, MINIMAL)
    assert profile.folder == tmp_path
    assert profile.profile.sdk == "mine"
    assert load_profile(tmp_path / "profile.toml") == profile


@pytest.mark.parametrize(
    ("old", "new", "field", "problem"),
    [
        ('sdk = "mine"', 'skd = "mine"', "skd", "unknown key"),
        ("keep_alive_s", "keepalive_s", "emulation.keepalive_s", "unknown key"),
        ('transports = ["mqtt"]', 'transports = ["mqqt"]', "transports[0]", "mqqt"),
        ('transports = ["mqtt"]', "transports = []", "transports", "is empty"),
        ('sdk = "mine"', 'sdk = ""', "sdk", "cannot be named with --sdk"),
        ('sdk = "mine"', 'sdk = "mine,too"', "sdk", "cannot be named with --sdk"),
        ('sdk = "mine"', 'sdk = "mine@2"', "sdk", "cannot be named with --sdk"),
        ('sdk = "mine"', 'sdk = "my own"', "sdk", "cannot be named with --sdk"),
        ('sdk = "mine"', 'sdk = "Mine"', "sdk", "cannot be named with --sdk"),
        ('sdk = "mine"', 'sdk = "-mine"', "sdk", "cannot be named with --sdk"),
        ('sdk = "mine"', 'sdk = "mine\\n"', "sdk", "cannot be named with --sdk"),
        ("default_lifetime_s = 3600", "default_lifetime_s = nan", "emulation.default_lifetime_s", "nan is no number"),
        ("[[settings]]\nlifetime_s = 30", "settings = []", "", ""),
        ("lifetime_s = 30", "lifetime_s = 0.5", "settings[0]", "outside 1 to"),
        ("lifetime_s = 30", "lifetime_s = 30\nmargin_s = 5", "settings[0]", "no setting of My SDK"),
        ("lifetime_s = 30", "lifetime_s = 30\nmargin_percent = 150", "settings[0]", "not between 0 and 100"),
        ("lifetime_s = 30", "lifetime_s = 30\nmargin_percent = 15", "settings[0]", "no setting of My SDK"),
        ("lifetime_s = 30", "lifetime_s = 30\nmargin_s = 30", "settings[0]", "not below"),
        ('{ law = "fraction", fraction = 0.8 }', '{ law = "margin", seconds = 30 }', "settings[0]", "leaves no time"),
        ("fraction = 0.8", "fraction = 1.5", "emulation.renewal", "not above 0"),
        ('{ law = "fraction", fraction = 0.8 }', '{ law = "margin", seconds = -1 }', "emulation.renewal", "below 0"),
        ('law = "fraction"', 'law = "half"', "emulation.renewal.law", "half"),
        ("default_lifetime_s = 3600", "default_lifetime_s = 0", "emulation.default_lifetime_s", "not above 0"),
        ("keep_alive_s = 60", "keep_alive_s = 65536", "emulation.keep_alive_s", "above 65535"),
        ("[[settings]]", '[[cannot]]\npresent = "no-credential"\nwhy = " "\n[[settings]]', "cannot[0].why", "is empty"),
        ("[[settings]]", '[[cannot]]\npresent = "nothing"\nwhy = "x"\n[[settings]]', "cannot[0].present", "nothing"),
        (
            "[[settings]]",
            '[[cannot]]\npresent = "no-credential"\nwhy = "x"\ntransports = ["amqp"]\n[[settings]]',
            "",
            "transport in cannot[0]",
        ),
        ("keep_alive_s = 60", "keep_alive_s = -1", "emulation.keep_alive_s", "below 0"),
        ("keep_alive_s = 60", "keep_alive_s = 60\nrefused_retry_s = []", "emulation.refused_retry_s", "above 0 s"),
        ("keep_alive_s = 60", "keep_alive_s = 60\nrefused_retry_s = [0]", "emulation.refused_retry_s", "above 0 s"),
        (
            "keep_alive_s = 60",
            "keep_alive_s = 60\ntoken_reuse_fraction = 2",
            "emulation.token_reuse_fraction",
            "between",
        ),
    ],
)
def test_faults_of_the_profile(tmp_path: Path, old: str, new: str, field: str, problem: str) -> None:
    """Each names the field and says what is wrong with it."""
    if new == "settings = []":
        text, field, problem = "settings = []\n" + MINIMAL.replace(old, ""), "settings", "is empty"
    else:
        text = MINIMAL.replace(old, new)
    error = refusal(tmp_path, text)
    assert error.field == field
    assert problem in error.problem


AMQP = """
[emulation.amqp]
renewal = { law = "fraction", fraction = 0.85 }

[emulation.amqp.names]
cbs_sender = "cbs-s"
cbs_receiver = "cbs-r"
telemetry = "t"
c2d = "c"
methods_sender = "ms"
methods_receiver = "mr"
twin_sender = "ts"
twin_receiver = "tr"
"""


def test_amqp_needs_a_table_of_its_own(tmp_path: Path) -> None:
    """How the device behaves over MQTT says nothing about it."""
    text = MINIMAL.replace('transports = ["mqtt"]', 'transports = ["mqtt", "amqp-ws"]')
    error = refusal(tmp_path, text)
    assert error.field == "emulation.amqp"
    assert error.problem == "is missing, while `transports` names amqp-ws"
    emulation = loaded(tmp_path, text + AMQP).profile.emulation
    assert emulation.over("mqtt") is emulation
    assert emulation.over("amqp-ws") is emulation.amqp


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        ("renewal = { law = 'fraction', fraction = 2 }", "renewal", "not above 0"),
        ("own_token_renewal = { law = 'margin', seconds = -1 }", "own_token_renewal", "below 0"),
        ("max_frame_size = 511", "max_frame_size", "below 512"),
        ("max_frame_size = 4294967296", "max_frame_size", "not between"),
        ("channel_max = 65536", "channel_max", "not between"),
        ("credit = 0", "credit", "not between"),
        ("authentication_timeout_s = 0", "authentication_timeout_s", "not above 0"),
        ("put_token_timeout_s = 0", "put_token_timeout_s", "not above 0"),
        ("idle_time_out_ms = 0", "idle_time_out_ms", "not above 0"),
        ("refusals_per_connection = 0", "refusals_per_connection", "not above 0"),
        ("detach_delay_s = -1", "detach_delay_s", "below 0"),
        ("refused_retry_s = []", "refused_retry_s", "above 0 s"),
        ("keep_alive_s = 60", "keep_alive_s", "unknown key"),
        ("after_detach = 'sulks'", "after_detach", "sulks"),
    ],
)
def test_faults_of_the_table_for_amqp(tmp_path: Path, line: str, field: str, problem: str) -> None:
    """Each names the field and says what is wrong with it."""
    table = AMQP if line.startswith("renewal") else AMQP.replace("[emulation.amqp]", f"[emulation.amqp]\n{line}")
    table = table.replace('renewal = { law = "fraction", fraction = 0.85 }', line) if table is AMQP else table
    error = refusal(tmp_path, MINIMAL + table)
    assert error.field == f"emulation.amqp.{field}"
    assert problem in error.problem


def test_an_adapters_unknown_transport(tmp_path: Path) -> None:
    """The device program cannot speak what the profile does not name."""
    adapter = '[adapter]\ncommand = ["x"]\nruntime = "c"\ntransports = ["amqp"]\n'
    error = refusal(tmp_path, MINIMAL + adapter)
    assert "unknown transport of the adapter 'amqp'" in error.problem


ADAPTER = '\n[adapter]\nruntime = "c"\ntransports = ["mqtt"]\n'


@pytest.mark.parametrize("name", ["command", "install"])
@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ('["{python}", "{pth}"]', "'{pth}' holds other braces"),
        ('["x", "{1:2}"]', "holds other braces"),
        ('["x", "{}"]', "holds other braces"),
        ('["x", "{python!r}"]', "holds other braces"),
        ('["x", "{folder.parent}"]', "holds other braces"),
        ('["x", "{folder"]', "holds other braces"),
        ('["x", "}"]', "holds other braces"),
        ('["x", "a\\u0000b"]', r"'a\x00b' holds a NUL"),
        ('["", "device.py"]', "names no program"),
    ],
)
def test_a_command_no_process_can_be_started_by(tmp_path: Path, name: str, command: str, problem: str) -> None:
    """It is found in the document, before a cell pays for it."""
    commands = {"command": '["x"]', name: command}
    lines = "".join(f"{key} = {value}\n" for key, value in commands.items())
    error = refusal(tmp_path, MINIMAL + ADAPTER + lines)
    assert error.field == f"adapter.{name}"
    assert problem in error.problem
    assert "{python} and {folder} are filled in" in error.remedy


def test_a_device_program_needs_a_command(tmp_path: Path) -> None:
    """An empty one starts nothing."""
    error = refusal(tmp_path, MINIMAL + ADAPTER + "command = []\n")
    assert (error.field, error.problem) == ("adapter.command", "is empty")


def test_what_a_command_may_hold(tmp_path: Path) -> None:
    """The two words that are filled in, anywhere, and braces of its own where they are doubled."""
    text = MINIMAL + ADAPTER + 'command = ["{python}", "--at={folder}/x", "{{}}", ""]\n'
    adapter = loaded(tmp_path, text).profile.adapter
    assert adapter
    assert [part.format(python="p", folder="f") for part in adapter.command] == ["p", "--at=f/x", "{}", ""]


@pytest.mark.parametrize(
    ("command", "way", "problem"),
    [
        ('["x"]', "hosts-file", "does not take a hosts file, and way is 'hosts-file'"),
        ('["x", "-D={hosts_file}"]', "gateway", "takes a hosts file, and way is 'gateway'"),
    ],
)
def test_a_hosts_file_is_taken_where_it_is_the_way(tmp_path: Path, command: str, way: str, problem: str) -> None:
    """Otherwise the program would ask the system for the hub's address, or find no name at all."""
    error = refusal(tmp_path, MINIMAL + ADAPTER + f'command = {command}\nway = "{way}"\n')
    assert (error.field, error.problem) == ("adapter.command", problem)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ('{ X = "{hosts_file}" }', "holds other braces than {python} and {folder} and {ca_file}"),
        ('{ X = "a\\u0000b" }', "holds a NUL"),
        ('{ "1X" = "a" }', "'1X' is no name of a variable"),
        ('{ "A=B" = "a" }', "'A=B' is no name of a variable"),
    ],
)
def test_a_variable_no_program_can_have(tmp_path: Path, variables: str, problem: str) -> None:
    """It is found in the document, before a cell pays for it."""
    error = refusal(tmp_path, MINIMAL + ADAPTER + f'command = ["x"]\nenvironment = {variables}\n')
    assert error.field.startswith("adapter.environment.")
    assert problem in error.problem


@pytest.mark.parametrize(("text", "takes"), [("{ca_file}", True), ("a={ca_file}", True), ("{folder}/x", False)])
def test_a_program_that_trusts_by_a_file(tmp_path: Path, text: str, takes: bool) -> None:  # noqa: FBT001 - a table
    """It is given one where one of its variables names it."""
    written = MINIMAL + ADAPTER + f'command = ["x"]\nenvironment = {{ X = "{text}" }}\n'
    adapter = loaded(tmp_path, written).profile.adapter
    assert adapter
    assert adapter.takes_ca_file is takes


def test_an_install_command_knows_no_hosts_file(tmp_path: Path) -> None:
    """There is no hub yet."""
    error = refusal(tmp_path, MINIMAL + ADAPTER + 'command = ["x"]\ninstall = ["x", "{hosts_file}"]\n')
    assert (error.field, error.problem) == (
        "adapter.install",
        "'{hosts_file}' holds other braces than {python} and {folder}",
    )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("token-lifetime", "3600"),
        ("token-lifetime", "59.5"),
        ("lifetime-configurable", "true"),
        ("renewal-point", '{ law = "margin", seconds = 120 }'),
        ("renewal-point-configurable", "false"),
        ("disconnect-point", '{ law = "hub-cut" }'),
        ("renewal-action", '"in-band"'),
        ("closes-first", '"hub"'),
        ("hub-log-levels", '"informational+error"'),
        ("hub-signature", '["401003", "404104", "connect"]'),
        ("app-signature", "[]"),
        ("hub-log-levels", '"none"'),
        ("recovery", '"next-send"'),
        ("return", '"by-itself"'),
        ("unaware", "0"),
        ("c2d-after-return", '"dead"'),
    ],
)
def test_values_of_every_kind_of_claim(tmp_path: Path, kind: str, value: str) -> None:
    """One good value for each kind."""
    (only,) = loaded(tmp_path, MINIMAL + claim(kind=kind, value=value)).profile.claims
    assert only.kind == kind


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("token-lifetime", "true"),
        ("token-lifetime", "-1"),
        ("token-lifetime", "0.0"),
        ("token-lifetime", '"an hour"'),
        ("lifetime-configurable", "1"),
        ("renewal-point", "0.85"),
        ("renewal-point", '{ law = "fraction", fraction = 85 }'),
        ("renewal-action", '"sometimes"'),
        ("renewal-action", '{ law = "none" }'),
        ("closes-first", '["hub"]'),
        ("hub-log-levels", '"debug"'),
        ("hub-signature", '"401003"'),
        ("recovery", '"maybe"'),
        ("return", '"retries"'),
        ("unaware", "-1"),
        ("unaware", "true"),
        ("c2d-after-return", '"sometimes"'),
    ],
)
def test_a_value_of_the_wrong_kind(tmp_path: Path, kind: str, value: str) -> None:
    """The error says what is expected there."""
    error = refusal(tmp_path, MINIMAL + claim(kind=kind, value=value))
    assert error.field == "claims[0] (one).value"
    assert error.remedy.startswith("Expected: ")


def test_only_what_the_application_is_shown_has_variants(tmp_path: Path) -> None:
    """Everything else is no matter of chance."""
    text = claim(kind="renewal-action", value='"reconnect"', more='variants = [["a"]]')
    error = refusal(tmp_path, MINIMAL + text)
    assert error.field == "claims[0] (one).variants"


def test_a_claim_without_a_source(tmp_path: Path) -> None:
    """A claim that names no source is no claim."""
    text = MINIMAL + claim().replace('source = { document = "A page", section = "Tokens", date = "2026-01-01" }', "")
    error = refusal(tmp_path, text)
    assert (error.field, error.problem) == ("claims[0].source", "is missing")


@pytest.mark.parametrize("name", ["document", "date"])
def test_a_source_that_says_nothing(tmp_path: Path, name: str) -> None:
    """Document and date have to be there, and not empty."""
    old = {"document": '"A page"', "date": '"2026-01-01"'}[name]
    error = refusal(tmp_path, MINIMAL + claim().replace(old, '" "'))
    assert error.field == f"claims[0] (one).source.{name}"


@pytest.mark.parametrize("section", ["", 'section = " ",'])
def test_a_source_without_a_section(tmp_path: Path, section: str) -> None:
    """A document is too long to search for a claim."""
    error = refusal(tmp_path, MINIMAL + claim().replace('section = "Tokens",', section))
    assert error.field == "claims[0] (one).source.section"


def test_a_measurement_has_no_sections(tmp_path: Path) -> None:
    """Its note says how it was made."""
    text = claim().replace('"A page", section = "Tokens"', '"measured"')
    assert loaded(tmp_path, MINIMAL + text).profile.claims[0].source.section == ""


@pytest.mark.parametrize("date", ["2026", "2026-01", "2024-02-29"])
def test_dates_of_a_source(tmp_path: Path, date: str) -> None:
    """As exact as the document is."""
    (only,) = loaded(tmp_path, MINIMAL + claim().replace("2026-01-01", date)).profile.claims
    assert only.source.date == date


@pytest.mark.parametrize(
    "date",
    ["today", "2026-13", "2026-02-30", "2026-1-1", "20260101", "2026-W01-1", "01.02.2026", "26", "2026-01-01T00"],
)
def test_what_is_no_date_of_a_source(tmp_path: Path, date: str) -> None:
    """The error shows how to write one."""
    error = refusal(tmp_path, MINIMAL + claim().replace("2026-01-01", date))
    assert error.field == "claims[0] (one).source.date"
    assert "2026-01-31" in error.remedy


@pytest.mark.parametrize(
    "version", ["1.4.0", "2", "LTS_03_2025", "1.0.0-beta.1", "v2.1+build", ">=1.0", ">=1, <2.0rc1"]
)
def test_versions_of_a_claim(tmp_path: Path, version: str) -> None:
    """As SDKs write them."""
    assert loaded(tmp_path, MINIMAL + claim(more=f'versions = ["{version}"]'))


@pytest.mark.parametrize("version", ["~1.4", "^2", ">=v1", ">2,<1", "1.*", "1.0, 1.1", "1.0 - 2.0", "latest", ""])
def test_what_is_no_version_of_a_claim(tmp_path: Path, version: str) -> None:
    """Nobody would see that such a claim is about no version at all."""
    error = refusal(tmp_path, MINIMAL + claim(more=f'versions = ["1.0", "{version}"]'))
    assert error.field == "claims[0] (one).versions"
    assert ">=1.5,<2.0.0rc1" in error.remedy


def test_an_id_used_twice(tmp_path: Path) -> None:
    """Claims are told apart by their ids."""
    error = refusal(tmp_path, MINIMAL + claim() + claim(kind="recovery", value='"none"'))
    assert "twice" in error.problem


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),
        ("", 'transports = ["mqtt"]'),
        ('versions = ["1.0"]', 'versions = ["1.0", "1.1"]'),
        ('versions = [">=1.0"]', 'versions = ["0.9", "<1.1"]'),
        ("", 'when = { credential = "key" }'),
        ('when = { credential = "key" }', 'when = { scenario = "renewal" }'),
        ("when = { traffic = [] }", "when = { traffic = [] }"),
        ('when = { traffic = ["sending", "listening"] }', 'when = { traffic = ["listening", "sending"] }'),
    ],
)
def test_overlapping_claims(tmp_path: Path, first: str, second: str) -> None:
    """Two claims of a kind that may both hold at once are an input error."""
    error = refusal(tmp_path, MINIMAL + claim(more=first) + claim("two", more=second))
    assert "overlaps with the claim 'one'" in error.problem
    assert error.field == "two"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('transports = ["mqtt"]', 'transports = ["mqtt-ws"]'),
        ('versions = ["1.0"]', 'versions = ["1.1"]'),
        ('versions = [">=1.0"]', 'versions = ["<1.0"]'),
        ('when = { credential = "key" }', 'when = { credential = "token" }'),
        ("when = { traffic = [] }", 'when = { traffic = ["sending"] }'),
    ],
)
def test_claims_kept_apart(tmp_path: Path, first: str, second: str) -> None:
    """Circumstances that exclude each other separate two claims of a kind."""
    text = MINIMAL + claim(more=first) + claim("two", more=second)
    assert len(loaded(tmp_path, text).profile.claims) == 2


def test_a_margin_in_seconds_needs_a_lifetime(tmp_path: Path) -> None:
    """Neither alone is what an application can mean."""
    profile = loaded(tmp_path, MINIMAL).profile
    assert "without a lifetime_s" in settings_problem(profile, Settings(margin_s=5))
    assert settings_problem(profile, Settings(lifetime_s=20, margin_s=5)) == ""


def test_the_note_explains_an_impossible_lifetime(tmp_path: Path) -> None:
    """The SDK's own reason follows the bounds."""
    text = MINIMAL.replace("schema = 1", 'schema = 1\nlifetime_min_s = 5\nlifetime_note = "its option says so"')
    problem = settings_problem(loaded(tmp_path, text).profile, Settings(lifetime_s=1))
    assert problem.endswith("the lifetimes My SDK can be used with: its option says so")


def test_a_lifetime_inside_the_default_margin(tmp_path: Path) -> None:
    """Where nothing sets the margin, the default has to leave time."""
    profile = loaded(tmp_path, MINIMAL).profile
    emulation = msgspec.structs.replace(profile.emulation, renewal=Law(law="margin", seconds=900))
    changed = msgspec.structs.replace(profile, emulation=emulation)
    assert "leaves no time" in settings_problem(changed, Settings(lifetime_s=900))
    assert settings_problem(changed, Settings(lifetime_s=901)) == ""
    assert settings_problem(changed, Settings(lifetime_s=30, margin_s=20)) == ""


def test_profiles_of_ones_own_stand_beside_the_bundled(tmp_path: Path) -> None:
    """A folder with a profile, and a folder of such folders."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "profile.toml").write_text(MINIMAL, encoding="utf-8")
    for folder in (tmp_path, tmp_path / "mine"):
        assert [one.profile.sdk for one in find_profiles([folder])] == [
            "c", "dotnet", "java", "mine", "node", "python",
        ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "absent"])
def test_a_folder_without_a_profile(tmp_path: Path, name: str) -> None:
    """Empty or not there: an error, not silence."""
    with pytest.raises(ProfileError, match="holds no profile"):
        find_profiles([tmp_path / name])


def test_an_sdk_described_twice(tmp_path: Path) -> None:
    """A profile cannot take a bundled one's name."""
    (tmp_path / "profile.toml").write_text(MINIMAL.replace('"mine"', '"python"'), encoding="utf-8")
    with pytest.raises(ProfileError, match="already described") as error:
        find_profiles([tmp_path])
    assert error.value.field == "sdk"


SEVERAL = """
[adapter]
command = ["run", "{folder}/x{{}}"]
runtime = "node"
transports = ["mqtt"]
install = ["get", "1.0"]

[adapter.other_versions]
install = ["get", "{version}", "{part}", "{{literal}}", "{folder}"]
without = ["lock"]
covers = [">=0.5"]
why = "older ones are other ones"

[[versions]]
version = "0.9"
words = { part = "9" }
note = "the first"

[[versions]]
version = "2.0.0rc1"
words = { part = "{10}" }
"""


def test_the_versions_of_a_profile_are_in_order(tmp_path: Path) -> None:
    """Its own among them."""
    assert known_versions(loaded(tmp_path, MINIMAL + SEVERAL).profile) == ["0.9", "1.0", "2.0.0rc1"]
    assert known_versions(loaded(tmp_path, MINIMAL).profile) == ["1.0"]


def test_a_profile_at_another_version(tmp_path: Path) -> None:
    """Its words are filled in; those of the harness, and braces, stay for later. What is started is as for its own version."""
    found = at_version(loaded(tmp_path, MINIMAL + SEVERAL), "2.0rc1")
    assert (found.profile.version, found.asked, found.other, found.folder) == ("2.0.0rc1", True, True, tmp_path)
    adapter = found.profile.adapter
    assert adapter is not None
    assert adapter.install == ("get", "2.0.0rc1", "{{10}}", "{{literal}}", "{folder}")
    assert adapter.command == ("run", "{folder}/x{{}}")
    assert (adapter.without, adapter.way) == (("lock",), "gateway")


def test_a_profile_at_another_version_may_be_started_otherwise(tmp_path: Path) -> None:
    """And led to the hub otherwise."""
    more = 'why = "older ones are other ones"\ncommand = ["run", "{version}"]\nway = "host-ip"'
    text = MINIMAL + SEVERAL.replace('why = "older ones are other ones"', more)
    adapter = at_version(loaded(tmp_path, text), "0.9").profile.adapter
    assert adapter is not None
    assert (adapter.command, adapter.way) == (("run", "0.9"), "host-ip")


@pytest.mark.parametrize(
    ("old", "new", "field", "problem"),
    [
        ('version = "0.9"', 'version = "1.0.0"', "versions[0]", "there twice"),
        ('version = "0.9"', 'version = "latest"', "versions[0]", "is no version"),
        ('version = "0.9"', 'version = ">=0.9"', "versions[0]", "is no version"),
        ("{part}", "{port}", "adapter.other_versions.install", "holds other braces"),
        (
            'install = ["get", "{version}", "{part}", "{{literal}}", "{folder}"]',
            "install = []",
            "adapter.other_versions.install",
            "is empty",
        ),
        ('covers = [">=0.5"]', 'covers = ["new"]', "adapter.other_versions.covers", "is no version"),
        ('covers = [">=0.5"]', 'way = "hosts-file"', "adapter.other_versions.way", "hosts-file"),
    ],
)
def test_versions_that_are_wrong(tmp_path: Path, old: str, new: str, field: str, problem: str) -> None:
    """With the place and the remedy."""
    error = refusal(tmp_path, MINIMAL + SEVERAL.replace(old, new, 1))
    assert error.field == field
    assert problem in error.problem


def test_versions_need_a_way_to_be_installed(tmp_path: Path) -> None:
    """And an own version that has a place in their order."""
    before, _, after = SEVERAL.partition("[adapter.other_versions]")
    versions = after[after.index("[[versions]]") :]
    assert refusal(tmp_path, MINIMAL + before + versions.replace("{ part", "{ other")).field == "versions"
    named = (MINIMAL + SEVERAL).replace('version = "1.0"', 'version = "LTS_1"')
    assert refusal(tmp_path, named).field == "version"


def test_a_law_and_an_example_of_its_scenario_do_not_overlap(tmp_path: Path) -> None:
    """One is about every lifetime, the other about that one."""
    law = "kind = 'renewal-point'\nvalue = { law = 'fraction', fraction = 0.8 }"
    source = "source = { document = 'd', section = 's', date = '2026' }"
    general = f"\n[[claims]]\nid = 'a'\n{law}\n{source}\n"
    example = f"\n[[claims]]\nid = 'b'\n{law}\n{source}\nwhen = {{ scenario = 'x' }}\n"
    assert len(loaded(tmp_path, MINIMAL + general + example).profile.claims) == 2
