"""MQTT 3.1.1 (OASIS standard of 29 October 2014), both roles, without I/O.

packets    the control packets as values                       section 3
wire       the fields packets are made of                      sections 1.5, 2.2.3
encoding   packet -> bytes                                     section 3
decoding   the bytes of one packet -> packet, strictly         section 3
codec      stream of bytes -> packets; the door to both above  section 2.2
topics     rules for topic names and filters, and matching     section 4.7
session    packet identifiers and unacknowledged publishes     sections 2.3.1, 4.4
state      what may arrive in which state                      sections 3.1 to 3.14
events     what the machines tell their owner
connection the plumbing both machines share
server     one network connection, server role
client     one network connection, client role

QoS 2 is not spoken, because IoT Hub does not speak it (IoT Hub documentation, "Communicate with an IoT hub using the MQTT
protocol"). A PUBLISH with QoS 2 is still decoded, so that its receiver can say why it closes the connection.
"""
