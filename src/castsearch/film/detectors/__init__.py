"""Detectors of persons in frames, one kind a file."""
