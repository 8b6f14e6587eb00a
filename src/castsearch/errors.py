"""The one exception that a user is meant to read."""


class InputError(Exception):
    """Something the user supplied cannot be used.

    The message is one line that names the file, the record in it and the reason. Scripts print it instead of a
    stack trace.
    """
