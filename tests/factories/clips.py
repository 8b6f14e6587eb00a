"""Clips that the tests make: each frame shows its number as eight black and white bars."""

from fractions import Fraction

import av
import numpy as np

WIDTH, HEIGHT = 128, 96


def numbered(number, height=HEIGHT, width=WIDTH):
    """A picture of eight upright bars, black for 0 and white for 1, the number in binary."""
    bits = np.unpackbits(np.array([number], np.uint8))
    return np.repeat(np.tile(np.repeat(bits * 255, width // 8), (height, 1))[..., None], 3, axis=2).astype(np.uint8)


def number_of(image):
    """The number that a picture shows."""
    bars = image[image.shape[0] // 2].mean(axis=1).reshape(8, -1).mean(axis=1)
    return int(np.packbits(bars > 127)[0])


def write(
    path,
    pictures,
    *,
    times=None,
    rate=25,
    codec="libx264",
    pixels="yuv420p",
    options=None,
    shift=0,
    sound_from=None,
    prepare=lambda stream: None,
    mark=lambda frame: None,
    container_options=None,
):
    """Encode pictures, (height, width, 3) or video frames.

    Args:
        path: its ending decides on the container.
        pictures: what is shown.
        times: in seconds, of each; None for the rate's.
        rate: frames a second.
        codec: as FFmpeg names its encoder.
        pixels: pixel format that is encoded.
        options: of the encoder.
        shift: seconds that every time stamp is moved by after encoding.
        sound_from: seconds at which a track of silence begins; None for no sound.
        prepare: what else is to be set of the stream.
        mark: what else is to be set of each frame.
        container_options: of the muxer.
    """
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        pictures = list(pictures)
        first = pictures[0]
        width, height = (first.width, first.height) if isinstance(first, av.VideoFrame) else first.shape[1::-1]
        stream = container.add_stream(codec, rate=rate, options={"threads": "1"} | (options or {}))
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        base = Fraction(1, 90000) if times else 1 / Fraction(rate)
        stream.codec_context.time_base = base
        prepare(stream)
        if sound_from is not None:
            sound = container.add_stream("aac", rate=48000, layout="mono")
        packets = []
        for place, picture in enumerate(pictures):
            frame = picture if isinstance(picture, av.VideoFrame) else av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.time_base = base
            frame.pts = round((times[place] if times else Fraction(place) / rate) / base)
            mark(frame)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        if sound_from is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.rate, silence.time_base = 48000, Fraction(1, 48000)
            silence.pts = round(sound_from * 48000)
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
        for packet in packets:
            offset = round(shift / packet.time_base)
            packet.pts += offset
            packet.dts += offset
            container.mux(packet)
    return path


def damage(path, number):
    """Overwrite most of a packet of the video with zeros."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.pos is not None and packet.size][number]
        content[packet.pos + 20 : packet.pos + 20 + packet.size - 30] = bytes(packet.size - 30)
    path.write_bytes(content)
    return path
