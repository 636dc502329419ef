"""Requests and responses as values. Names of headers are in lower case, values are text in ISO 8859-1 (RFC 9110 section 5.5)."""

from dataclasses import dataclass

__all__ = ["MAX_BODY", "MAX_HEAD", "Headers", "Rejected", "Request", "Response", "header", "without_quotes"]

MAX_HEAD = 16_384
"""Bytes of a message's first line and headers."""
MAX_BODY = 1_048_576
"""Bytes of a message's body: four times the largest message IoT Hub takes."""

Headers = tuple[tuple[str, str], ...]


def header(headers: Headers, name: str) -> str | None:
    """The first value of a header, None without one; `name` in lower case."""
    return next((value for key, value in headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `target` as it stood in the first line. Its repr shows no header, for one of them holds the token."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Request(method={self.method!r}, body of {len(self.body)} bytes)"

    def header(self, name: str) -> str | None:
        """The first value of a header, None without one; `name` in lower case."""
        return header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Response:
    """A response; the length of its body goes without saying."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header, None without one; `name` in lower case."""
        return header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Rejected:
    """What came is no request that can be served; it was answered with `status`, and nothing more is read."""

    status: int
    reason: str


def without_quotes(error: Exception) -> str:
    """What h11 says is wrong, without the line that it quotes: that may be the one with the token."""
    return str(error).partition(":")[0]
