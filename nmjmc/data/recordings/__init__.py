"""Data in: recordings, tables of events, waveforms, histograms and published numbers, from their files."""

from nmjmc.data.recordings.events import read_events as read_events
from nmjmc.data.recordings.hdf5 import write_recording as write_recording
from nmjmc.data.recordings.read import read_recording as read_recording
from nmjmc.data.recordings.tables import read_histogram as read_histogram
from nmjmc.data.recordings.tables import read_statistics as read_statistics
from nmjmc.data.recordings.tables import read_waveform as read_waveform
