"""Profiles and HTTPS: what a profile says about a transport that its SDK may lack, or be led to otherwise."""

from pathlib import Path

import pytest

from harness.errors import ProfileError
from harness.profile import LoadedProfile, load_profile

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


def loaded(tmp_path: Path, text: str) -> LoadedProfile:
    """The profile of this text."""
    (tmp_path / "profile.toml").write_text(text, encoding="utf-8")
    return load_profile(tmp_path)


def refusal(tmp_path: Path, text: str) -> ProfileError:
    """The error this text gets."""
    with pytest.raises(ProfileError) as error:
        loaded(tmp_path, text)
    return error.value


def test_https_needs_a_table_of_its_own(tmp_path: Path) -> None:
    """As AMQP does."""
    text = MINIMAL.replace('transports = ["mqtt"]', 'transports = ["mqtt", "https"]')
    error = refusal(tmp_path, text)
    assert (error.field, error.problem) == ("emulation.https", "is missing, while `transports` names it")
    emulation = loaded(tmp_path, text + "[emulation.https]\n").profile.emulation
    assert emulation.over("https") is emulation.https
    assert refusal(tmp_path, text + "[emulation.https]\npoll_s = 0\n").field == "emulation.https.poll_s"


def test_what_is_lacking_is_not_offered(tmp_path: Path) -> None:
    """Why a transport is lacking is said of one that is not named."""
    text = MINIMAL.replace(
        'transports = ["mqtt"]', 'transports = ["mqtt"]\nnot_offered = { https = "has none", mqtt = "has none" }'
    )
    assert refusal(tmp_path, text).field == "not_offered"


def test_another_way_over_a_transport(tmp_path: Path) -> None:
    """The program's own way is that of the others."""
    adapter = '[adapter]\ncommand = ["x"]\nruntime = "c"\ntransports = ["mqtt"]\nways = { mqtt = "host-ip" }\n'
    program = loaded(tmp_path, MINIMAL + adapter).profile.adapter
    assert program is not None
    assert (program.way_over("mqtt"), program.way_over("amqp")) == ("host-ip", "gateway")


def test_an_sdk_may_take_a_proxy_over_some_of_its_transports(tmp_path: Path) -> None:
    """Over those that are named, which have to be the program's own; `true` is all of them."""
    text = MINIMAL.replace(
        "[emulation]", '[adapter]\ncommand = ["x"]\nruntime = "c"\ntransports = ["mqtt"]\nproxy = {}\n\n[emulation]'
    )
    for proxy, takes in (("true", True), ("false", False), ('["mqtt"]', True), ("[]", False)):
        adapter = loaded(tmp_path, text.replace("{}", proxy, 1)).profile.adapter
        assert adapter is not None
        assert adapter.takes_proxy("mqtt") is takes
    assert refusal(tmp_path, text.replace("{}", '["https"]', 1)).problem == "unknown transport with a proxy 'https'"
