"""Search the person boxes of a movie for its cast: faces first, then bodies."""
