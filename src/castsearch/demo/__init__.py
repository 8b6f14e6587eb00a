"""A data set in the challenge's format, composed from photographed heads, whose labels are known by construction."""
