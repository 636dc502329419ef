"""The emulated IoT Hub over AMQP 1.0.

connection  from OPEN to the end: deadlines, cuts, and what arrives for which link
authentication    who the device is: its token or certificate, how it is let in or refused
figures     what the hub announces, and what one device may claim
sasl        the mechanisms, of which PLAIN carries a token
cbs         put-token requests and their answers
addresses   what link addresses and token audiences name
refusals    why an ATTACH is refused, and the errors of links
node        what stands at the hub's end of a link
telemetry, c2d, methods, twin    one kind of link each
nodes       which of them stands where
texts       AMQP values as texts of an event

A device authenticates by put-token on the links to `$cbs` and renews in the same way; all other links are for devices that
have (IoT Hub documentation, "Communicate with your IoT hub by using the AMQP protocol").
"""
