"""Batches in the order of their numbers, although several workers publish at once."""

from monitor.batches import Batch, Gap, Position


class Ordering:
    """Holds a batch that comes early until those before it came, or until whoever feeds this stops waiting.

    Every number after the first position is in exactly one batch or gap that comes out, in order.
    """

    def __init__(self, position: Position) -> None:
        self._epoch, self._seq = position.epoch, position.seq
        self._early: dict[int, Batch] = {}
        self._past_epochs: set[str] = set()

    @property
    def position(self) -> Position:
        """The end of what came out."""
        return Position(self._epoch, self._seq)

    @property
    def waiting(self) -> bool:
        return bool(self._early)

    def take(self, batch: Batch) -> list[Batch | Gap]:
        """What comes out because of this batch: nothing for a repeat, or for one that is early."""
        if batch.epoch in self._past_epochs:
            return []
        restarted = self._restart(batch.epoch) if batch.epoch != self._epoch else []
        if batch.first > self._seq:
            self._early[batch.first] = batch
        return restarted + self._in_order()

    def stop_waiting(self) -> list[Batch | Gap]:
        """Give up what is missing before the earliest batch that is held."""
        if not self._early:
            return []
        first_missing, self._seq = self._seq + 1, min(self._early) - 1
        return [Gap(self._epoch, first_missing, self._seq, "lost"), *self._in_order()]

    def _restart(self, epoch: str) -> list[Batch | Gap]:
        self._past_epochs.add(self._epoch)
        self._epoch, self._seq = epoch, 0
        self._early.clear()
        return [Gap(epoch, 1, 0, "new_epoch")]

    def _in_order(self) -> list[Batch | Gap]:
        out: list[Batch | Gap] = []
        while batch := self._early.pop(self._seq + 1, None):
            self._seq = batch.last
            out.append(batch)
        return out
