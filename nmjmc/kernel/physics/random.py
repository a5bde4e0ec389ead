"""Counter-based random numbers: every draw is a pure function of who draws it and why.

The generator is Threefry-2x32 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
SC11). The key is a function of (seed, vesicle, purpose), the counter holds (lineage of the molecule, number of
its draw), so no draw depends on the batch, the order in memory, a restart or the number of devices.
"""

from __future__ import annotations

import enum
import math

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, UInt32

_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = 0x1BD11BDA
# The authors report no failure in BigCrush from 13 rounds on; 20 is their padded default. Every draw passes
# through here, and 13 rounds halve its cost (a choice; the tests check the draws as we use them).
_ROUNDS = 13


class Purpose(enum.IntEnum):
    """What a draw is for; a part of the key, so that two uses can never share their numbers."""

    RELEASE = 1
    EVENT = 2
    CONTENT = 3
    SITES = 4
    PLACE = 5


def _rotate_left(x: UInt32[Array, "*n"], bits: int) -> UInt32[Array, "*n"]:
    return (x << jnp.uint32(bits)) | (x >> jnp.uint32(32 - bits))


Words = tuple[UInt32[Array, "*n"], UInt32[Array, "*n"]]


def threefry2x32(key: Words, counter: Words, rounds: int = _ROUNDS) -> Words:
    """Two random words from a two-word key and a two-word counter.

    Args:
        key: two uint32 arrays of the counter's shape.
        counter: two uint32 arrays of one shape.
        rounds: number of rounds.

    Returns:
        Two uint32 arrays of the counter's shape.

    References:
        Salmon et al. 2011 (SC11), Threefry-2x32; tested against the authors' known answers.
    """
    schedule = (key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(_PARITY))
    x0, x1 = counter[0] + schedule[0], counter[1] + schedule[1]
    for r in range(rounds):
        x0 = x0 + x1
        x1 = _rotate_left(x1, _ROTATIONS[r % 8]) ^ x0
        if r % 4 == 3:
            s = r // 4 + 1
            x0 = x0 + schedule[s % 3]
            x1 = x1 + schedule[(s + 1) % 3] + jnp.uint32(s)
    return x0, x1


def vesicle_keys(seed: UInt32[Array, " 2 *v"], vesicle: UInt32[Array, " v"], purpose: Purpose) -> Words:
    """The key of each vesicle for one purpose: a hash of (seed, vesicle, purpose); one seed for all, or one each."""
    zero = jnp.zeros_like(vesicle)
    return threefry2x32((zero + seed[0], zero + seed[1]), (vesicle, zero + jnp.uint32(int(purpose))))


def words(key: Words, counter: Words, count: int) -> list[UInt32[Array, "*n"]]:
    """`count` random words for the event whose counter is (lineage, first free draw number)."""
    pairs = jnp.arange((count + 1) // 2, dtype=jnp.uint32)[:, None]
    shape = (pairs.shape[0], *counter[0].shape)
    row = tuple(jnp.broadcast_to(word[None], shape) for word in (*key, counter[0]))
    x0, x1 = threefry2x32((row[0], row[1]), (row[2], counter[1][None] + pairs))
    return [(x0, x1)[k % 2][k // 2] for k in range(count)]


def uniform(word: UInt32[Array, "*n"]) -> Float[Array, "*n"]:
    """Uniform on the open interval (0, 1): 23 bits, centred in their cells, so that 0 and 1 never come."""
    return ((word >> jnp.uint32(9)).astype(jnp.float32) + jnp.float32(0.5)) * jnp.float32(2.0**-23)


def exponential(word: UInt32[Array, "*n"]) -> Float[Array, "*n"]:
    """Standard exponential, by inversion."""
    return -jnp.log(uniform(word))


def normal_pair(w0: UInt32[Array, "*n"], w1: UInt32[Array, "*n"]) -> tuple[Array, Array]:
    """Two independent standard normals (Box & Muller 1958, Ann Math Stat 29:610)."""
    radius = jnp.sqrt(jnp.float32(2.0) * exponential(w0))
    sine, cosine = sincos_turn(w1)
    return radius * cosine, radius * sine


def sincos_turn(word: UInt32[Array, "*n"]) -> tuple[Array, Array]:
    """Sine and cosine of a uniform angle, by quadrant and Taylor series on |phi| <= pi/4.

    The library functions are not vectorised on a CPU and cost ten times as much; the series' remainder is
    below 4e-8, less than a float32 unit in the last place of 1.
    """
    quadrant = word >> jnp.uint32(30)
    part = ((word & jnp.uint32(0x3FFFFFFF)) >> jnp.uint32(7)).astype(jnp.float32)
    phi = (part + jnp.float32(0.5)) * jnp.float32(math.pi / 2 / 2**23) - jnp.float32(math.pi / 4)
    q = phi * phi
    s = phi * (1.0 + q * (-1 / 6 + q * (1 / 120 + q * (-1 / 5040 + q * (1 / 362880)))))
    c = 1.0 + q * (-1 / 2 + q * (1 / 24 + q * (-1 / 720 + q * (1 / 40320))))
    swap = (quadrant & jnp.uint32(1)) == jnp.uint32(1)
    flip = (quadrant & jnp.uint32(2)) == jnp.uint32(2)
    sign = jnp.where(flip, jnp.float32(-1.0), jnp.float32(1.0))
    return sign * jnp.where(swap, c, s), sign * jnp.where(swap, -s, c)


def host_words(
    key: tuple[np.ndarray, np.ndarray], counter: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Two random words on the host, the same as `threefry2x32` gives, for arrays of any shape that fit each other."""
    k0, k1, c0, c1 = (np.atleast_1d(np.asarray(word, np.uint32)) for word in (*key, *counter))
    schedule = (k0, k1, k0 ^ k1 ^ np.uint32(_PARITY))
    x0, x1 = c0 + k0, c1 + k1
    for r in range(_ROUNDS):
        left = np.uint32(_ROTATIONS[r % 8])
        x0 = x0 + x1
        x1 = ((x1 << left) | (x1 >> np.uint32(32 - left))) ^ x0
        if r % 4 == 3:
            s = r // 4 + 1
            x0 = x0 + schedule[s % 3]
            x1 = x1 + schedule[(s + 1) % 3] + np.uint32(s)
    return x0, x1


def host_keys(
    seed: tuple[np.ndarray, np.ndarray], vesicle: np.ndarray, purpose: Purpose
) -> tuple[np.ndarray, np.ndarray]:
    """The key of each vesicle for one purpose on the host, the same as `vesicle_keys` gives."""
    return host_words(seed, (np.asarray(vesicle, np.uint32), np.full(1, int(purpose), np.uint32)))


def split_seed(seed: int) -> tuple[int, int]:
    """A 64-bit seed as two numbers of 32 bits."""
    return seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF


def seed_words(seed: int) -> UInt32[Array, "2"]:
    """A 64-bit seed as the two key words."""
    return jnp.asarray(split_seed(seed), dtype=jnp.uint32)
