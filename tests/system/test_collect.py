"""One table of a sweep, half-finished or whole, and its pictures."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import xarray

import nmjmc
from nmjmc.cli.collect import ranges
from nmjmc.cli.main import main
from nmjmc.data.sweep import DONE, Sweep
from nmjmc.errors import SimulationError, Status
from nmjmc.sweeps.gather import gather
from nmjmc.viz import hill
from tests.records import formula_run, stand_in_for_the_kernel

pytestmark = pytest.mark.system
WORDS = ["receptor.density=3000 /um^2,0.005 /nm^2,7000 /um^2", "temperature=22,303.15 K", "vesicles=3",
         "duration=6 ms", "folder=s"]  # fmt: skip


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, tmp_path):
    stand_in_for_the_kernel(monkeypatch, tmp_path)


@pytest.fixture
def half_finished(monkeypatch):
    """Six points: 4 done, one failed, one missing."""

    def fails(synapse, **arguments):
        if float(synapse.receptor.density) == 7000 and float(synapse.temperature) == 22:
            raise SimulationError(Status.NON_FINITE)
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", fails)
    main(["sweep", *WORDS])
    os.unlink("s/points/000001.done.json")


def test_the_dataset_has_parameters_as_coordinates_and_standard_errors(half_finished, capsys):
    assert main(["collect", "s"]) == 0
    assert "4 of 6 points are done" in capsys.readouterr().out
    sweep = Sweep.open("s")
    with xarray.open_dataset("s/sweep.nc", engine="h5netcdf") as data:
        assert dict(data.sizes) == {"point": 6}
        assert data["receptor.density"].attrs["units"] == "/um^2" and "receptor.density" in data.coords
        np.testing.assert_array_equal(data["receptor.density"], [3000, 3000, 5000, 5000, 7000, 7000])
        np.testing.assert_allclose(data["temperature"], [22, 30] * 3, rtol=1e-14)
        assert data["status"].values.tolist() == [1, 0, 1, 1, 2, 1]
        assert data["status"].attrs["flag_meanings"] == "missing done failed"
        assert "NaN" in str(data["error"].values[4]) and str(data["error"].values[0]) == ""
        for index in (0, 2, 3, 5):
            result = nmjmc.load(sweep.result_path(index))
            amplitude = result.waveform.amplitude
            assert float(data["amplitude"][index]) == pytest.approx(float(amplitude.mean()))
            assert float(data["amplitude_se"][index]) == pytest.approx(
                float(amplitude.std(ddof=1) / np.sqrt(3))
            )
            assert int(data["seed"][index]) == result.seed
        assert np.isnan(data["amplitude"].values[[1, 4]]).all()
        assert json.loads(data.attrs["sweep"])["request"]["sampler"] == "grid"
        table = data.set_index(point=["receptor.density", "temperature"]).unstack()
        assert table["amplitude"].shape == (3, 2)


def test_the_csv_has_units_and_empty_cells(half_finished):
    main(["collect", "s", "out=elsewhere/table.nc"])
    with Path("elsewhere/table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done", "missing", "done", "done", "failed", "done"]
    assert rows[2]["receptor.density [/um^2]"] == "5000" and rows[1]["amplitude [nA]"] == ""
    table = gather("s")
    assert float(rows[5]["decay_time_se [ms]"]) == pytest.approx(table.features["decay_time"][1, 5], rel=1e-6)


def test_a_sweep_of_150_points_comes_back_number_for_number():
    words = ["esterase.density=logspace(10, 3000, 50)", "receptor.scheme=two_site_sequential", "seed=1,2,3"]
    assert main(["sweep", *words, "vesicles=2", "duration=0.5 ms", "folder=s", "results=false"]) == 0
    main(["collect", "s"])
    sweep = Sweep.open("s")
    with xarray.open_dataset("s/sweep.nc", engine="h5netcdf") as data:
        assert data.sizes["point"] == 150
        for index in range(150):
            record = sweep.read(index, DONE)
            assert float(record["values"]["esterase.density"].split()[0]) == float(
                data["esterase.density"][index]
            )
            assert record["summary"]["features"]["charge"]["mean"] == float(data["charge"][index])
            assert record["seed"] == int(data["seed"][index])


def test_words_are_coordinates_too():
    main(["sweep", "preparation=human,slab", "vesicles=1", "duration=1 ms", "folder=s"])
    main(["collect", "s"])
    with xarray.open_dataset("s/sweep.nc", engine="h5netcdf") as data:
        assert data["preparation"].values.tolist() == ["human", "slab"]


def test_the_runs_of_minus_m_are_collected_too():
    words = ["receptor.density=3000 /um^2,5000 /um^2", "vesicles=2", "duration=1 ms", "-m"]
    assert main(["simulate", *words]) == 0
    table = gather("outputs/sweep-human")
    assert [parameter.name for parameter in table.parameters] == ["receptor.density"]
    assert sorted(table.parameters[0].values) == [3000, 5000] and table.where("done") == [0, 1]


@pytest.mark.parametrize(
    "more", [[], ["kind=line"], ["kind=map", "feature=charge"], ["kind=dose"], ["y=temperature"]]
)
def test_plots_are_drawn_of_a_half_finished_sweep(half_finished, more, capsys):
    assert main(["plot", "s", "out=figure.png", *more]) == 0
    assert Path("figure.png").stat().st_size > 10_000
    assert "missing: 1" in capsys.readouterr().out


def test_another_quantity_leaves_the_earlier_picture_alone(half_finished, tmp_path):
    assert main(["plot", "s"]) == 0
    before = (tmp_path / "s" / "sweep.png").read_bytes()
    assert main(["plot", "s", "feature=charge,rise_20_80", "log=false"]) == 0
    assert (tmp_path / "s" / "sweep.png").read_bytes() == before
    assert (tmp_path / "s" / "sweep-charge+rise_20_80-linear.png").is_file()


def test_the_lines_are_the_means_and_the_bands_their_errors(half_finished):
    from nmjmc.viz.sweep import View, plot_sweep

    table = gather("s")
    figure = plot_sweep(table, View("line", ("amplitude",), "receptor.density", "temperature"))
    warm = figure.axes[0].lines[1]
    np.testing.assert_array_equal(warm.get_xdata(), [5000, 7000])
    np.testing.assert_array_equal(warm.get_ydata(), table.features["amplitude"][0, [3, 5]])
    band = figure.axes[0].collections[1].get_paths()[0].vertices
    low = (table.features["amplitude"][0] - 1.96 * table.features["amplitude"][1])[3]
    assert np.isclose(band[band[:, 0] == 5000, 1], low).any()


def test_repeats_are_averaged_with_their_standard_error():
    from nmjmc.viz.sweep import _averaged

    places, mean, error = _averaged(
        np.array([2.0, 1.0, 1.0]), np.array([[5.0, 1.0, 3.0], [0.5, 0.3, 0.4], [0, 0, 0]])
    )
    np.testing.assert_allclose((places, mean, error), [[1, 2], [2, 5], [0.25, 0.5]])


def test_a_hill_curve_is_found_with_honest_bars():
    """Of 200 fits the 95 % interval of the middle covers the truth as often as it should.

    Binomial(200, 0.95): 178 or fewer would be seen by chance in 2 of 10,000 runs, all 200 in 4 of 100,000.
    """
    rng = np.random.default_rng(1)
    dose, error = np.geomspace(0.1, 100, 12), np.full(12, 0.05)
    truth = 1 + 3 / (1 + (5 / dose) ** 1.5)
    covered = 0
    for _ in range(200):
        found = hill.fit(dose, truth + error * rng.normal(size=12), error)
        assert found is not None
        covered += abs(np.log(found.half / 5)) < 1.96 * np.sqrt(found.covariance[2, 2])
    assert 179 <= covered <= 199
    exact = hill.fit(dose, truth, error)
    np.testing.assert_allclose((exact.bottom, exact.top, exact.half, exact.slope), (1, 4, 5, 1.5), rtol=1e-4)
    assert hill.fit(dose[:4], truth[:4], error[:4]) is None


def test_ranges_are_short():
    assert ranges([3, 7, 8, 9, 12]) == "3, 7 to 9, 12"


MISTAKES = {
    "collect": "the folder of a sweep",
    "collect nowhere": "the folder of a sweep",
    "collect .": "holds no points",
    "collect s out=table.csv": ".nc or .h5",
    "plot s feature=amplitud": "did you mean amplitude?",
    "plot s x=receptor.densty": "did you mean receptor.density?",
    "plot s kind=pie": "one of line",
    "plot s log=maybe": "true or false",
    "plot s colour=red": "the folder of a sweep",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_one_sentence(words, capsys):
    if " s" in words:
        main(["sweep", *WORDS])
        capsys.readouterr()
    assert main(words.split()) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1 and MISTAKES[words] in printed
