"""Published figures as data: typed in, each with its citation and the mark of how it is known."""

from nmjmc.data.published.load import available as available
from nmjmc.data.published.load import histogram as histogram
from nmjmc.data.published.load import pairs as pairs
from nmjmc.data.published.load import statistics as statistics
