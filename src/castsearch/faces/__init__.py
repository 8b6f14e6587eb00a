"""Faces of a crop: detection, selection, alignment and embedding, behind one small engine interface."""

from castsearch.faces.alignment import align
from castsearch.faces.engine import make_engine
from castsearch.faces.selection import select_candidate_face, select_cast_face

__all__ = ["align", "make_engine", "select_candidate_face", "select_cast_face"]
