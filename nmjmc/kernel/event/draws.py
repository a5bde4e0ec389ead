"""Random numbers of the event kernel: Threefry-2x32 with 13 rounds, as in `nmjmc.kernel.physics.random`, on the device.

A draw is a pure function of (seed, patch, purpose) in the key and (slot of the entry, number of its draw) in the
counter. An entry keeps its count of draws when its slot passes to another molecule or clock, so that no two draws of
a patch can share a counter.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.language import no_type_check


@wp.func
@no_type_check
def mix(x0: wp.uint32, x1: wp.uint32, left: wp.uint32):
    """One round: add, rotate left, exclusive or."""
    y0 = x0 + x1
    return y0, ((x1 << left) | (x1 >> (wp.uint32(32) - left))) ^ y0


@wp.func
@no_type_check
def threefry(k0: wp.uint32, k1: wp.uint32, c0: wp.uint32, c1: wp.uint32):
    """Two random words from a key and a counter of two words each (Salmon et al. 2011)."""
    k2 = k0 ^ k1 ^ wp.uint32(0x1BD11BDA)
    a = c0 + k0
    b = c1 + k1
    a, b = mix(a, b, wp.uint32(13))
    a, b = mix(a, b, wp.uint32(15))
    a, b = mix(a, b, wp.uint32(26))
    a, b = mix(a, b, wp.uint32(6))
    a = a + k1
    b = b + k2 + wp.uint32(1)
    a, b = mix(a, b, wp.uint32(17))
    a, b = mix(a, b, wp.uint32(29))
    a, b = mix(a, b, wp.uint32(16))
    a, b = mix(a, b, wp.uint32(24))
    a = a + k2
    b = b + k0 + wp.uint32(2)
    a, b = mix(a, b, wp.uint32(13))
    a, b = mix(a, b, wp.uint32(15))
    a, b = mix(a, b, wp.uint32(26))
    a, b = mix(a, b, wp.uint32(6))
    a = a + k0
    b = b + k1 + wp.uint32(3)
    a, b = mix(a, b, wp.uint32(17))
    return a, b


@wp.func
@no_type_check
def uniform(word: wp.uint32):
    """Uniform on the open interval (0, 1): 23 bits, centred in their cells; the low 9 bits stay unused."""
    return (wp.float32(word >> wp.uint32(9)) + wp.float32(0.5)) * wp.float32(1.1920928955078125e-07)


@wp.func
@no_type_check
def exponential(word: wp.uint32):
    """Standard exponential, by inversion."""
    return -wp.log(uniform(word))


@wp.func
@no_type_check
def sincos_turn(word: wp.uint32):
    """Sine and cosine of a uniform angle, by quadrant and Taylor series on |phi| <= pi/4 (remainder below 4e-8)."""
    quadrant = word >> wp.uint32(30)
    part = wp.float32((word & wp.uint32(0x3FFFFFFF)) >> wp.uint32(7))
    phi = (part + wp.float32(0.5)) * wp.float32(1.8725351414619535e-07) - wp.float32(0.7853981633974483)
    q = phi * phi
    s = phi * (
        wp.float32(1.0)
        + q
        * (
            wp.float32(-0.16666666666666666)
            + q
            * (
                wp.float32(0.008333333333333333)
                + q * (wp.float32(-0.0001984126984126984) + q * wp.float32(2.7557319223985893e-06))
            )
        )
    )
    c = wp.float32(1.0) + q * (
        wp.float32(-0.5)
        + q
        * (
            wp.float32(0.041666666666666664)
            + q * (wp.float32(-0.001388888888888889) + q * wp.float32(2.48015873015873e-05))
        )
    )
    sine = wp.where((quadrant & wp.uint32(1)) != wp.uint32(0), c, s)
    cosine = wp.where((quadrant & wp.uint32(1)) != wp.uint32(0), -s, c)
    sign = wp.where((quadrant & wp.uint32(2)) != wp.uint32(0), wp.float32(-1.0), wp.float32(1.0))
    return sign * sine, sign * cosine
