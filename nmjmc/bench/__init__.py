"""Quantal data in, the laboratory's analyses out: what a source holds, and which analyses it allows."""

from nmjmc.bench.quantal import quantal as quantal
from nmjmc.bench.request import Quantal as Quantal
