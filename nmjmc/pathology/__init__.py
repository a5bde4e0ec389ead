"""Diseases as changes of a junction; each number with its source, or marked as a choice."""

from nmjmc.pathology.diseases import DISEASES as DISEASES
from nmjmc.pathology.diseases import available_diseases as available_diseases
from nmjmc.pathology.diseases import disease as disease
from nmjmc.pathology.own import read_disease as read_disease
