"""A function that computes in 64 bits under a 32-bit default, with derivatives in both directions.

JAX transposes and batches what it has traced outside the function, in 32-bit mode, where 64-bit numbers cannot be. So
its derivative is one linear primitive, which is told how it is pushed forwards and pulled back: each of the two runs in
64-bit mode as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

_along = Primitive("along_in_double")
_along.multiple_results = True


def in_double(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function of one tree of arrays, run in 64-bit mode; its own results say in what type they come out."""

    def forward(given: Any) -> Any:
        with jax.enable_x64(True):
            return function(given)

    @jax.custom_jvp
    def run(given: Any) -> Any:
        return forward(given)

    @run.defjvp
    def _slope(primals: tuple, tangents: tuple) -> tuple[Any, Any]:
        at, tree = jax.tree.flatten(primals[0])
        made = jax.tree.structure(jax.eval_shape(forward, primals[0]))

        def flat(*leaves: Any) -> list[Any]:
            return jax.tree.leaves(function(jax.tree.unflatten(tree, leaves)))

        def push(*both: Any) -> list[Any]:
            with jax.enable_x64(True):
                return list(jax.jvp(flat, both[: len(at)], both[len(at) :])[1])

        def pull(*both: Any) -> list[Any]:
            with jax.enable_x64(True):
                return list(jax.vjp(flat, *both[: len(at)])[1](list(both[len(at) :])))

        moved = _along.bind(*at, *jax.tree.leaves(tangents[0]), push=push, pull=pull, count=len(at))
        return run(primals[0]), jax.tree.unflatten(made, moved)

    return run


def _run(*both: Any, push: Callable[..., list[Any]], pull: Any, count: int) -> list[Any]:
    return push(*both)


def _shapes(*both: Any, push: Callable[..., list[Any]], pull: Any, count: int) -> list[Any]:
    shapes = jax.eval_shape(push, *(jax.ShapeDtypeStruct(x.shape, x.dtype) for x in both))
    return [ShapedArray(x.shape, x.dtype) for x in shapes]


def _slope_of_slope(primals: Any, tangents: Any, *, push: Any, pull: Any, count: int) -> tuple[Any, Any]:
    known = {"push": push, "pull": pull, "count": count}
    value = _along.bind(*primals, **known)
    moved = [ad.instantiate_zeros(t) for t in tangents]
    if all(isinstance(t, ad.Zero) for t in tangents[:count]):
        return value, _along.bind(*primals[:count], *moved[count:], **known)
    return value, list(jax.jvp(push, tuple(primals), tuple(moved))[1])


def _back(cotangents: Any, *both: Any, push: Any, pull: Any, count: int) -> list[Any]:
    given = [ad.instantiate_zeros(c) for c in cotangents]
    outputs = _along.bind(*both[:count], *given, push=pull, pull=push, count=count)
    return [None] * count + list(outputs)


def _many(both: Any, axes: Any, *, push: Any, pull: Any, count: int) -> tuple[list[Any], list[int]]:
    size = next(x.shape[axis] for x, axis in zip(both, axes, strict=True) if axis is not None)
    moved = [
        jnp.broadcast_to(x, (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)
        for x, axis in zip(both[count:], axes[count:], strict=True)
    ]
    fixed = tuple(axes[:count])

    def each(way: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def mapped(*rows: Any) -> list[Any]:
            return jax.vmap(way, in_axes=(*fixed, *([0] * (len(rows) - count))))(*rows)

        return mapped

    outputs = _along.bind(*both[:count], *moved, push=each(push), pull=each(pull), count=count)
    return outputs, [0] * len(outputs)


_along.def_impl(_run)
_along.def_abstract_eval(_shapes)
ad.primitive_jvps[_along] = _slope_of_slope
ad.primitive_transposes[_along] = _back
batching.primitive_batchers[_along] = _many
mlir.register_lowering(_along, mlir.lower_fun(_run, multiple_results=True))
