"""What is in the file of a recording, beside the samples that were read: channels, protocol, tags, stimuli."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nmjmc.analysis.stimuli import Stimuli


class Channel(NamedTuple):
    """An input of a file.

    Attributes:
        number: As `channel=` takes it.
        name: As the file has it; empty where it has none.
        unit: Likewise, as it is written there.
        gain: In words, where the file tells one.
    """

    number: int
    name: str
    unit: str
    gain: str = ""


class Tag(NamedTuple):
    """A remark that was made during the experiment.

    Attributes:
        time: In the experiment [ms].
        text: What was remarked.
    """

    time: float
    text: str


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file tells of itself.

    Attributes:
        format: In words, such as `Axon .abf 2.6`.
        channels: All inputs.
        channel: Number of the one that was read; None where there is one only, without a number.
        protocol: Name of the protocol.
        made: When it was recorded, as the file writes it.
        comment: Of whoever recorded it.
        tags: Remarks with their times.
        outputs: What was put out, each in words.
        stimuli: As a digital output or tags tell them.
        left_out: What of the file was not read, in whole sentences.
    """

    format: str
    channels: tuple[Channel, ...] = ()
    channel: int | None = None
    protocol: str = ""
    made: str = ""
    comment: str = ""
    tags: tuple[Tag, ...] = ()
    outputs: tuple[str, ...] = ()
    stimuli: Stimuli = field(default_factory=Stimuli)
    left_out: tuple[str, ...] = ()

    def lines(self, each: str = "channel") -> list[tuple[str, str]]:
        """Each thing that is told, with its name.

        Args:
            each: What a channel is called.
        """
        found = [("format", self.format)]
        for channel in self.channels:
            mark = " (read)" if channel.number == self.channel and len(self.channels) > 1 else ""
            what = ", ".join(filter(None, (channel.name, channel.unit or "no unit", channel.gain)))
            found.append((f"{each} {channel.number}", what + mark))
        found += [("output", output) for output in self.outputs]
        for name in ("protocol", "made", "comment"):
            if getattr(self, name):
                found.append((name, getattr(self, name)))
        shown = [f"{tag.text!r} at {tag.time / 1e3:.6g} s" for tag in self.tags[:6]]
        shown += [f"and {len(self.tags) - 6} more"] if len(self.tags) > 6 else []
        return found + ([("tags", ", ".join(shown))] if self.tags else [])


def of_tags(tags: tuple[Tag, ...], sweeps: int, start: float = 0.0) -> Stimuli:
    """Stimuli of a single long sweep, where three tags or more have the same text.

    Args:
        tags: Of the file.
        sweeps: How many there are.
        start: Of the sweep in the experiment [ms].
    """
    texts = {tag.text for tag in tags}
    if sweeps != 1 or len(tags) < 3 or len(texts) > 1:
        return Stimuli()
    return Stimuli(np.sort([tag.time - start for tag in tags]), f"tags {next(iter(texts))!r} of the file")
