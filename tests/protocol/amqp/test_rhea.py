"""Both roles of the engine opposite rhea, over TCP: settlement, credit, and all ways to end; `test_rhea_messages` has the messages.

rhea is the AMQP library inside Azure's SDKs for Node.js. The first time, npm installs it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support.rhea_rig import BY_HAND, NOW, Ours, Rhea, Way, every_way, play, receiving, sending

from harness.protocol.amqp.events import (
    CloseReceived,
    DetachReceived,
    DispositionReceived,
    FlowReceived,
    SenderSettled,
    TransferReceived,
)
from harness.protocol.amqp.link import Link
from harness.protocol.amqp.messages import Message, SingleValue, encode_message
from harness.protocol.amqp.performatives import (
    Accepted,
    DeliveryState,
    Error,
    Modified,
    ReceiverSettleMode,
    Rejected,
    Released,
    SenderSettleMode,
)
from harness.protocol.amqp.state import Phase

pytestmark = [pytest.mark.real_sdk(runtime="node"), pytest.mark.slow]

Begin = Callable[..., Awaitable[Link]]
MESSAGE = encode_message(Message(SingleValue("text")))


@every_way
def test_they_send_settled(way: Way) -> None:
    """Nothing is awaited."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await receiving(ours, rhea, snd_settle_mode=SenderSettleMode.SETTLED)
        rhea.do("send", link="link", name="map")
        event = await ours.until(TransferReceived)
        assert (event.settled, link.unsettled) == (True, set())

    play(way, test, sender_options={"snd_settle_mode": SenderSettleMode.SETTLED})


@every_way
def test_we_send_settled(way: Way) -> None:
    """As the link's settle mode says."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await sending(ours, rhea, credit=1, snd_settle_mode=SenderSettleMode.SETTLED)
        link.send(MESSAGE, settled=True)
        ours.flush()
        assert (await rhea.until("message", "link"))["settled"]
        assert link.unsettled == {}

    play(way, test)


@every_way
def test_they_receive_and_settle_second(way: Way) -> None:
    """Their outcome does not settle; ours, the sender's, does."""
    mode = {"rcv_settle_mode": ReceiverSettleMode.SECOND}

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await sending(ours, rhea, credit=1, **mode)
        tag = link.send(MESSAGE)
        ours.flush()
        await rhea.until("message", "link")
        rhea.do("settle", link="link", outcome="accept")
        said = await ours.until(DispositionReceived)
        assert (said.tag, said.state, said.settled) == (tag, Accepted(), False)
        link.settle(tag, Accepted())
        ours.flush()
        assert (await rhea.until("settled", "link"))["settled"]

    play(way, test, receiver_options={**BY_HAND, **mode})


@every_way
def test_we_receive_and_settle_second(way: Way) -> None:
    """Our outcome does not settle; theirs, the sender's, does."""
    mode = {"rcv_settle_mode": ReceiverSettleMode.SECOND}

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await receiving(ours, rhea, **mode)
        rhea.do("send", link="link", name="map")
        event = await ours.until(TransferReceived)
        link.settle(event.delivery_id, settled=False)
        ours.flush()
        assert not (await rhea.until("accepted", "link"))["settled"]
        rhea.do("settle_sent", link="link")
        assert (await ours.until(SenderSettled)).delivery_id == event.delivery_id
        assert link.unsettled == set()

    play(way, test)


@every_way
@pytest.mark.parametrize(
    ("outcome", "argument", "state"),
    [
        ("accept", None, Accepted()),
        ("reject", {"condition": "my:reason", "description": "no"}, Rejected(Error("my:reason", "no"))),
        ("release", None, Released()),
        ("release", {"delivery_failed": True, "undeliverable_here": True}, Modified(True, True)),
    ],
)
def test_their_outcomes(way: Way, outcome: str, argument: dict[str, Any] | None, state: DeliveryState) -> None:
    """Each with what it says."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await sending(ours, rhea, credit=1)
        tag = link.send(MESSAGE)
        ours.flush()
        await rhea.until("message", "link")
        rhea.do("settle", link="link", outcome=outcome, argument=argument)
        said = await ours.until(DispositionReceived)
        assert (said.tag, said.state, said.settled) == (tag, state, True)
        assert link.unsettled == {}

    play(way, test)


@every_way
@pytest.mark.parametrize(
    ("state", "event", "error"),
    [
        (Accepted(), "accepted", None),
        (Rejected(Error("my:reason", "no")), "rejected", {"condition": "my:reason", "description": "no"}),
        (Released(), "released", None),
        (Modified(True, True), "modified", None),
    ],
)
def test_our_outcomes(way: Way, state: DeliveryState, event: str, error: dict[str, str] | None) -> None:
    """Under the names that rhea gives them."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await receiving(ours, rhea)
        rhea.do("send", link="link", name="map")
        link.settle((await ours.until(TransferReceived)).delivery_id, state)
        ours.flush()
        told = await rhea.until(event, "link")
        assert (told["settled"], told["error"]) == (True, error)

    play(way, test)


@every_way
def test_they_drain(way: Way) -> None:
    """A message uses some of the credit up, the rest is given back."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await sending(ours, rhea)
        link.send(MESSAGE)
        rhea.do("drain", link="link", credit=5)
        await rhea.until("message", "link")
        await rhea.until("receiver_drained", "link")
        assert (link.credit, link.delivery_count, link.waiting) == (0, 5, 0)

    play(way, test)


@every_way
def test_we_drain(way: Way) -> None:
    """They give back what they have not used."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await receiving(ours, rhea)
        link.drain()
        ours.flush()
        await rhea.until("sender_draining", "link")
        rhea.do("give_back", link="link")
        flow = (await ours.until(FlowReceived)).flow
        assert (flow.drain, flow.link_credit, flow.delivery_count) == (True, 0, 50)
        assert (link.credit, link.delivery_count) == (0, 50)

    play(way, test)


@every_way
def test_an_echo_is_answered(way: Way) -> None:
    """The peer asks for our view of a link on which we receive, and gets it."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        await receiving(ours, rhea)
        rhea.do("echo", link="link")
        await ours.until(FlowReceived)
        await rhea.until("sender_flow", "link")

    play(way, test)


@every_way
@pytest.mark.parametrize("begin", [sending, receiving])
def test_they_detach_and_keep_the_link(way: Way, begin: Begin) -> None:
    """Without `closed`; the answer ends it for them."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        await begin(ours, rhea)
        rhea.do("detach", link="link")
        assert not (await ours.until(DetachReceived)).detach.closed

    play(way, test)


@every_way
@pytest.mark.parametrize("begin", [sending, receiving])
def test_they_close_a_link_with_an_error(way: Way, begin: Begin) -> None:
    """It arrives as it was sent."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        await begin(ours, rhea)
        rhea.do("close_link", link="link", error={"condition": "my:reason", "description": "no"})
        detach = (await ours.until(DetachReceived)).detach
        assert (detach.closed, detach.error) == (True, Error("my:reason", "no"))

    play(way, test)


@every_way
@pytest.mark.parametrize(("begin", "event"), [(sending, "receiver_close"), (receiving, "sender_close")])
@pytest.mark.parametrize("closed", [True, False])
def test_we_detach_with_an_error(way: Way, begin: Begin, event: str, *, closed: bool) -> None:
    """They are told whether the link is closed, and why; and answer."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        link = await begin(ours, rhea)
        link.detach(Error("amqp:link:detach-forced", "go"), closed=closed)
        ours.flush()
        told = await rhea.until(event, "link")
        expected = {"condition": "amqp:link:detach-forced", "description": "go"}
        assert (told["closed"], told["error"]) == (closed, expected)
        await ours.until(DetachReceived)

    play(way, test)


@every_way
def test_sasl(way: Way) -> None:
    """PLAIN, then messages as without."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        await receiving(ours, rhea)
        rhea.do("send", link="link", name="map")
        await ours.until(TransferReceived)
        assert ours.machine.mechanism == "PLAIN"

    play(way, test, sasl=True)


@every_way
def test_they_close_the_connection_with_an_error(way: Way) -> None:
    """And take our answer."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        await receiving(ours, rhea)
        rhea.do("close", error={"condition": "amqp:connection:forced", "description": "bye"})
        assert (await ours.until(CloseReceived)).close.error == Error("amqp:connection:forced", "bye")
        assert ours.machine.phase is Phase.CLOSED

    play(way, test)


@every_way
def test_we_close_the_connection_with_an_error(way: Way) -> None:
    """They are told why, and answer."""

    async def test(ours: Ours, rhea: Rhea) -> None:
        await receiving(ours, rhea)
        ours.machine.close(Error("amqp:connection:forced", "bye"), now=NOW)
        ours.flush()
        told = await rhea.until("connection_error")
        assert told["error"] == {"condition": "amqp:connection:forced", "description": "bye"}
        await ours.until(CloseReceived)

    play(way, test)
