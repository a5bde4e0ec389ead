"""A page of a result's molecules: one HTML file that opens anywhere, without a network, and shows itself in notebooks.

The frames travel inside the page: bytes of kinds, places in 12 bits along the membrane and 8 across it, deflated and in
base 64; the browser's own DecompressionStream unpacks them.
"""

from __future__ import annotations

import base64
import html
import json
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.data.atomic import write_bytes
from nmjmc.data.result import Result
from nmjmc.kernel.host.sight import BOUND, FREE
from nmjmc.synapse.build import describe
from nmjmc.synapse.cleft import Folded, Slab
from nmjmc.viz.molecules import palette
from nmjmc.viz.molecules.scene import Scene, scene_of

_MOST_STATES = 24  # of the shader's palette of 32
_HEIGHTS = (1.0, 3.0, 6.0, 10.0)
_KINDS = {"uint8": "u1", "uint16": "u2", "uint32": "u4", "int32": "i4", "float32": "f4"}


class Page:
    """A page that shows a result; `save(path)` writes it, `html` is its text.

    In a notebook it shows itself in a frame of its own.
    """

    def __init__(self, text: str) -> None:
        """Keep the text of the page."""
        self.html = text

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all, and give back its path."""
        return write_bytes(path, self.html.encode())

    def _repr_html_(self) -> str:
        frame = html.escape(self.html, quote=True)
        return f'<iframe srcdoc="{frame}" title="nmjmc" style="width:100%;height:860px;border:0"></iframe>'

    def __repr__(self) -> str:
        return f"a page of {len(self.html) / 1e6:.1f} MB; save it with .save('view.html')"


def molecules_page(result: Result) -> Page:
    """The page of a result's molecules.

    Args:
        result: Of `nmjmc.simulate` with `numerics.view_interval`.

    Raises:
        ValidationError: If it keeps no views.
    """
    scene = scene_of(result)
    told, packed = _told(scene), _packed(scene)
    blob, index = b"", []
    for name, values in packed.items():
        blob += b"\0" * (-len(blob) % 4)
        index.append([name, _KINDS[values.dtype.name], len(blob), int(values.size)])
        blob += np.ascontiguousarray(values).tobytes()
    told["arrays"] = index
    text = {
        "TITLE": html.escape(_title(scene)),
        "UNDER": html.escape(_under(scene)),
        "NOTE": html.escape(_note(scene)),
        "TABLE": _moments(scene),
        "PARAMETERS": _rows(_flat(describe(result.synapse))),
        "PROVENANCE": _rows({**_flat(dict(result.settings)), "seed": result.seed, **result.provenance}),
        "TOLD": json.dumps(told).replace("</", "<\\/"),
        "DATA": base64.b64encode(zlib.compress(blob, 9)).decode(),
        "STYLE": _asset("page.css"),
        "SCRIPT": _asset("page.js"),
    }
    page = _asset("page.html")
    for name, value in text.items():
        page = page.replace(f"@{name}@", value)
    return Page(page)


def _asset(name: str) -> str:
    return (files("nmjmc.viz.molecules") / name).read_text(encoding="utf-8")


def _packed(scene: Scene) -> dict[str, np.ndarray]:
    """The arrays that the page unpacks, by name; those of the traces begin with `s_`."""
    seen, sites = scene.seen, scene.shown_sites()
    free, bound = seen.state == FREE, seen.state == BOUND
    place, span = seen.place[free], scene.height - scene.low
    column = np.full(len(seen.site_place) + 1, 0, np.int32)
    column[sites] = np.arange(sites.size)
    end = np.nan_to_num(seen.place[-1])
    states = np.minimum(seen.site_state[:, sites], _MOST_STATES - 1)
    found = {
        "kind": seen.state,
        "x": _levels((place[:, 0] / scene.half + 1) / 2, 4095, np.uint16),
        "y": _levels((place[:, 1] / scene.half + 1) / 2, 4095, np.uint16),
        "z": _levels((place[:, 2] - scene.low) / span, 255, np.uint8),
        "bound_site": column[seen.site[bound]].astype(np.uint32),
        "end_place": end.astype(np.float32),
        "vesicle": seen.vesicle.astype(np.uint16),
        "site_place": seen.site_place[sites].astype(np.float32),
        "site_kind": seen.site_is_esterase[sites].astype(np.uint8),
        "site_state": states.astype(np.uint8),
        "frame_record": scene.record.astype(np.uint32),
        "s_time": scene.result.time.astype(np.float32),
    }
    for name in _series(scene):
        values = scene.trace(name)
        found[f"s_{name}"] = values.astype(np.float32 if values.dtype.kind == "f" else np.int32)
    if scene.result.vesicles > 1:
        found["s_mean"] = scene.result.current.mean(axis=0).astype(np.float32)
    return found


def _levels(part: np.ndarray, most: int, kind: Any) -> np.ndarray:
    return np.clip(np.round(part * most), 0, most).astype(kind)


def _series(scene: Scene) -> list[str]:
    result = scene.result
    states = [*result.receptor_states, *result.esterase_states]
    return ["current", "open_channels", "free_ach", "bound", "hydrolysed", "escaped", "released", *states]


def _told(scene: Scene) -> dict[str, Any]:
    """What the page is told in words and numbers."""
    result, cleft = scene.result, scene.result.synapse.cleft
    looks = palette.looks(result)
    colours = [(*palette.rgb(look.colour), look.size) for look in looks[:_MOST_STATES]]
    first = len(colours)
    own = (
        ("free", palette.FREE, 1.0), ("bound", palette.BOUND, 0.45), ("split", palette.SPLIT, 0.95),
        ("left", palette.LEFT, 1.0), ("rim", palette.RIM, 1.0), ("vesicle", palette.VESICLE, 1.0),
        ("pore", palette.PORE, 1.0),
    )  # fmt: skip
    colours += [(*palette.rgb(colour), size) for _, colour, size in own]
    colours += [(0.0, 0.0, 0.0, 0.0)] * (32 - len(colours))
    folds, fold_half = _folds(scene)
    vesicle = result.synapse.vesicle
    return {
        "frames": scene.seen.frames,
        "molecules": int(scene.seen.number.size),
        "sites": int(scene.shown_sites().size),
        "times": [round(float(time), 9) for time in scene.seen.time],
        "numbers": scene.seen.number.tolist(),
        "tracked": scene.tracked,
        "vesicles": result.quanta,
        "half": scene.half,
        "height": scene.height,
        "low": scene.low,
        "zoom": scene.zoom,
        "tall": _tall(scene),
        "disc": not isinstance(cleft, Slab),
        "release": np.asarray(vesicle.sites, float).tolist(),
        "lumen": float(vesicle.lumen_radius),
        "folds": folds,
        "fold_half": fold_half,
        "palette": colours,
        "look": {name: first + k for k, (name, _, _) in enumerate(own)},
        "state_names": [look.label for look in looks],
        "legend": _legend(result, looks),
        "traces": _traces(scene, looks),
        "keep": False,
        "start": int(np.argmax((scene.seen.state == FREE).sum(axis=1))),
    }


def _tall(scene: Scene) -> float:
    """How much the height is drawn larger than it is: so that the cleft is no line, and folds keep their form."""
    wanted = 0.3 * scene.zoom / (scene.height - scene.low)
    return max((tall for tall in _HEIGHTS if tall <= wanted), default=1.0)


def _folds(scene: Scene) -> tuple[list[float], float]:
    cleft = scene.result.synapse.cleft
    if not isinstance(cleft, Folded):
        return [], 0.0
    spacing, reach = float(cleft.fold_spacing), int(scene.half / float(cleft.fold_spacing))
    return [k * spacing for k in range(-reach, reach + 1)], 0.5 * float(cleft.fold_width)


def _legend(result: Result, looks: Sequence[palette.Look]) -> list[dict[str, Any]]:
    """Groups of colours with what is counted of each."""
    receptors = len(result.receptor_states)

    def states(some: Sequence[palette.Look]) -> list[dict[str, Any]]:
        return [{"label": x.label, "colour": x.colour, "series": x.name, "quiet": x.rests} for x in some]

    ach = (
        ("free", palette.FREE, "free_ach"), ("bound", palette.BOUND, "bound"),
        ("split", palette.SPLIT, "hydrolysed"), ("left at the rim", palette.LEFT, "escaped"),
    )  # fmt: skip
    return [
        {"head": "ACh"},
        *({"label": label, "colour": colour, "series": name} for label, colour, name in ach),
        {"head": "Receptors"},
        *states(looks[:receptors]),
        {"head": "Esterase sites"},
        *states(looks[receptors:]),
    ]


def _traces(scene: Scene, looks: Sequence[palette.Look]) -> list[dict[str, Any]]:
    """The plots beside the cleft."""
    receptors = len(scene.result.receptor_states)
    current = [{"series": "current", "colour": "ink", "label": "this vesicle", "digits": 3}]
    if scene.result.vesicles > 1:
        mean = {
            "series": "mean",
            "colour": "#56B4E9",
            "label": f"mean of {scene.result.vesicles}",
            "digits": 3,
        }
        current.append({**mean, "pale": True})
    # the colours of a dark ground are too pale for lines on paper
    dark = {palette.FREE: "#B8A800", palette.BOUND: "#56B4E9", palette.LEFT: "#7F8C99"}

    def lines(some: Sequence[palette.Look]) -> list[dict[str, Any]]:
        return [{"series": x.name, "colour": x.colour, "label": x.label} for x in some if not x.rests]

    fates = (("free_ach", palette.FREE, "free"), ("bound", palette.BOUND, "bound"),
             ("hydrolysed", palette.SPLIT, "split"), ("escaped", palette.LEFT, "left"))  # fmt: skip
    return [
        {"title": "Current (nA)", "unit": " nA", "lines": current},
        {"title": "ACh molecules", "unit": "",
         "lines": [{"series": s, "colour": dark.get(c, c), "label": w} for s, c, w in fates]},
        {"title": "Receptors", "unit": "", "lines": lines(looks[:receptors])},
        {"title": "Esterase sites", "unit": "", "lines": lines(looks[receptors:])},
    ]  # fmt: skip


def _title(scene: Scene) -> str:
    s = scene.result.synapse
    return f"{s.name}: ACh in the cleft, {float(s.temperature):g} °C"


def _under(scene: Scene) -> str:
    result, kept = scene.result, scene.seen.number.size
    total = int(result.content[scene.row])
    what = "vesicle" if result.quanta == 1 else f"patch of {result.quanta} vesicles"
    part = (
        f"{total:,} molecules" if kept >= total or not scene.tracked else f"{kept:,} of {total:,} molecules"
    )
    held = f"{float(result.synapse.fibre.holding_potential):g} mV".replace("-", "−")
    head = f"{what.capitalize()} {scene.number} of seed {result.seed}"
    return f"{head}: {part}, {scene.seen.frames} frames, held at {held}."


def _note(scene: Scene) -> str:
    if not scene.tracked:
        return (
            "This result keeps the places of free molecules alone, and a point is no track of one molecule."
        )
    shown, all_of = scene.shown_sites().size, len(scene.seen.site_place)
    words = "Molecules and sites are drawn larger than they are."
    if shown < all_of:
        words += (
            f" Of {all_of:,} sites {shown:,} are drawn: all that ever leave rest, and a part of the others."
        )
    stepping = "stepped" in str((scene.result.settings.get("numerics") or {}).get("transport"))
    if scene.low == 0 and not stepping:
        words += " The height of a free molecule is drawn at random, because exact journeys do not follow it."
    return words


def _moments(scene: Scene) -> str:
    """A table of some frames for those who cannot see the traces."""
    frames = np.unique(np.linspace(0, scene.seen.frames - 1, 16).astype(int))
    names = ("current", "open_channels", "free_ach", "bound", "hydrolysed", "escaped")
    heads = ("time (ms)", "current (nA)", "open channels", "free ACh", "bound", "split", "left")
    rows = []
    for f in frames:
        at = scene.record[f]
        cells = [f"{scene.seen.time[f]:.4g}", f"{scene.trace('current')[at]:.4f}".replace("-", "−")]
        cells += [f"{int(scene.trace(name)[at]):,}" for name in names[1:]]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f'<table class="num"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _rows(values: Mapping[str, Any]) -> str:
    rows = (
        f'<tr><th scope="row">{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>'
        for name, value in values.items()
        if value not in (None, "", {})
    )
    return f"<table>{''.join(rows)}</table>"


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{before}{name}"
        found |= _flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return found
