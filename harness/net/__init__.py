"""The only room that knows sockets: asyncio, TLS, WebSocket, addresses; it connects hubs and devices, and knows neither.

certificates   the authority of a run, and what it issues
tls            TLS without a socket
websocket      WebSocket without a socket
timers         a deadline that moves, cheaply
resets         closing with an RST
endpoint       what a hub and a device look like from here
stream         one connection: socket, TLS, WebSocket, endpoint; who closed first
addresses      loopback addresses, one per cell
doors          the listening sockets of one cell, open or shut
outages        what they and the connections suffer when hub or network fail
listeners      the hub's side: the listeners of one cell
dial           the device's side: an emulated device on real sockets
connect_proxy  the way to a WebSocket that could not have port 443
lag            how late the event loop is
"""
