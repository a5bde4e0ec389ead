"""What can be done with a file that was read, each as the command that does it or a sentence of what is missing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import numpy as np

from nmjmc.analysis.observations import EventTable
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.stimuli import Stimuli
from nmjmc.data.recordings.lists import as_list
from nmjmc.data.recordings.text import Columns

_LONG = 1000.0  # ms of record from which on miniatures may be searched (a choice)
_FREE = "fit.free=[receptor.closing_rate,vesicle.content_mean]"


def uses_of(
    data: Recording | EventTable | Columns, stimuli: Stimuli, name: str, said: Mapping[str, object]
) -> tuple[str, ...]:
    """What can be done with it.

    Args:
        data: What was read.
        stimuli: Of a recording.
        name: Of the file.
        said: What was told of it, by word: the commands say it again, or they would read the file as it is.
    """
    return tuple(_said_again(sentence, name, said) for sentence in _uses(data, stimuli, name))


def _said_again(sentence: str, name: str, said: Mapping[str, object]) -> str:
    """A sentence whose commands have the words by which the file was put right."""
    words = {
        key: _value(value) for key, value in said.items() if value is not None and f" {key}=" not in sentence
    }
    quantal = "".join(f" {shlex.quote(f'{key}={value}')}" for key, value in words.items())
    fit = "".join(
        f" {shlex.quote(f'data.{key}={value}')}" for key, value in words.items() if key != "baseline"
    )
    return sentence.replace(f"nmjmc quantal {name}", f"nmjmc quantal {shlex.quote(name)}{quantal}").replace(
        f"nmjmc fit data={name}", f"nmjmc fit {shlex.quote(f'data={name}')}{fit}"
    )


def _value(value: object) -> str:
    return f"[{', '.join(str(part) for part in value)}]" if isinstance(value, list | tuple) else str(value)


def _uses(data: Recording | EventTable | Columns, stimuli: Stimuli, name: str) -> list[str]:
    if isinstance(data, Recording):
        return _of_recording(data, stimuli, name)
    if isinstance(data, EventTable):
        found = [f"amplitudes, intervals and rates of miniatures: nmjmc quantal {name}"]
        if data.unit == "nA" and {"rise", "rise_10_90", "decay"} & set(data.columns):
            found.append(
                f"fit of quantal content and its spread: nmjmc fit data={name} fit.free=[vesicle.content_mean]"
            )
        return found
    return _of_table(data, name)


def _of_recording(data: Recording, stimuli: Stimuli, name: str) -> list[str]:
    found = []
    if len(stimuli):
        trials = data.sweeps if data.sweeps > 1 else "its"
        found.append(
            f"amplitude, latency and failures of {trials} trials, quantal content, trains: nmjmc quantal {name} "
            "quanta=MINIATURES"
        )
        found.append(f"miniatures away from the stimuli: nmjmc quantal {name} kind=miniatures")
    else:
        if data.duration >= _LONG:
            found.append(f"miniatures: nmjmc quantal {name}")
        found.append(f'responses, if stimuli are told: nmjmc quantal {name} stimuli="[10 ms]"')
    if data.unit != "nA":
        found.append(
            "no fit of a waveform, as potentials are compared through their amplitudes: kind=amplitudes"
        )
    elif data.duration >= _LONG and not len(stimuli):
        found.append(
            f'fit of the receptor and the quantum: nmjmc fit data={name} data.bandwidth="5 kHz" {_FREE}'
        )
        if not np.isfinite(data.holding_potential):
            found.append("a fit needs the holding potential: holding_potential='-70 mV'")
    return found


def _of_table(data: Columns, name: str) -> list[str]:
    if as_list(data) is not None:
        return [
            f"a list of amplitudes: nmjmc quantal {name} kind=miniatures, or kind=evoked with failures as zero",
            f"a list of intervals: nmjmc quantal {name} kind=intervals unit=s",
        ]
    found = [f"amplitudes, a column a stimulus: nmjmc quantal {name} kind=evoked"]
    if any("bin" in heading or "count" in heading or "freq" in heading for heading in data.names):
        found = [f"a histogram of amplitudes: nmjmc fit data={name} data.kind=histogram"]
    return [*found, "samples, if the step of their times is told: sampling_interval='0.05 ms'"]
