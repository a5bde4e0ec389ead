"""Values of the wrong type at the library's doors: one sentence, and never a traceback or a value that is passed over.

The suite checks types as it runs, and would refuse such calls before the library does: they are made in a process of
their own, as a user makes them.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
RESULT = Path(__file__).parents[1] / "files" / "result_v1.h5"
SCRIPT = """
import json, sys
import numpy as np
import nmjmc
from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings import read_recording

open("good.csv", "w").write("time (ms),current (nA)\\n" + "".join(f"{i / 10},{-(i % 5)}.5\\n" for i in range(100)))
human, trace = nmjmc.preparation("human"), np.zeros((2, 50))
said, found = {"a": {"values": {"decay_time": {"value": "1.5 ms", "error": "0.1 ms"}}}}, nmjmc.load(sys.argv[1])
free = ["receptor.closing_rate"]
ESTERASE = {"states": ["E"], "resting": "E", "transitions": []}
VALUES = (None, [], {}, object(), 3, 1j, b"x", np.ones(2), np.array("x"), range(3), {"a": 1}, len)
DOORS = {
    "build": nmjmc.build,
    "preparation": nmjmc.preparation,
    "drug": lambda v: nmjmc.drug(v, "1 uM"),
    "disease": lambda v: nmjmc.disease(v, 0.5),
    "replace": lambda v: isinstance(v, int) or nmjmc.replace(human, "receptor.density", v),
    "load": nmjmc.load,
    "load_fit": nmjmc.load_fit,
    "unit": lambda v: v is None or read_recording("good.csv", unit=v),
    "format": lambda v: v is None or read_recording("good.csv", format=v),
    "polarity": lambda v: v is None or read_recording("good.csv", polarity=v),
    "describe": nmjmc.describe,
    "paths": nmjmc.paths,
    "get": lambda v: nmjmc.get(v, "receptor.density"),
    "subject": lambda v: nmjmc.replace(v, "receptor.density", 3000),
    "temperature of a subject": lambda v: nmjmc.replace(v, "temperature", 30),
    "a change": lambda v: callable(v) or human.with_(v),
    "changes": lambda v: callable(v) or nmjmc.junction("human").with_(v),
    "composed": lambda v: callable(v) or nmjmc.compose(v)(human),
    "points": lambda v: isinstance(v, list) or list(nmjmc.simulate_many(v)),
    "file of a synapse": human.save,
    "figure": lambda v: v is None or found.plot(v),
    "synapse of data": lambda v: nmjmc.read_datasets(said, v),
    "folder of data": lambda v: isinstance(v, (list, dict)) or v is None or nmjmc.read_datasets(said, human, v),
    "request of a fit": lambda v: v is None or nmjmc.fit(human, said, free, request=v),
    "folder of a fit": lambda v: v is None or nmjmc.fit(human, said, free, folder=v),
    "state of a fit": lambda v: v is None or nmjmc.fit(human, said, free, checkpoint=v),
    "steps of a fit": lambda v: v is None or callable(v) or nmjmc.fit(human, said, free, on_step=v),
    "polarity of a trace": lambda v: v is None or nmjmc.measure(np.arange(5.0), np.arange(5.0), polarity=v),
    "Q10s of a scheme": lambda v: v is None or isinstance(v, (list, dict)) or nmjmc.load_scheme({**ESTERASE, "q10": v}),
    "unit of a recording": lambda v: Recording(trace, sampling_interval=0.1, unit=v),
}
wrong = []
for name, door in DOORS.items():
    for value in VALUES:
        try:
            if door(value) is not True:
                wrong.append(f"{name} takes {value!r}")
        except nmjmc.ValidationError as error:
            if len(str(error).splitlines()) != 1:
                wrong.append(f"{name}, {value!r}: {error}")
        except Exception as error:
            wrong.append(f"{name}, {value!r}: {type(error).__name__} {error}")
# text is text, NumPy's too
assert nmjmc.preparation(np.str_("human")).name == "human"
assert nmjmc.replace(human, np.str_("receptor.density"), np.str_("3000 /um^2")).receptor.density == 3000
assert read_recording("good.csv", unit=np.str_("pA"), format=np.str_("csv")).unit == "nA"
assert nmjmc.drug(np.str_("pyridostigmine"), np.str_("1 uM")) and nmjmc.load_scheme(np.str_("two_site_sequential"))
assert Recording(trace, sampling_interval=0.1, unit=np.str_("mV")).unit == "mV"
assert nmjmc.simulate(nmjmc.preparation("slab"), 1, 1, duration=np.str_("2 us"), record_interval=np.str_("1 us"),
                      device=np.str_("cpu"), numerics={"executor": np.str_("auto")}).vesicles == 1
json.dump(wrong, sys.stdout)
"""


def test_every_door_refuses_wrong_types_in_a_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(RESULT)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []
