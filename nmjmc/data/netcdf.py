"""netCDF-4 files made in memory by HDF5's own calls, at a tenth of the cost of a general writer.

What makes an HDF5 file a netCDF-4 file (the netCDF users' guide, appendix "File format specifications"): each
dimension is a dimension scale, which the variable of its name serves as where there is one; each variable has a scale
attached to each axis; links and attributes keep the order in which they were made.
"""

# h5py's own modules are compiled and say nothing of their types.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5ds, h5f, h5p, h5s, h5t

if TYPE_CHECKING:
    from nmjmc.data.variables import Variable

_CHUNK_ROWS = 64  # a chunk of 64 vesicles: single traces stay cheap to read, and compress well
_LEVEL = 3  # of gzip
_SMALL = 4096  # bytes; the index of a compressed variable takes 2,000 by itself
_GROWTH = 2**18  # bytes by which the image grows
_WRITABLE = 1  # H5LT_FILE_IMAGE_OPEN_RW
_ORDER = h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED
_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.{:10}"


def image(variables: Iterable[Variable], attributes: Mapping[str, Any]) -> bytes:
    """A whole file as bytes.

    It is made in memory, because a disk that is full while HDF5 closes its file ends the whole process. Files of one
    form, such as those of a sweep, start from one empty file, so that dimensions and their links are made once.

    Args:
        variables: What it holds; the variable of a dimension's name comes before those that have the dimension.
        attributes: Global attributes: text and numbers.
    """
    given = list(variables)
    form = tuple(
        (v.name, v.dimensions, v.values.shape, v.values.dtype.str, v.units, v.long_name) for v in given
    )
    file = h5f.open_file_image(_empty(form), _WRITABLE)
    try:
        for variable in given:
            if variable.values.size:
                made = h5d.open(file, variable.name.encode())
                made.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(variable.values))
        for name, value in attributes.items():
            _attribute(file, name, value)
        h5f.flush(file)
        return file.get_file_image()
    finally:
        file.close()


_Form = tuple[tuple[str, tuple[str, ...], tuple[int, ...], str, str, str], ...]


@functools.lru_cache(maxsize=16)
def _empty(form: _Form) -> bytes:
    """A file with these variables, their dimensions and units, in which no number stands yet."""
    made, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
    made.set_link_creation_order(_ORDER)
    made.set_attr_creation_order(_ORDER)
    access.set_fapl_core(_GROWTH, False)
    file = h5f.create(b"nmjmc", h5f.ACC_TRUNC, fcpl=made, fapl=access)
    try:
        scales: dict[str, tuple[int, Any]] = {}
        _attribute(file, "_NCProperties", _properties())
        for name, dimensions, shape, kind, units, long_name in form:
            made = _dataset(file, name, shape, np.dtype(kind))
            _axes(file, made, name, dimensions, shape, scales)
            _attribute(made, "units", units)
            _attribute(made, "long_name", long_name)
        h5f.flush(file)
        return file.get_file_image()
    finally:
        file.close()


def _axes(
    file: Any,
    made: Any,
    name: str,
    dimensions: tuple[str, ...],
    shape: tuple[int, ...],
    scales: dict[str, tuple[int, Any]],
) -> None:
    """The dimensions of one variable."""
    if dimensions == (name,):
        _scale(made, name, name, scales)
    else:
        for axis, (dimension, size) in enumerate(zip(dimensions, shape, strict=True)):
            if dimension not in scales:
                bare = _dataset(file, dimension, (size,), np.dtype(">f4"))
                _scale(bare, dimension, _NO_VARIABLE.format(size), scales)
            h5ds.attach_scale(made, scales[dimension][1], axis)
    numbers = np.array([scales[dimension][0] for dimension in dimensions], np.int32)
    _attribute(made, "_Netcdf4Coordinates", numbers)
    if dimensions != (name,):
        _attribute(made, "_Netcdf4Dimid", numbers[0])


def _scale(dataset: Any, dimension: str, said: str, scales: dict[str, tuple[int, Any]]) -> None:
    """Make a dataset the scale of a dimension, which has the next free number."""
    scales[dimension] = (len(scales), dataset)
    _attribute(dataset, "_Netcdf4Dimid", np.int32(scales[dimension][0]))
    h5ds.set_scale(dataset, said.encode())


def _dataset(file: Any, name: str, shape: tuple[int, ...], kind: np.dtype) -> Any:
    """A dataset; large ones compressed without loss, which costs a small one more than it saves."""
    how = h5p.create(h5p.DATASET_CREATE)
    how.set_attr_creation_order(_ORDER)
    if len(shape) > 1 and math.prod(shape) * kind.itemsize > _SMALL:
        how.set_chunk((min(shape[0], _CHUNK_ROWS), *shape[1:]))
        how.set_shuffle()
        how.set_deflate(_LEVEL)
    space = h5s.create_simple(shape)
    return h5d.create(file, name.encode(), h5t.py_create(kind, logical=True), space, dcpl=how)


def _attribute(place: Any, name: str, value: Any) -> None:
    """An attribute: text as UTF-8 of variable length, and numbers."""
    if isinstance(value, str):
        kind, values = _text_type(), np.array(value, dtype=h5py.string_dtype())
    else:
        values = np.asarray(value)
        kind = h5t.py_create(values.dtype, logical=True)
    space = h5s.create_simple(values.shape) if values.ndim else h5s.create(h5s.SCALAR)
    h5a.create(place, name.encode(), kind, space).write(values)


@functools.cache
def _text_type() -> Any:
    return h5t.py_create(h5py.string_dtype(), logical=True)


@functools.cache
def _properties() -> str:
    from nmjmc import __version__

    return f"version=2,nmjmc={__version__},hdf5={h5py.version.hdf5_version},h5py={h5py.__version__}"
