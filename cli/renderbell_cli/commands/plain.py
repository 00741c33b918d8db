"""Shows what strangers wrote, receivers' answers for instance, as it is: no colours, no links, nothing a terminal obeys."""

from rich.text import Text


def plain(words: object) -> Text:
    """Return `words` for a table's cell or a line: square brackets are no markup, control characters become spaces."""
    said = "" if words is None else str(words)
    return Text("".join(letter if letter.isprintable() else " " for letter in said))
