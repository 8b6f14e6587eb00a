"""Stage shot_pictures: a picture of each shot: the frame in its middle, small.

The table of a part has the shots whose middle is in it:

    shot      int32, number of the shot, from 1
    image     binary, an encoded picture
"""

from collections import deque
from collections.abc import Sequence

import pyarrow as pa
from tqdm import tqdm

from castsearch.data.crops import encode_rgb
from castsearch.film.decode import Film
from castsearch.film.shots import Shot

_LONGEST_SIDE = 192  # pixels
_SCHEMA = pa.schema([("shot", pa.int32()), ("image", pa.binary())])


def take_pictures(film: Film, shots: Sequence[Shot], start: float = 0, end: float | None = None) -> pa.Table:
    """Take a picture of each shot whose middle is in the part [start, end) of a film.

    Args:
        film: the film.
        shots: of the whole film.
        start: of the part, in seconds.
        end: of the part; None for the end of the film.

    Raises:
        InputError: the film cannot be read.
    """
    middles = enumerate(((shot.start + shot.end) / 2 for shot in shots), start=1)
    waiting = deque((middle, number) for number, middle in middles if middle >= start)
    rows = []
    progress = tqdm(film.frames(start, end), f"pictures of {film.path.name}", unit="frame", mininterval=2)
    for frame in progress:
        while waiting and waiting[0][0] < frame.time:  # then another part has it
            waiting.popleft()
        if not waiting:
            break
        if waiting[0][0] < frame.time + frame.duration:
            rows.append({"shot": waiting.popleft()[1], "image": encode_rgb(frame.rgb(_LONGEST_SIDE))})
    return pa.Table.from_pylist(rows, _SCHEMA)
