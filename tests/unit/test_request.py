"""Requests: a setting is told once; checks, help, config text and digests follow from it."""

from dataclasses import dataclass, replace

import pytest
import yaml

from nmjmc import internal
from nmjmc.carried import Number
from nmjmc.errors import ValidationError
from nmjmc.request import (
    Request,
    choice,
    config_text,
    defaults,
    digest,
    flag,
    idle,
    other,
    progress_field,
    quantity,
    usage,
    whole,
)

pytestmark = pytest.mark.unit


def _pair(value, field):
    if not isinstance(value, list) or len(value) != 2:
        raise ValidationError(field, repr(value), "a pair")
    return list(value)


@dataclass(frozen=True)
class Train(Request):
    frequency: Number = quantity("3 Hz", "rate of the train", unit="Hz", above=0)
    exercise: Number | None = quantity(
        None, "contraction before", unit="s", above=0, most="60 s", optional=True
    )
    stimuli: int = whole(10, "number of stimuli", 1, 1000)
    level: float = quantity(0.95, "of the intervals", least=0.5, below=1)
    muscle: str = choice("biceps", "which muscle", ("biceps", "soleus"))
    window: list = other([0, 1], "first and last", _pair)
    device: str = choice("auto", "where it runs", ("auto", "cpu", "gpu"), idle=True)
    is_quiet: bool = flag(False, "say nothing", idle=True)
    progress: bool | str = progress_field()

    def check(self):
        if self.muscle == "soleus" and self.stimuli > 100:
            raise ValidationError("stimuli", self.stimuli, "at most 100 for the soleus")


def test_values_have_one_form_and_give_themselves_again():
    found = Train.of({"frequency": 20, "exercise": "1 min", "stimuli": "1e2"})
    assert (found.frequency, found.exercise, found.stimuli) == ("20 Hz", "60 s", 100)
    assert found.amount("frequency") == 0.02 and found.amount("exercise") == 60_000.0
    assert replace(found) == found == Train.of(found.plain())
    assert Train(frequency=internal(0.02)) == Train(frequency=20)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"stimuli": 0}, "stimuli must be a whole number from 1 to 1000, but is 0."),
        ({"frequency": "0 Hz"}, "frequency must be above 0, but is 0 Hz."),
        ({"exercise": "61 s"}, "exercise must be at most 60 s and above 0, but is 61 s."),
        ({"level": 1}, "level must be at least 0.5 and below 1, but is 1."),
        ({"frequency": "3 mV"}, "frequency"),
        ({"muscle": "bicep"}, "did you mean biceps?"),
        ({"is_quiet": "yes"}, "is_quiet must be true or false"),
        ({"progress": "aut"}, "did you mean auto?"),
        ({"window": [1]}, "window must be a pair"),
        ({"stimulus": 4}, "did you mean stimuli?"),
        ({"stimuli": None}, "stimuli"),
        ({"muscle": "soleus", "stimuli": 200}, "at most 100 for the soleus"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(given, sentence):
    with pytest.raises(ValidationError) as caught:
        Train.of(given)
    assert sentence in str(caught.value)


def test_a_default_that_can_be_changed_is_each_ones_own():
    first = Train()
    first.window.append(3)
    assert Train().window == [0, 1]


def test_help_and_config_text_tell_every_setting():
    lines = usage(Train).splitlines()
    assert lines[0].split() == ['frequency="3', 'Hz"', "rate", "of", "the", "train", "(above", "0)"]
    assert len(lines) == 9
    assert Train.of(yaml.safe_load(config_text(Train))) == Train()
    left = [name for name in defaults(Train) if name != "muscle"]
    assert config_text(Train, without=left) == "muscle: biceps  # which muscle\n"
    assert usage(Train, without=left).strip() == "muscle=biceps  which muscle (biceps, soleus)"


def test_a_digest_knows_no_idle_setting():
    assert idle(Train) == ("device", "is_quiet", "progress")
    same = Train(device="cpu", frequency="0.003 kHz")
    assert digest(same.decisive()) == digest(Train().decisive()) != digest(Train(stimuli=11).decisive())


def test_a_prefix_stands_in_messages_and_help():
    @dataclass(frozen=True)
    class Fit(Request):
        PREFIX = "fit"
        steps: int = whole(60, "at most", 1, 1000)

    with pytest.raises(ValidationError, match=r"fit\.steps must be"):
        Fit(steps=-1)
    with pytest.raises(ValidationError, match=r"did you mean fit\.steps"):
        Fit.of({"step": 3})
    assert usage(Fit).strip().startswith("fit.steps=60")
