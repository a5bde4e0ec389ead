"""The parts of a synapse as parameters, and the synapse that they make."""

from nmjmc.synapse.build import build as build
from nmjmc.synapse.build import describe as describe
from nmjmc.synapse.cleft import Cleft as Cleft
from nmjmc.synapse.cleft import Disc as Disc
from nmjmc.synapse.cleft import Folded as Folded
from nmjmc.synapse.cleft import Slab as Slab
from nmjmc.synapse.esterase import Esterase as Esterase
from nmjmc.synapse.fibre import Fibre as Fibre
from nmjmc.synapse.model import Synapse as Synapse
from nmjmc.synapse.modifier import Modifier as Modifier
from nmjmc.synapse.modifier import compose as compose
from nmjmc.synapse.modifier import get as get
from nmjmc.synapse.modifier import paths as paths
from nmjmc.synapse.modifier import replace as replace
from nmjmc.synapse.modifier import scale as scale
from nmjmc.synapse.presets import available_preparations as available_preparations
from nmjmc.synapse.presets import preparation as preparation
from nmjmc.synapse.receptor import Receptor as Receptor
from nmjmc.synapse.vesicle import Vesicle as Vesicle
