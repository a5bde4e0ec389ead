"""How far a run is, told to the caller between chunks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from nmjmc import ending


@dataclass(frozen=True)
class Progress:
    """How far a run is; given to the caller between chunks."""

    simulated_ms: float
    duration_ms: float
    vesicles_done: int
    vesicles: int
    quanta_ms_per_s: float
    compile_seconds: float
    elapsed_seconds: float
    remaining_seconds: float


class Meter:
    """Adds up the progress of all batches, and carries the word to stop to all lanes.

    Attributes:
        begun: when the run began, by `time.perf_counter` [s].
        stop: set to end the run at the next chunk.
    """

    def __init__(
        self, vesicles: int, records: int, interval: float, report: Callable[[Progress], None] | None
    ) -> None:
        """For a run of so many patches and record intervals of this length [ms]; `report` is told, if any."""
        self.vesicles, self.records, self.interval, self.told = vesicles, records, interval, report
        self.begun, self.done, self.compiling = time.perf_counter(), {}, {}
        self.lock, self.stop = threading.Lock(), False

    def report(self, batch: int, records: int, patches: int, compile_seconds: float) -> None:
        """Note that a batch of patches has come to this record, and what its lane has compiled for so far [s].

        Raises:
            KeyboardInterrupt: If the process was asked to end.
        """
        ending.look()
        if self.told is None:
            return
        with self.lock:
            self.done[batch] = (records, patches)
            self.compiling[threading.get_ident()] = compile_seconds
            self.told(self._progress())

    def _progress(self) -> Progress:
        work = sum(records * patches for records, patches in self.done.values())
        elapsed = time.perf_counter() - self.begun
        compiling = sum(self.compiling.values())
        running = max(elapsed - compiling, 1e-9)
        left = self.vesicles * self.records - work
        finished = sum(p for r, p in self.done.values() if r >= self.records)
        return Progress(
            work * self.interval / self.vesicles,
            self.records * self.interval,
            finished,
            self.vesicles,
            work * self.interval / running,
            compiling,
            elapsed,
            running * left / max(work, 1),
        )
