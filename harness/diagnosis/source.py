"""The file that is read: its bytes, its name for errors, and whether its end is missing."""

import gzip
import io
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from harness.diagnosis.records import REMEDY, Records
from harness.errors import LogError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["AGAIN", "Source"]

AGAIN: Final = "Export it again"
"""What to do with a file that was damaged on its way."""

_LONGEST_HEAD: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_OTHER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_OVER_LINES: Final = ("Extra data", "new-line character")
"""What the decoders of JSON and CSV say of a second line that they take for part of the first."""


class Source:
    """`stream` under the name `where`; from the first line on unpacked, if it is packed.

    `cut_short`: why the end is missing, where it is and what came before is good all the same. `unreadable`: how many lines or records
    were left out because they cannot be read; `first_unreadable` is what is wrong with the first of them.
    """

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self.records = Records()
        self.cut_short: LogError | None = None
        self.unreadable = 0
        self.first_unreadable: LogError | None = None
        self._where = where
        self.stream = (
            stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", stream))
        )
        self._unpacking: _Unpacking | None = None

    def first_line(self) -> tuple[bytes, int]:
        """The first line that is not blank, without a byte order mark, or as much of it as comes at once, and its number.

        Raises:
            LogError: there is none, or it is in another encoding than UTF-8.
        """
        if self.stream.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
            self._unpacking = _Unpacking(self.stream)
            self.stream = io.BufferedReader(self._unpacking)
        number, line = 1, self.stream.readline(_LONGEST_HEAD)
        if line.startswith(_OTHER_MARKS):
            raise self.problem("is written in UTF-16", remedy="Write it in UTF-8, as by iconv -f UTF-16 -t UTF-8")
        line = line.removeprefix(_BYTE_ORDER_MARK)
        while not line.strip():
            number, line = number + 1, self.stream.readline(_LONGEST_HEAD)
            if not line:
                self.see_to_the_end()
                raise self.cut_short or self.problem("is empty", remedy=REMEDY)
        return line, number

    def see_to_the_end(self) -> None:
        """Note that the end is missing where that shows in how the file is packed."""
        if self._unpacking and self._unpacking.broken:
            self.cut_short = self.problem(f"cannot be unpacked to its end ({self._unpacking.broken})")
        elif self._unpacking and self._unpacking.cut_short and self.cut_short is None:
            self.cut_short = self.problem("is cut short")

    def not_in(self, form: str, why: str, text: bytes, *, line: int) -> LogError:
        """That `text`, which begins the file, is not in this form, and why; or that its lines end by CR only, where a decoder stumbles over one."""
        lines = text.strip()
        if why.startswith(_OVER_LINES) and b"\r" in lines and b"\n" not in lines:
            return self.problem("has lines that end by CR only", remedy="End them by LF, as by tr '\\r' '\\n'")
        return self.problem(f"is not {form} ({why})", line=line)

    def problem(self, text: str, *, line: int = 0, field: str = "", remedy: str = AGAIN) -> LogError:
        """What is wrong, in which line where one can be named."""
        return LogError(text, where=f"{self._where}: line {line}" if line else self._where, field=field, remedy=remedy)

    def leave_out(self, problem: LogError) -> None:
        """Count a line or a record that cannot be read, while the others can."""
        self.unreadable += 1
        self.first_unreadable = self.first_unreadable or problem

    def placed(self, problem: LogError, line: int = 0) -> LogError:
        """The same problem with its place."""
        return self.problem(problem.problem, line=line, field=problem.field, remedy=problem.remedy)


class _Unpacking(io.RawIOBase):
    """Unpacks gzip; a file that is cut short, or damaged behind its beginning, ends there. `broken`: how it is damaged."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = gzip.GzipFile(fileobj=stream)
        self.cut_short = False
        self.broken = ""
        self._unpacked = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if self.broken:
            return 0
        try:
            count = self._stream.readinto1(buffer)
        except EOFError:
            self.cut_short = True
            return 0
        except (gzip.BadGzipFile, zlib.error) as problem:
            if not self._unpacked:
                raise
            self.broken = str(problem)
            return 0
        self._unpacked = True
        return count
