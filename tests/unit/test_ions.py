"""What carries the receptor's current: the split by constant-field theory, and currents under voltage clamp."""

import equinox as eqx
import numpy as np
import pytest

import nmjmc
from nmjmc.diagnostics import clamp
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import INTERVAL, Bank
from nmjmc.junction.whole import human
from nmjmc.synapse import build, describe, preparation, replace
from nmjmc.synapse.ions import GAS, Ions, driving_forces, potassium_permeability, reversal_potential
from nmjmc.synapse.presets import available_preparations
from tests.records import formula_result

pytestmark = pytest.mark.unit
VOLTAGES = np.linspace(-120.0, 80.0, 41)


@pytest.mark.parametrize("reversal", [-15.0, -5.0, 0.0, 3.0])
@pytest.mark.parametrize("temperature", [22.0, 37.0])
def test_the_ions_add_up_to_the_total_at_every_potential(reversal, temperature):
    found = driving_forces(Ions(), reversal, VOLTAGES, temperature)
    np.testing.assert_allclose(sum(found), VOLTAGES - reversal, atol=1e-5)
    for at in (reversal, reversal + 1e-9):
        assert float(sum(driving_forces(Ions(), reversal, at, temperature))) == pytest.approx(0, abs=1e-5)


def test_each_ion_turns_at_its_own_equilibrium_potential():
    ions, thermal = Ions(), GAS * 310.15
    for z, inside, outside, index in (
        (1, ions.sodium_inside, ions.sodium_outside, 0), (1, ions.potassium_inside, ions.potassium_outside, 1),
        (2, ions.calcium_inside, ions.calcium_outside, 2),
    ):  # fmt: skip
        own = thermal / z * np.log(float(outside) / float(inside))
        low, high = (float(driving_forces(ions, 0.0, own + step, 37.0)[index]) for step in (-1e-3, 1e-3))
        assert low < 0 < high
        assert float(driving_forces(ions, 0.0, own, 37.0)[index]) == pytest.approx(0, abs=1e-6)


def test_without_calcium_the_reversal_is_the_voltage_equation():
    bare = Ions(calcium_permeability=0.0)
    p = 1.11
    closed = GAS * 295.15 * np.log((138.3 + p * 4.5) / (6.9 + p * 151.9))
    assert reversal_potential(bare, p, 22.0) == pytest.approx(closed, abs=1e-6)
    assert potassium_permeability(bare, closed, 22.0) == pytest.approx(p, rel=1e-6)


def test_calcium_carries_what_was_measured():
    """7.7 to 7.9 % at -70 mV and 2 mM: 11.8 % over 1.5, 15.4 % over 2 (Di Castro et al. 2007)."""
    share = float(driving_forces(Ions(), 0.0, -70.0, 22.0).calcium) / -70.0
    assert share == pytest.approx(0.078, abs=0.002)
    more = float(driving_forces(Ions(calcium_permeability=3.0), 0.0, -70.0, 22.0).calcium) / -70.0
    assert 1.7 < more / share < 2.0


def test_a_permeability_that_contradicts_the_reversal_is_refused():
    synapse = preparation("human")
    with pytest.raises(ValidationError, match=r'receptor.reversal_potential="-4.0 mV"'):
        replace(synapse, "ions.potassium_permeability", 1.11)
    agreed = replace(synapse, "receptor.reversal_potential", "-4 mV")
    assert float(replace(agreed, "ions.potassium_permeability", 1.11).ions.potassium_permeability) == 1.11
    with pytest.raises(ValidationError, match=r"ions.sodium_outside.*mM"):
        replace(synapse, "ions.sodium_outside", "-3 mM")


def test_ions_may_be_left_out_and_travel():
    described = describe(preparation("lizard"))
    assert described["ions"]["sodium_outside"] == "115 mM"
    assert eqx.tree_equal(build(described), preparation("lizard"))
    del described["ions"]
    assert float(build(described).ions.sodium_outside) == pytest.approx(138.3e3)
    with pytest.raises(ValidationError, match=r"ions.sodium_outside"):
        build({**described, "ions": {"sodium_outsid": "3 mM"}})


@pytest.mark.parametrize("name", available_preparations())
def test_every_preparation_has_a_split(name):
    s = preparation(name)
    found = driving_forces(s.ions, s.receptor.reversal_potential, s.fibre.holding_potential, s.temperature)
    assert found.sodium < 0 < found.potassium and found.calcium < 0


def test_a_result_holds_the_split(tmp_path):
    result = formula_result()
    parts = (result.current_na, result.current_k, result.current_ca)
    np.testing.assert_allclose(sum(parts), result.current, atol=1e-6 * np.abs(result.current).max())
    again = nmjmc.load(result.save(tmp_path / "result.h5"))
    np.testing.assert_array_equal(again.current_ca, result.current_ca)
    data = result.to_xarray()
    assert data["current_ca"].attrs["units"] == "nA" and float(data["current_ca"].min()) < 0


def junction_and_bank(**changes):
    junction = human()
    for path, value in changes.items():
        junction = eqx.tree_at(
            lambda j: j.synapse, junction, replace(junction.synapse, path.replace("__", "."), value)
        )
    time = np.arange(300) * INTERVAL
    shape = np.exp(-time / 0.8) - np.exp(-time / 0.05)
    sizes = np.array([0.06, 0.07, 0.08, 0.09])[:, None]
    return junction, Bank((sizes * shape).astype(np.float32), INTERVAL, junction.synapse, 0)


def test_an_evoked_current_is_its_quanta_under_clamp():
    junction, bank = junction_and_bank()
    found = clamp.evoked_currents(junction, "3 Hz", 2, 6, 0, bank)
    told = clamp.epc_finding(found)
    total = told["current_na"] + told["current_k"] + told["current_ca"]
    np.testing.assert_allclose(total, told["current"], atol=1e-3)
    # each quantum's own charge, times the content, but for how the quanta differ
    one = np.trapezoid(bank.conductance, dx=INTERVAL, axis=1).mean() * 80
    charge = told.row("charge, first stimulus").value
    assert charge == pytest.approx(one * found.quanta[:, 0].mean(), rel=0.15)
    by_ion = sum(told.row(f"charge of {ion}").value for ion in ("sodium", "potassium", "calcium"))
    assert -by_ion == pytest.approx(charge, rel=1e-3)
    assert told.meaning.startswith("Held at -80 mV, the endplate current peaks at")


def test_miniatures_are_the_quanta_and_turn_beyond_the_reversal():
    junction, bank = junction_and_bank()
    inward = clamp.mepc_finding(clamp.miniature_currents(junction, bank))
    assert inward["current"].min() < 0 and inward.row("rate of miniatures").value == pytest.approx(0.2)
    assert inward.row("amplitude").value == pytest.approx(80 * bank.peak, rel=1e-4)
    junction, bank = junction_and_bank(fibre__holding_potential="40 mV")
    outward = clamp.mepc_finding(clamp.miniature_currents(junction, bank))
    assert outward["current"].min() >= 0 and outward.row("amplitude").value == pytest.approx(
        40 * bank.peak, rel=1e-4
    )


def test_a_clamp_at_the_reversal_potential_is_refused():
    junction, bank = junction_and_bank(fibre__holding_potential="0 mV")
    with pytest.raises(ValidationError, match=r"fibre.holding_potential.*away from"):
        clamp.miniature_currents(junction, bank)
    junction, bank = junction_and_bank(receptor__reversal_potential="90 mV")
    with pytest.raises(ValidationError, match="split by ion"):
        clamp.evoked_currents(junction, bank=bank)
