"""The exact closed forms of a kinetic scheme, in one place."""

from nmjmc.kinetics.burst import Burst as Burst
from nmjmc.kinetics.burst import burst as burst
from nmjmc.kinetics.chain import cycle_imbalance as cycle_imbalance
from nmjmc.kinetics.chain import dwell_times as dwell_times
from nmjmc.kinetics.chain import equilibrium as equilibrium
from nmjmc.kinetics.chain import first_passage as first_passage
from nmjmc.kinetics.chain import generator as generator
from nmjmc.kinetics.chain import relaxation as relaxation
from nmjmc.kinetics.dose import ec50 as ec50
from nmjmc.kinetics.dose import hill_slope as hill_slope
from nmjmc.kinetics.dose import michaelis_menten as michaelis_menten
from nmjmc.kinetics.dose import occupancy as occupancy
from nmjmc.kinetics.dose import p_open as p_open
from nmjmc.kinetics.dose import p_open_max as p_open_max
from nmjmc.kinetics.dose import turnover as turnover
