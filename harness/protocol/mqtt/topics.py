"""Topic names and topic filters (MQTT 3.1.1 section 4.7).

A name addresses one topic and has no wildcards. A filter may have `+` for exactly one level and `#`, at its end, for any
number of levels, the parent included. Levels are separated by `/` and may be empty; comparison is by character.
"""


def name_problem(topic: str) -> str | None:
    """Why the text is no topic name, or None (sections 3.3.2.1 and 4.7.3)."""
    if "+" in topic or "#" in topic:
        return "topic name with a wildcard"
    return None if topic else "empty topic name"


def filter_problem(topic_filter: str) -> str | None:
    """Why the text is no topic filter, or None (sections 4.7.1 and 4.7.3)."""
    if not topic_filter:
        return "empty topic filter"
    *parents, last = topic_filter.split("/")
    if any("#" in level for level in parents) or ("#" in last and last != "#"):
        return "topic filter with '#' that is not alone at its end"
    if any("+" in level and level != "+" for level in (*parents, last)):
        return "topic filter with '+' that is not alone in its level"
    return None


def topic_matches(topic_filter: str, topic: str) -> bool:
    """Whether a valid filter selects a valid topic name.

    A wildcard in the first level selects no topic that begins with `$` (section 4.7.2).
    """
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        if len(levels) < len(wanted):
            return False
    elif len(levels) != len(wanted):
        return False
    return all(want in ("+", level) for want, level in zip(wanted, levels, strict=False))
