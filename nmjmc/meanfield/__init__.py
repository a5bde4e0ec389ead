"""The deterministic twin of the particle kernel: reaction and diffusion of one quantum, differentiable.

`spectral` one-dimensional operators, `lateral` the plane, `membrane` the sites, `column` one step across
the cleft, `release` the vesicle, `march` the time loop, `problem` from a `Synapse`, `solve` the door.
"""

from nmjmc.meanfield.grid import Grid as Grid
from nmjmc.meanfield.solve import MeanField as MeanField
from nmjmc.meanfield.solve import solve as solve
