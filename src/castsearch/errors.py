"""The one exception that a user is meant to read, and how its message quotes a user's file."""


class InputError(Exception):
    """Something the user supplied cannot be used.

    The message is one line that names the file, the record in it and the reason. Scripts print it instead of a
    stack trace.
    """


def one_line(text: str) -> str:
    """Return a text with its line breaks and other unprintable characters escaped, as a user's file may bring them."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
