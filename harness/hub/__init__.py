"""The emulated IoT Hub as pure policy over `protocol`: bytes and the time in, bytes and events out.

policy       how the hub treats its device: grace, skew, close mode, time limits
identity     whom it knows: the device, its keys, the hub's shared access policies
faults       what goes wrong on purpose
fault_messages    what a device asks to go wrong, by the service's own test messages
ending       how connections end, and what that leaves in the diagnostics
credentials  what a device presents: hub, ids, SDK, token
auth         whether that is good enough: the decision table
topics       the topics of the service, and their property bags
session      what outlives a connection: subscriptions, cloud-to-device messages
twin         the device twin, as far as SDKs need it to be content
methods      direct methods waiting for the device or for its answer
device       the above put together: all the hub remembers about its device
base         what every connection is
admitting    what those have in common by which a device can be let in: its token's deadline, faults, test messages, late answers
link         what an accepted MQTT connection may do
connection   an MQTT connection from accept to the end: CONNECT, deadlines, cuts
amqp         the same for AMQP
https        the same for HTTPS, where every request is judged by itself
transports   which connection belongs to which transport; WebSockets before their upgrade
diagnostics  the records Azure Monitor would show
hub          the door

The hub judges by the time it is given, it reads no clock, draws no random numbers and never asks which SDK is talking.
"""
