"""Sweeps by Optuna: one study for several workers, and for those that were killed."""

import subprocess

import pytest

from nmjmc.cli.main import main
from nmjmc.data.sweep import DONE, FAILED, Sweep
from nmjmc.errors import SimulationError, Status
from nmjmc.sweeps.objective import loss
from tests.records import formula_many, formula_result, formula_run
from tests.system.test_sweep import run_script

optuna = pytest.importorskip("optuna")
pytestmark = pytest.mark.system
WORDS = ["receptor.density=interval(2000 /um^2, 9000 /um^2)", "vesicles=2", "duration=1 ms", "folder=s",
         "objective=amplitude", "target=3 nA", "points=7", "together=2"]  # fmt: skip


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, tmp_path):
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    monkeypatch.setattr("nmjmc.kernel.many.run_many", formula_many)
    monkeypatch.chdir(tmp_path)


def trials():
    from nmjmc.sweeps.study import _study

    return _study(Sweep.open("s")).get_trials()


def test_every_trial_has_its_record_and_its_value(capsys):
    assert main(["sweep", *WORDS]) == 0
    best = min(trials(), key=lambda trial: trial.value)
    (told,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("best: ")]
    density = Sweep.open("s").read(best.number, DONE)["values"]["receptor.density"]
    assert (
        told.startswith(f"best: point {best.number}, amplitude = ") and f"receptor.density={density}" in told
    )
    assert " nA (standard error " in told and told.endswith(f"s/results/{best.number:06d}.h5")
    sweep, found = Sweep.open("s"), trials()
    assert sweep.states() == dict.fromkeys(range(7), DONE) and len(found) == 7
    for trial in found:
        record = sweep.read(trial.number, DONE)
        assert trial.state.name == "COMPLETE"
        assert trial.value == loss(sweep.definition["request"], record["summary"])
        density = float(record["values"]["receptor.density"].split()[0])
        assert density == pytest.approx(trial.params["receptor.density"], rel=1e-5)
    assert len({trial.params["receptor.density"] for trial in found}) == 7


def test_interrupted_trials_are_run_again_to_the_end(monkeypatch):
    calls = []

    def ends(synapse, **arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", ends)
    assert main(["sweep", *WORDS]) == 130
    assert sum(trial.state.name == "RUNNING" for trial in trials()) == 1
    assert main(["sweep", "resume=s", "together=2"]) == 0 and len(calls) == 8
    assert [trial.state.name for trial in trials()] == ["COMPLETE"] * 7


def test_a_failed_trial_is_told(monkeypatch):
    def fails(synapse, **arguments):
        if float(synapse.receptor.density) > 5000:
            raise SimulationError(Status.NON_FINITE)
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", fails)
    assert main(["sweep", *WORDS]) == 1
    states = Sweep.open("s").states()
    assert set(states.values()) == {DONE, FAILED}
    assert all((t.state.name == "FAIL") == (states[t.number] == FAILED) for t in trials())


def test_the_loss_is_the_squared_relative_distance():
    summary = formula_result().summary()
    amplitude = summary["features"]["amplitude"]["mean"]
    request = {"objective": "amplitude", "target": "2000 pA"}
    assert loss(request, summary) == pytest.approx((amplitude / 2.0 - 1) ** 2)
    assert loss({"objective": "amplitude", "target": None}, summary) == amplitude


def test_two_workers_share_one_study(tmp_path):
    """A point whose claim is free may be told by its own process and by the other at once: the telling is slow."""
    body = f"""
        from optuna.storages import JournalStorage

        tells = JournalStorage.set_trial_state_values

        def slowly(*arguments, **more):
            time.sleep(0.1)
            return tells(*arguments, **more)

        JournalStorage.set_trial_state_values = slowly
        sys.exit(main({["sweep", *WORDS, "device=cpu"]!r}))
    """
    pair = [run_script(body, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate(timeout=300)[1] for process in pair] == ["", ""]
    found = trials()
    assert [trial.state.name for trial in found] == ["COMPLETE"] * 7
    assert len({trial.params["receptor.density"] for trial in found}) == 7
    assert Sweep.open("s").states() == dict.fromkeys(range(7), DONE)
