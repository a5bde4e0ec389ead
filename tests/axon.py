"""Small Axon files made by hand, as the manual of the format lays them out: version 1.3, 16-bit."""

import struct

import numpy as np

BLOCK = 512
HEADER = 12  # blocks


def write_abf(
    path, sweeps, *, interval=50.0, starts=None, tick=0.0, mode=5, unit="pA", scale=0.01, holding=-70.0, epochs=(),
    between=0,
):  # fmt: skip
    """Write an .abf file.

    Args:
        path: Where.
        sweeps: Samples of each [t] or [channel, t], multiples of the scale.
        interval: Between samples of a channel [us].
        starts: Of each sweep in ticks; None for a file without a table of sweeps.
        tick: Unit of the starts [us]; 0 for samples.
        mode: 1 event-driven of any length, 3 gap-free, 5 episodes.
        unit: Of each channel, a text or several.
        scale: Of one count.
        holding: Level of the first output [mV].
        epochs: (level [mV], samples) of each step of the first output.
        between: 1 where the last level is kept between sweeps.
    """
    rows = [np.atleast_2d(np.asarray(sweep, float)) for sweep in sweeps]
    channels = rows[0].shape[0]
    units = [unit] * channels if isinstance(unit, str) else list(unit)
    counts = [np.round(row / scale).astype("<i2").T.ravel() for row in rows]
    body = np.concatenate(counts).tobytes()
    blocks = -(-len(body) // BLOCK)
    data = bytearray(HEADER * BLOCK)

    def put(kind, place, *values):
        struct.pack_into(f"<{kind}", data, place, *values)

    put("4s", 0, b"ABF ")
    put("f", 4, 1.3)
    put("h", 8, mode)
    put("i", 10, sum(count.size for count in counts))
    put("i", 16, len(rows))
    put("i", 40, HEADER)
    if starts is not None:
        put("2i", 92, HEADER + blocks, len(rows))
    put("h", 120, channels)
    put("f", 122, interval / channels)
    put("f", 130, tick)
    put("i", 138, max(count.size for count in counts))
    put("f", 244, 10.0)
    put("i", 252, 32768)
    put("16h", 378, *range(16))
    put("16h", 410, *range(channels), *[-1] * (16 - channels))
    for k in range(16):
        put("10s", 442 + 10 * k, f"IN {k}".encode().ljust(10))
        put("8s", 602 + 8 * k, (units[k] if k < channels else "pA").encode().ljust(8))
        put("f", 730 + 4 * k, 1.0)
        put("f", 922 + 4 * k, 10.0 / 32768 / scale)
        put("f", 1050 + 4 * k, 1.0)
    for k in range(4):
        put("8s", 1346 + 8 * k, b"mV      ")
        put("f", 1394 + 4 * k, holding if k == 0 else 0.0)
    put("2h", 2296, int(bool(epochs)), 0)
    put("2h", 2300, int(bool(epochs)), 0)
    put("2h", 2304, between, 0)
    for k, (level, samples) in enumerate(epochs):
        put("h", 2308 + 2 * k, 1)
        put("f", 2348 + 4 * k, level)
        put("i", 2508 + 4 * k, samples)
    table = b""
    if starts is not None:
        pairs = zip(starts, counts, strict=True)
        table = b"".join(struct.pack("<2i", start, count.size) for start, count in pairs)
    path.write_bytes(bytes(data) + body.ljust(blocks * BLOCK, b"\0") + table.ljust(BLOCK, b"\0"))
    return path


def write_atf(path, time, columns, *, signals=("IN 0",), unit=("pA",), starts=None, digits=6):
    """Write an .atf file: columns [sweep][signal][t], a shorter one ends in empty cells."""
    names = [name for _ in columns for name in signals]
    titles = [f'"Trace #{k + 1} ({u})"' for k in range(len(columns)) for u in unit]
    head = ['"AcquisitionMode=Episodic Stimulation"', '"Comment="']
    if starts is not None:
        head.append(f'"SweepStartTimesMS={",".join(f"{start:.3f}" for start in starts)}"')
    head.append("\t".join(['"Signals="', *(f'"{name}"' for name in names)]))
    lines = ["ATF\t1.0", f"{len(head)}\t{1 + len(names)}     ", *head, "\t".join(['"Time (s)"', *titles])]
    flat = [signal for sweep in columns for signal in sweep]
    for k, t in enumerate(time):
        cells = [f"{signal[k]:.6g}" if k < len(signal) else "" for signal in flat]
        lines.append("\t".join([f"{1e-3 * t:.{digits}g}", *cells]))
    path.write_text("\r\n".join(lines) + "\r\n")
    return path
