"""Data sets as a plain mapping describes them (file, kind, how it was recorded), made into terms of a fit."""

from nmjmc.fitting.datasets.read import DataSets as DataSets
from nmjmc.fitting.datasets.read import read_datasets as read_datasets
