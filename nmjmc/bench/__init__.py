"""Quantal data in, the laboratory's analyses out: what a source holds, and which analyses it allows."""

from nmjmc.bench.read import read as read
from nmjmc.bench.request import Quantal as Quantal
from nmjmc.bench.run import quantal as quantal
