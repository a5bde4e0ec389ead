"""Files of a result's molecules for the viewers that people have: extended XYZ, VTK time series, CellBlender.

Lengths are in um, as in the result, but for extended XYZ, whose readers think in angstrom and would draw nothing: there
they are in nm.
"""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from nmjmc.data.atomic import write_bytes
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError
from nmjmc.kernel.host.sight import BOUND, FREE
from nmjmc.viz.molecules import palette
from nmjmc.viz.molecules.scene import Scene, resting_codes, scene_of

FORMATS = ("xyz", "vtk", "cellblender")
_NANOMETRES = 1000.0


def export(result: Result, path: str | Path, kind: str | None = None) -> Path:
    """Write a result's molecules for another viewer.

    Args:
        result: Of `nmjmc.simulate` with `numerics.view_interval`.
        path: Where: a file `.xyz` (extended XYZ: OVITO, ASE), a file `.pvd` (VTK: ParaView, with a folder of `.vtu`
            beside it), or a folder (CellBlender).
        kind: `xyz`, `vtk` or `cellblender`; None goes by the ending.

    Returns:
        The path.

    Raises:
        ValidationError: If the result keeps no views, or there is no such format.
    """
    target = Path(path)
    kind = kind or {".xyz": "xyz", ".pvd": "vtk", "": "cellblender"}.get(target.suffix.lower(), target.suffix)
    if kind not in FORMATS:
        hint = "by its ending: molecules.xyz, molecules.pvd, or a folder for CellBlender"
        raise ValidationError("format", repr(kind), ", ".join(FORMATS), hint)
    scene = scene_of(result)
    if kind == "xyz":
        return write_bytes(target, "".join(_xyz(scene)).encode())
    return _vtk(scene, target) if kind == "vtk" else _cellblender(scene, target)


class _Frame:
    """What a frame is made of for other viewers: present molecules, then sites that are not at rest.

    Attributes:
        place: float32 [n, 3] [um].
        species: Index in `names` of each.
        number: Of the molecule; of a site, its own after those of all molecules.
    """

    def __init__(self, scene: Scene, frame: int) -> None:
        seen = scene.seen
        there = np.flatnonzero((seen.state[frame] == FREE) | (seen.state[frame] == BOUND))
        state = seen.site_state[frame]
        busy = np.flatnonzero(~np.isin(state, resting_codes(scene.result)))
        self.place = np.concatenate([seen.place[frame][there], seen.site_place[busy]]).astype(np.float32)
        self.species = np.concatenate([seen.state[frame][there] - FREE, state[busy] + 2]).astype(np.int32)
        self.number = np.concatenate(
            [seen.number[there], busy + int(scene.result.content[scene.row])]
        ).astype(np.int32)


def names(scene: Scene) -> list[str]:
    """The species by their numbers: free and bound ACh, then the states of receptor and esterase."""
    return ["ACh", "ACh_bound", *(look.name for look in palette.looks(scene.result))]


def _xyz(scene: Scene) -> Iterator[str]:
    """Extended XYZ, in nm; particles of a frame are those that are there, each with its number."""
    called = np.array(names(scene))
    wide, tall = 2 * scene.half * _NANOMETRES, (scene.height - scene.low) * _NANOMETRES
    origin = f"{-wide / 2:g} {-wide / 2:g} {scene.low * _NANOMETRES:g}"
    for index, time in enumerate(scene.seen.time):
        frame = _Frame(scene, index)
        yield (
            f'{frame.number.size}\nLattice="{wide:g} 0 0 0 {wide:g} 0 0 0 {tall:g}" Origin="{origin}" '
            f'Properties=kind:S:1:pos:R:3:id:I:1 Time={time:.6g} time_unit=ms length_unit=nm pbc="F F F"\n'
        )
        text = io.StringIO()
        columns = zip(called[frame.species], frame.place * _NANOMETRES, frame.number, strict=True)
        text.writelines(f"{name} {x:.2f} {y:.2f} {z:.2f} {number}\n" for name, (x, y, z), number in columns)
        yield text.getvalue()


def _vtk(scene: Scene, target: Path) -> Path:
    """A ParaView collection and a folder of unstructured grids of points, one a frame."""
    folder, entries = target.with_suffix(""), []
    for index, time in enumerate(scene.seen.time):
        frame = _Frame(scene, index)
        name = f"{folder.name}/frame_{index:05d}.vtu"
        write_bytes(target.parent / name, _grid(frame).encode())
        entries.append(f'<DataSet timestep="{time:.9g}" group="" part="0" file="{name}"/>')
    body = "\n".join(entries)
    text = '<?xml version="1.0"?>\n<VTKFile type="Collection" version="0.1">\n<Collection>\n'
    text += f"{body}\n</Collection>\n</VTKFile>\n"
    legend = "".join(f"{code} {name}\n" for code, name in enumerate(names(scene)))
    write_bytes(folder / "species.txt", legend.encode())
    return write_bytes(target, text.encode())


def _grid(frame: _Frame) -> str:
    """One frame as a .vtu file with its arrays inline, in base 64."""
    count = frame.number.size
    points = _array("Points", frame.place, 3)
    data = _array("species", frame.species) + _array("number", frame.number)
    cells = _array("connectivity", np.arange(count, dtype=np.int64))
    cells += _array("offsets", np.arange(1, count + 1, dtype=np.int64))
    cells += _array("types", np.ones(count, np.uint8))
    return (
        '<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" '
        'header_type="UInt32">\n<UnstructuredGrid>\n'
        f'<Piece NumberOfPoints="{count}" NumberOfCells="{count}">\n<Points>\n{points}</Points>\n'
        f"<PointData>\n{data}</PointData>\n<Cells>\n{cells}</Cells>\n</Piece>\n</UnstructuredGrid>\n</VTKFile>\n"
    )


def _array(name: str, values: Shaped[np.ndarray, "..."], components: int = 0) -> str:
    kind = {"float32": "Float32", "int32": "Int32", "int64": "Int64", "uint8": "UInt8"}[values.dtype.name]
    raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    packed = base64.b64encode(struct.pack("<I", len(raw)) + raw).decode()
    of = f' NumberOfComponents="{components}"' if components else ""
    return f'<DataArray type="{kind}" Name="{name}"{of} format="binary">{packed}</DataArray>\n'


def _cellblender(scene: Scene, target: Path) -> Path:
    """MCell's binary visualisation output, which CellBlender reads: a file a frame, in `viz_data/seed_00001`.

    A file begins with the number 1 (uint32); each species follows with the length of its name (one byte), the name,
    whether it is of a surface (one byte), the number of floats (uint32), its places, and of a surface its normals.
    """
    folder, called = target / "viz_data" / "seed_00001", names(scene)
    digits = len(str(scene.seen.frames))
    for index in range(scene.seen.frames):
        frame, parts = _Frame(scene, index), [struct.pack("<I", 1)]
        for code, name in enumerate(called):
            own, on_surface = frame.place[frame.species == code], code != 0
            word = name.encode()[:255]
            parts.append(struct.pack("<B", len(word)) + word + struct.pack("<B", on_surface))
            parts.append(struct.pack("<I", own.size) + own.astype("<f4").tobytes())
            if on_surface:
                parts.append(np.tile(np.array([0, 0, 1], "<f4"), len(own)).tobytes())
        write_bytes(folder / f"Scene.cellbin.{index:0{digits}d}.dat", b"".join(parts))
    return target
