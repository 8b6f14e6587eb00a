"""The record of a training: a row per epoch, as a table and for TensorBoard."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tensorboardX import SummaryWriter

from castsearch.files import write_text
from castsearch.reid.validation import SCORES

LOSSES = ("loss", "cross_entropy", "triplet", "top1", "accuracy")
COLUMNS = ("epoch", "learning_rate", *LOSSES, *SCORES)
SPEED = "images_per_second"

# A number, or "", for each of `COLUMNS` and `SPEED`, and `time`, when the epoch ended (Unix time).
Row = Mapping[str, str]


def best(rows: Sequence[Row]) -> Row | None:
    """Return the row of the highest mAP, the first of equal ones; None without any."""
    return max((row for row in rows if row["mAP"]), key=lambda row: float(row["mAP"]), default=None)


def write_history(path: Path, rows: Sequence[Row], columns: Sequence[str], remark: str = "") -> None:
    """Write columns as a tab-separated table, below a line that says `remark`."""
    lines = [columns, *([row[name] for name in columns] for row in rows)]
    write_text(path, (f"# {remark}\n" if remark else "") + "".join("\t".join(line) + "\n" for line in lines))


class Log:
    """What a training's log folder holds: the history with the speed, and TensorBoard's file.

    Both are written anew from the rows so far whenever training goes on, so no epoch is missing from them or twice in
    them, wherever the training before was killed.

    Args:
        folder: where they are written.
        rows: the epochs so far.
    """

    def __init__(self, folder: Path, rows: Sequence[Row]) -> None:
        for path in Path(folder).glob("events.out.tfevents.*"):
            path.unlink()
        self._path = Path(folder, "history.tsv")
        self._board = SummaryWriter(str(folder))
        for row in rows:
            self._add_to_board(row)

    def add(self, rows: Sequence[Row]) -> None:
        """Add the last of `rows`, which are all epochs so far."""
        self._add_to_board(rows[-1])
        write_history(self._path, rows, (*COLUMNS, SPEED))

    def close(self) -> None:
        """Write what is still to be written."""
        self._board.close()

    def _add_to_board(self, row: Row) -> None:
        for name in (*COLUMNS[1:], SPEED):
            if row[name]:
                # TensorBoard would replace the "@" itself.
                tag = f"{'validation' if name in SCORES else 'training'}/{name}".replace("@", "_")
                self._board.add_scalar(tag, float(row[name]), int(row["epoch"]), walltime=float(row["time"]))
