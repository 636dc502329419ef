"""The HTTPS head of the emulated hub: a device's requests in, answers out. A request is judged by itself; there is no connection state.

routes      what a request asks for
telemetry   the messages in the body of a POST
locks       cloud-to-device messages that were received and not yet completed
orders      what the device has asked for by the service's own test messages
answers     status, headers and body of every answer
connection  the network connection that carries the requests
"""
