"""A film of a result's molecules: the cleft from above and from the side, and the current as it is drawn.

Time runs slowly in the first 0.1 ms, in which most happens, and ever faster after it; a clock in the picture tells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from nmjmc.data.atomic import atomic
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError, nearest
from nmjmc.kernel.host.sight import FREE, GONE, HYDROLYSED, ONSET
from nmjmc.request import Request, whole
from nmjmc.synapse.cleft import Slab
from nmjmc.viz.molecules import palette
from nmjmc.viz.molecules.scene import Scene, resting_codes, scene_of
from nmjmc.viz.style import RC

_GROUND, _INK, _SOFT = "#0B1420", "#E6EDF3", "#8FA1B3"
_SLOW_PART = 0.45  # of the film, for the first 0.1 ms
_FLASH = 0.008  # ms for which a molecule is shown where it was split or has left
_DOTS = 100
_ENDINGS = (".mp4", ".gif")


@dataclass(frozen=True)
class FilmRequest(Request):
    """The settings of `nmjmc film`."""

    seconds: int = whole(10, "how long the film is", 1, 300)
    rate: int = whole(25, "pictures a second; a GIF takes 50 at most", 1, 50)
    width: int = whole(960, "of a picture in pixels; its height is three quarters of it", 200, 3840)


def film(
    result: Result, path: str | Path = "film.mp4", *, seconds: int = 10, rate: int = 25, width: int = 960
) -> Path:
    """Make a film of a result's molecules.

    Args:
        result: Of `nmjmc.simulate` with `numerics.view_interval`.
        path: Where; `.mp4` (needs the extra `view`) or `.gif`.
        seconds: How long it is.
        rate: Pictures a second.
        width: Of a picture in pixels.

    Returns:
        The path.

    Raises:
        ValidationError: If the result keeps no views, or the film cannot be written so.
    """
    request, target = FilmRequest(seconds, rate, width), Path(path)
    if target.suffix.lower() not in _ENDINGS:
        hint = nearest(target.suffix, _ENDINGS)
        raise ValidationError("out", str(path), "a name that ends in .mp4 or .gif", hint)
    writer = _write_gif if target.suffix.lower() == ".gif" else _mp4_writer(str(path))
    scene = scene_of(result)
    picture = _Picture(scene, request.width)
    frames = schedule(scene.seen.time, scene.result.onset, request.seconds * request.rate)
    with atomic(target) as temporary:
        writer(temporary, (picture.at(int(frame)) for frame in frames), picture.size, request.rate)
    return target


def schedule(time: Float[np.ndarray, " f"], onset: float, pictures: int) -> Int[np.ndarray, " p"]:
    """The frame of each picture: the first 0.1 ms after the onset evenly, then ever faster to the end.

    Args:
        time: of each frame [ms].
        onset: of the first release [ms].
        pictures: how many the film has.
    """
    begin, end = float(time[0]), float(time[-1])
    slow = min(max(onset, begin) + ONSET, end)
    part = np.linspace(0.0, 1.0, pictures)
    first = begin + (slow - begin) * part / _SLOW_PART
    after = np.clip((part - _SLOW_PART) / (1 - _SLOW_PART), 0.0, 1.0)
    pace = (slow - begin) / _SLOW_PART * (1 - _SLOW_PART)  # as fast as before, at first
    rest = end - slow
    later = slow + pace * after + (rest - pace) * after**3 if rest > pace else slow + rest * after
    wanted = np.where(part < _SLOW_PART, first, later) if slow < end else begin + (end - begin) * part
    return np.clip(np.searchsorted(time, wanted + 1e-9, side="right") - 1, 0, time.size - 1)


class _Picture:
    """One figure whose artists are moved from frame to frame."""

    def __init__(self, scene: Scene, width: int) -> None:
        self.scene, self.looks = scene, palette.looks(scene.result)
        wide = 2 * (width // 2)
        self.size = (wide, 2 * (width * 3 // 8))
        figure = Figure(figsize=(self.size[0] / _DOTS, self.size[1] / _DOTS), dpi=_DOTS, facecolor=_GROUND)
        self.canvas = FigureCanvasAgg(figure)
        self.figure, self.unit = figure, width / 960
        self.text: Any = {"color": _INK, "fontsize": 11 * self.unit, "family": RC["font.family"]}
        self.sites = scene.shown_sites()
        self.site_look = _colours([look.colour for look in self.looks])
        self.site_size = np.array([0.0 if look.rests else 7.0 * look.size for look in self.looks])
        above = figure.add_axes((0.01, 0.02, 0.56, 0.96))
        side = figure.add_axes((0.60, 0.66, 0.39, 0.30))
        trace = figure.add_axes((0.665, 0.10, 0.315, 0.27))
        self.above: Any = self._above(above)
        self.side: Any = self._side(side)
        self.line, self.dot = self._trace(trace)
        self.clock = above.text(
            0.03, 0.965, "", transform=above.transAxes, va="top", **{**self.text, "fontsize": 20 * self.unit}
        )
        self.counts = self._legend()
        self.ended = _first_ends(scene)

    def at(self, frame: int) -> UInt8[np.ndarray, "h w 3"]:
        """The picture of a frame."""
        scene, record = self.scene, int(self.scene.record[frame])
        place, colour, size = self._points(frame)
        for points, axes in ((self.above, (0, 1)), (self.side, (0, 2))):
            points.set_offsets(place[:, axes])
            points.set_facecolor(colour)
            points.set_sizes(size * self.unit**2)
        time = float(scene.seen.time[frame])
        self.clock.set_text(f"{time * 1000:.0f} µs" if time < 1 else f"{time:.2f} ms")
        current = scene.trace("current")
        self.line.set_data(scene.result.time[: record + 1], current[: record + 1])
        self.dot.set_data([scene.result.time[record]], [current[record]])
        for name, text in self.counts.items():
            text.set_text(f"{int(scene.trace(name)[record]):,}")
        self.canvas.draw()
        return np.asarray(self.canvas.buffer_rgba())[..., :3]

    def _points(self, frame: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places, colours and sizes of what is drawn: busy sites below, molecules above them."""
        seen = self.scene.seen
        state = seen.site_state[frame, self.sites]
        busy = self.site_size[state] > 0 if state.size else np.zeros(0, bool)
        kind, age = seen.state[frame], seen.time[frame] - self.ended
        flash = (kind >= HYDROLYSED) & (age < _FLASH)
        free = kind == FREE
        chosen = [self.sites[busy]]
        place = [seen.site_place[chosen[0]], seen.place[frame][flash], seen.place[frame][free]]
        flashes = np.where(kind[flash] == GONE, 1, 0)
        colour = [
            self.site_look[state[busy]], _colours([palette.SPLIT, palette.LEFT])[flashes],
            np.repeat(_colours([palette.FREE]), int(free.sum()), axis=0),
        ]  # fmt: skip
        size = [self.site_size[state[busy]], np.full(int(flash.sum()), 9.0), np.full(int(free.sum()), 7.0)]
        return np.concatenate(place), np.concatenate(colour), np.concatenate(size)

    def _above(self, axes: Axes) -> PathCollection:
        scene, reach = self.scene, self.scene.zoom * 1.15
        self._bare(axes, (-reach, reach), (-reach * 1.286, reach * 1.286))
        axes.set_aspect("equal")
        self._resting(axes)
        if isinstance(scene.result.synapse.cleft, Slab):
            axes.add_patch(Rectangle((-scene.half, -scene.half), 2 * scene.half, 2 * scene.half, **_RIM))
        else:
            axes.add_patch(Circle((0, 0), scene.half, **_RIM))
        length = _round_length(reach * 0.5)
        words = f"{length:g} µm" if length >= 1 else f"{length * 1000:g} nm"
        axes.plot(
            [-0.93 * reach, -0.93 * reach + length], [-1.19 * reach] * 2, color=_INK, linewidth=2 * self.unit
        )
        axes.text(-0.93 * reach + length / 2, -1.17 * reach, words, ha="center", va="bottom", **self.text)
        return axes.scatter([], [], s=[], linewidths=0, zorder=3)

    def _resting(self, axes: Axes) -> None:
        """The sites at rest, faint, as far as they are drawn."""
        seen = self.scene.seen
        if not self.sites.size:
            return
        still = self.sites[np.isin(seen.site_state[0, self.sites], resting_codes(self.scene.result))]
        place = seen.site_place[still]
        colour = _colours([palette.RESTING, palette.RESTING_ESTERASE])[seen.site_is_esterase[still]]
        axes.scatter(place[:, 0], place[:, 1], s=1.6 * self.unit**2, c=colour, linewidths=0, zorder=1)

    def _side(self, axes: Axes) -> PathCollection:
        scene, reach = self.scene, self.scene.zoom * 1.15
        room = 0.18 * (scene.height - scene.low)
        self._bare(axes, (-reach, reach), (scene.low - room, scene.height + 2.2 * room))
        for height in (0.0, scene.height):
            axes.axhline(height, color=palette.RIM, linewidth=1.2 * self.unit, zorder=1)
        for x, _ in np.asarray(scene.result.synapse.vesicle.sites, float):
            axes.plot(
                [x], [scene.height], marker="v", color=palette.VESICLE, markersize=6 * self.unit, zorder=2
            )
        times = (
            (2 * reach / 0.39)
            / self.size[0]
            / ((scene.height - scene.low + 3.2 * room) / 0.30 / self.size[1])
        )
        axes.set_title(f"from the side, height drawn {times:.0f} times", loc="left", pad=4, **self.text)
        return axes.scatter([], [], s=[], linewidths=0, zorder=3)

    def _trace(self, axes: Axes) -> tuple[Any, Any]:
        time, current = self.scene.result.time, self.scene.trace("current")
        end = float(self.scene.seen.time[-1])
        shown = current[time <= end]
        axes.set_facecolor(_GROUND)
        for name, spine in axes.spines.items():
            spine.set_visible(name in ("left", "bottom"))
            spine.set_color(_SOFT)
        axes.tick_params(
            colors=_SOFT, labelsize=9 * self.unit, width=0.6, length=3 * self.unit, pad=2 * self.unit
        )
        axes.locator_params(nbins=4)
        margin = 0.06 * max(float(np.ptp(shown)), 1e-6)
        axes.set_xlim(0, end)
        axes.set_ylim(float(shown.min()) - margin, float(shown.max()) + margin)
        axes.plot(time, current, color="#2B4257", linewidth=1.2 * self.unit)
        axes.set_title("current (nA) against time (ms)", loc="left", pad=4, **self.text)
        (line,) = axes.plot([], [], color=palette.OPEN, linewidth=1.8 * self.unit)
        (dot,) = axes.plot([], [], marker="o", color=palette.OPEN, markersize=5 * self.unit)
        return line, dot

    def _legend(self) -> dict[str, Any]:
        """Names of the colours with what is counted, which changes."""
        shown = [("free ACh", palette.FREE, "free_ach")]
        shown += [(look.label, look.colour, look.name) for look in self.looks if not look.rests]
        shown += [("split", palette.SPLIT, "hydrolysed"), ("left at the rim", palette.LEFT, "escaped")]
        found, rows = {}, -(-len(shown) // 2)
        for index, (label, colour, name) in enumerate(shown):
            column, row = divmod(index, rows)
            x, y = 0.60 + 0.20 * column, 0.60 - row * min(0.042, 0.16 / max(rows - 1, 1))
            self.figure.text(x, y, "●", va="center", **{**self.text, "color": colour})
            self.figure.text(x + 0.022, y, label, va="center", **{**self.text, "fontsize": 9.5 * self.unit})
            found[name] = self.figure.text(
                x + 0.185, y, "", va="center", ha="right", **{**self.text, "fontsize": 9.5 * self.unit}
            )
        return found

    def _bare(self, axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
        axes.set_facecolor(_GROUND)
        axes.set_xlim(*x)
        axes.set_ylim(*y)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)


_RIM: Any = {"fill": False, "edgecolor": palette.RIM, "linewidth": 1.2}


def _first_ends(scene: Scene) -> Float[np.ndarray, " n"]:
    """When each molecule was first seen to have ended [ms]; infinite where it has not."""
    gone = scene.seen.state >= HYDROLYSED
    return np.where(gone.any(axis=0), scene.seen.time[np.argmax(gone, axis=0)], np.inf)


def _round_length(most: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above a length [um]."""
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(k * power for k in (1, 2, 5) if k * power <= most))


def _colours(names: list[str]) -> Float[np.ndarray, "n 3"]:
    return np.array([palette.rgb(name) for name in names])


def _mp4_writer(path: str) -> Any:
    """What writes an mp4.

    Raises:
        ValidationError: If the extra is not installed.
    """
    try:
        import imageio_ffmpeg
    except ImportError as error:
        hint = "mp4 needs imageio-ffmpeg: pip install imageio-ffmpeg"
        raise ValidationError("out", path, "a name that ends in .gif here", hint) from error

    def write(place: Path, pictures: Iterator[np.ndarray], size: tuple[int, int], rate: int) -> None:
        stream = imageio_ffmpeg.write_frames(
            str(place), size, fps=rate, quality=8, macro_block_size=2, output_params=["-f", "mp4"]
        )
        stream.send(None)
        for picture in pictures:
            stream.send(np.ascontiguousarray(picture))
        stream.close()

    return write


def _write_gif(place: Path, pictures: Iterator[np.ndarray], size: tuple[int, int], rate: int) -> None:
    from PIL import Image

    del size
    fixed = Image.new("P", (1, 1))
    fixed.putpalette(_gif_palette())
    first, *others = [
        Image.fromarray(np.ascontiguousarray(p)).quantize(palette=fixed, dither=Image.Dither.NONE)
        for p in pictures
    ]
    first.save(place, format="GIF", save_all=True, append_images=others, duration=round(1000 / rate), loop=0)


def _gif_palette() -> list[int]:
    """Each colour of a film in some mixtures with the ground: one chosen from a picture loses what is rare in it."""
    mixed = [_GROUND, palette.RESTING, palette.RESTING_ESTERASE]
    whole = _colours([_INK, _SOFT, palette.RIM, *palette.every()])
    ground = _colours([_GROUND])
    parts = [_colours(mixed), *(ground + part * (whole - ground) for part in _MIXTURES)]
    return [int(level) for level in np.round(255 * np.concatenate(parts)).ravel()]


_MIXTURES = (1.0, 0.7, 0.4)
