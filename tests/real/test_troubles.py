"""A trouble of each kind with every real SDK: the part of the wide comparisons beside this file (`matrix`) that is always passed.

One comparison serves every test here, all of its cells side by side.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from support.real_runs import finish, start_comparison

pytestmark = [pytest.mark.slow(seconds=60)]

HUB_LOG = {
    ("wrong-key", "mqtt"): ["refused 401003"],
    ("wrong-key", "amqp"): ["refused 401003"],
    ("x509-thumbprint-mismatch", "mqtt"): ["refused 401003"],
    ("x509-thumbprint-mismatch", "amqp"): ["refused 401003"],
    ("x509-thumbprint", "mqtt"): ["connect"],
    ("x509-thumbprint", "amqp"): ["connect"],
    ("key-rolled", "mqtt"): ["401003", "404104", "refused 401003"],
    ("key-rolled", "amqp"): ["401003", "404104", "refused 401003"],
    ("takeover", "mqtt"): ["400027"],
    ("takeover", "amqp"): ["409002"],
    ("hub-restart", "mqtt"): ["404104", "connect"],
    ("hub-restart", "amqp"): ["404104", "connect"],
}
"""What the hub logs, or begins to: whether a device comes back after a takeover is the SDK's matter."""
SAID = {
    "wrong-key": "Authentication failed for this device, renew token or certificate and reconnect",
    "x509-thumbprint-mismatch": "Thumbprint does not match configuration: Thumbprint: SHA1Hash=",
}
DEVICES = (
    ("python", "mqtt"), ("node", "mqtt"), ("node", "amqp"), ("java", "mqtt"), ("java", "amqp"), ("c", "mqtt"), ("c", "amqp"),
)  # fmt: skip

Rows = Mapping[tuple[str, str, str], Mapping[str, Any]]

each_device = pytest.mark.parametrize(
    ("sdk", "transport"), [pytest.param(*one, marks=pytest.mark.real_sdk(runtime=one[0])) for one in DEVICES]
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The rows by SDK, transport and scenario."""
    root = tmp_path_factory.mktemp("troubles")
    scenarios = list(dict.fromkeys(scenario for scenario, _ in HUB_LOG))
    run = start_comparison(root, scenarios, "--sdk", "python,node,java,c", "--transport", "mqtt,amqp")
    found = json.loads((finish(run, root, 600) / "findings.json").read_text(encoding="utf-8"))["rows"]
    return {(row["sdk"], row["transport"], row["scenario"]): row for row in found}


@each_device
@pytest.mark.parametrize("scenario", dict.fromkeys(scenario for scenario, _ in HUB_LOG))
def test_the_hub_logs_what_the_documents_say(rows: Rows, sdk: str, transport: str, scenario: str) -> None:
    """Whatever the SDK."""
    expected = HUB_LOG[scenario, transport]
    assert rows[sdk, transport, scenario]["hub_log"][: len(expected)] == expected


@each_device
@pytest.mark.parametrize("scenario", SAID)
def test_the_message_of_a_refusal_is_that_of_the_article(rows: Rows, sdk: str, transport: str, scenario: str) -> None:
    """In the hub's record of the first refusal."""
    (cell,) = rows[sdk, transport, scenario]["cells"]
    assert cell["first_refusal"]["message"].startswith(SAID[scenario])


@each_device
def test_a_certificate_needs_no_renewal(rows: Rows, sdk: str, transport: str) -> None:
    """The device stays on the one connection."""
    (cell,) = rows[sdk, transport, "x509-thumbprint"]["cells"]
    assert (cell["connections"], cell["absences"]) == (1, [])
