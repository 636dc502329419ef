"""Text for XML 1.0: a character that XML cannot hold, however it is written, becomes the replacement character."""

import re
from typing import Final

__all__ = ["xml_text"]

_IMPOSSIBLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """`text` without what XML 1.0 section 2.2 leaves out of its characters; markup is the writer's to escape."""
    return _IMPOSSIBLE.sub("\ufffd", text)
