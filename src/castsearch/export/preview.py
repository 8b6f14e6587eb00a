"""The film with boxes and names drawn into it, without sound, as an MP4 file: for a look at the result."""

from fractions import Fraction
from pathlib import Path

import av
import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from castsearch import files
from castsearch.data.nameless import is_nameless
from castsearch.export.film_timeline import Appearance, FilmTimeline
from castsearch.film.decode import Film

_LONGEST = 960  # pixels of the longer side
_TICKS = 90_000  # of a second, in which times are kept, so that a variable rate stays one
_FONT = Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf")  # has the letters of most alphabets
_GREY = (150, 150, 150)
# Okabe and Ito's colours, which people with any colour vision tell apart.
_COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))


def write(folder: str | Path, timeline: FilmTimeline) -> None:
    """Write the preview as `{film}.preview.mp4`.

    Raises:
        InputError: the video cannot be read.
    """
    people = sorted({each.person for each in timeline.appearances if not is_nameless(each.person)})
    colours = {person: _COLOURS[number % len(_COLOURS)] for number, person in enumerate(people)}
    starting = sorted(timeline.appearances, key=lambda each: each.boxes[0].frame, reverse=True)
    seen: list[Appearance] = []
    path = Path(folder, f"{timeline.film}.preview.mp4")
    with (
        Film(timeline.video) as film,
        files.replacing(path) as temporary,
        av.open(temporary, "w", format="mp4") as made,
    ):
        stream = made.add_stream("libx264", rate=timeline.rate, options={"crf": "26", "threads": "1"})
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, _TICKS)
        for frame in tqdm(film.frames(), desc="preview", total=len(timeline.times), unit="frame", mininterval=2):
            number = timeline.frame_at(float(frame.time))
            while starting and starting[-1].boxes[0].frame <= number:
                seen.append(starting.pop())
            seen = [each for each in seen if max(each.boxes[-1].frame, timeline.frame_at(each.end) - 1) >= number]
            picture = Image.fromarray(frame.rgb(_LONGEST))
            if not stream.codec_context.is_open:
                stream.width, stream.height = (side + side % 2 for side in picture.size)  # even, as yuv420p wants them
            picture = picture.resize((stream.width, stream.height))
            _draw(picture, picture.width / timeline.size[0] if seen else 1, number, seen, colours)
            encoded = av.VideoFrame.from_image(picture)
            encoded.pts, encoded.time_base = round(frame.time * _TICKS), stream.codec_context.time_base
            made.mux(stream.encode(encoded))
        made.mux(stream.encode())


def _draw(
    picture: Image.Image, scale: float, frame: int, seen: list[Appearance], colours: dict[str, tuple[int, int, int]]
) -> None:
    """Draw the boxes of who is seen; between two samples, a box moves evenly."""
    pen, font = ImageDraw.Draw(picture), ImageFont.truetype(_FONT, max(12, picture.height // 30))
    for each in sorted(seen, key=lambda own: own.person in colours):  # the known above the unknown
        numbers = [box.frame for box in each.boxes]
        corners = [
            scale * float(np.interp(frame, numbers, values)) for values in list(zip(*each.boxes, strict=True))[1:]
        ]
        colour = colours.get(each.person, _GREY)
        pen.rectangle(corners, outline=colour, width=3)
        words = pen.textbbox((0, 0), each.person, font)
        left = min(max(corners[0], 0), max(0, picture.width - words[2]))
        top = max(corners[1] - words[3] - 4, 0)
        pen.rectangle((left, top, left + words[2] + 4, top + words[3] + 4), fill=colour)
        pen.text((left + 2, top), each.person, fill="black", font=font)
