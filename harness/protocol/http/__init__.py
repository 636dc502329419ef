"""HTTP/1.1 (RFC 9112) over one connection, both roles, without I/O: h11 reads and writes the messages, this bounds and orders them.

messages   requests and responses as values
server     one network connection, server role
client     one network connection, client role

Both roles take messages whole: those of IoT Hub's device interface are small, and neither side streams.
"""
