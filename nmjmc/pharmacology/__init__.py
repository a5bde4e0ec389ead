"""Drugs as changes of a junction; each number with its source, or marked as a choice."""

from nmjmc.pharmacology.drugs import DRUGS as DRUGS
from nmjmc.pharmacology.drugs import WITH_EXPOSURE as WITH_EXPOSURE
from nmjmc.pharmacology.drugs import available_drugs as available_drugs
from nmjmc.pharmacology.drugs import drug as drug
from nmjmc.pharmacology.own import read_drug as read_drug
