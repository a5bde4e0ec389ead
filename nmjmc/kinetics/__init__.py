"""Kinetic schemes as data, their Q matrix and their exact closed forms."""

from nmjmc.kinetics.scheme import Scheme as Scheme
from nmjmc.kinetics.scheme import Transition as Transition
from nmjmc.kinetics.schemes import available_schemes as available_schemes
from nmjmc.kinetics.schemes import is_shipped as is_shipped
from nmjmc.kinetics.schemes import load_scheme as load_scheme
from nmjmc.kinetics.schemes import scheme_to_mapping as scheme_to_mapping
