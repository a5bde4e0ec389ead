"""Fits of a synapse's parameters to quantal data, with their uncertainty; the only folder that knows optax."""

from nmjmc.fitting.average_term import AverageTerm as AverageTerm
from nmjmc.fitting.counts_term import CountsTerm as CountsTerm
from nmjmc.fitting.datasets import read_datasets as read_datasets
from nmjmc.fitting.estimators import ESTIMATORS as ESTIMATORS
from nmjmc.fitting.estimators import CommonRandomNumbersEstimator as CommonRandomNumbersEstimator
from nmjmc.fitting.estimators import CorrectedEstimator as CorrectedEstimator
from nmjmc.fitting.estimators import MeanFieldEstimator as MeanFieldEstimator
from nmjmc.fitting.estimators import ScoreFunctionEstimator as ScoreFunctionEstimator
from nmjmc.fitting.fit import fit as fit
from nmjmc.fitting.fit import plan_of as plan_of
from nmjmc.fitting.histogram_term import HistogramTerm as HistogramTerm
from nmjmc.fitting.plan import FitPlan as FitPlan
from nmjmc.fitting.quanta import COARSE as COARSE
from nmjmc.fitting.quanta import Condition as Condition
from nmjmc.fitting.request import FitRequest as FitRequest
from nmjmc.fitting.terms import StatisticsTerm as StatisticsTerm
from nmjmc.fitting.waveform_term import WaveformTerm as WaveformTerm
