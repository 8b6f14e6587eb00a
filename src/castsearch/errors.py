"""The one exception that a user is meant to read, and how its message quotes a user's file."""


class InputError(Exception):
    """Something the user supplied cannot be used.

    Each argument is one line of the message, which names the file, the record in it and the reason; what it quotes from
    a user's file is shown with its unprintable characters escaped. Scripts print it instead of a stack trace.
    """

    def __str__(self) -> str:
        return "\n".join(one_line(str(line)) for line in self.args)


def one_line(text: str) -> str:
    """Return a text with its line breaks and other unprintable characters escaped, as a user's file may bring them."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
