"""What people are called who have no name, in every table. Nobody of a cast may be called like that."""

UNKNOWN = "unknown"


def is_nameless(person: str) -> bool:
    """Whether this stands for somebody unknown, or for one of the groups of unknown people, such as "unknown 1"."""
    return person == UNKNOWN or person.startswith(f"{UNKNOWN} ")
