"""From a film to its people: decoded frames, shots, person boxes, and tracks of boxes."""
