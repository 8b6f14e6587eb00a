"""Faces of a crop: detection, selection, alignment and embedding, behind one small engine interface."""
