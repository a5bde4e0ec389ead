"""A fit by the library alone: a folder of files, a stop, the way on, and every form of the result."""

import json

import numpy as np
import pytest

import nmjmc
from nmjmc.cli.main import main
from nmjmc.errors import ValidationError

SYNAPSE = nmjmc.preparation("human", vesicle={"content_cv": 0})


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("SLURM_RESTART_COUNT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_fit_in_a_folder_is_what_the_command_leaves_and_goes_on(own_folder):
    """Stopped after a step, resumed to the same bits, found again when it is finished, and opened in every form."""
    said = {"bootstrap": 4, "seed": 3, "grid": "coarse", "estimator": "mean_field", "progress": False}
    data = {"trials": {"file": "trials.csv"}}
    (own_folder / "trials.csv").write_text("quanta,trials\n0,30\n1,40\n2,20\n3,10\n")

    def fit(**more):
        return nmjmc.fit(SYNAPSE, data, {"release.quantal_content": {"start": 3}}, **said, **more)

    def stop(step):
        if step.step == 2:
            raise KeyboardInterrupt

    whole = fit(folder="whole")
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(folder="cut", on_step=stop)
    assert "the state is kept in cut/fit.state.h5" in caught.value.__notes__[0]
    assert {path.name for path in (own_folder / "cut").iterdir()} == {"fit.state.h5", "config.yaml"}
    resumed = fit(folder="cut", resume=True)
    for name in ("estimate", "trace", "losses", "low", "bootstrap"):
        assert np.array_equal(getattr(whole, name), getattr(resumed, name)), name
    names = {"fit.h5", "summary.json", "config.yaml", "fitted.yaml", "data.png", "descent.png"}
    assert {path.name for path in (own_folder / "cut").iterdir()} == names
    summary = own_folder / "cut" / "summary.json"
    kept = summary.read_text()
    summary.write_text(kept.replace('"level": 0', '"level": 1'))  # damaged, it is written again
    again = fit(folder="cut", resume=True)
    assert np.array_equal(again.trace, whole.trace) and json.loads(summary.read_text()) == json.loads(kept)
    with pytest.raises(ValidationError, match="must be that of what is finished in"):
        fit(folder="cut", resume=True, level=0.8)
    back = nmjmc.load_fit("cut")
    assert back.config == whole.config and back.config["fit"]["steps"] == 60
    assert back.summary()["data"] == {"trials": "100 trials of trials.csv"} == whole.summary()["data"]
    assert "<table>" in back._repr_html_() and "release.quantal_content" in back._repr_html_()
    table = back.to_xarray()
    assert float(table.estimate[0]) == back["release.quantal_content"] and table.bootstrap.shape == (4, 1)
    assert float(table.low[0]) < float(table.estimate[0]) < float(table.high[0])
    back.plot(own_folder / "mine.png")
    assert (own_folder / "mine.png").stat().st_size > 5000
    assert back.save("elsewhere") and (own_folder / "elsewhere" / "summary.json").is_file()
    assert nmjmc.describe(back.to_synapse()) == nmjmc.describe(nmjmc.preparation("elsewhere/fitted.yaml"))
    # the command finds what the library has left
    left = (own_folder / "cut" / "fit.h5").read_bytes()
    assert main(["fit", "config=cut", "resume=true", "hydra.run.dir=cut"]) == 0
    assert (own_folder / "cut" / "fit.h5").read_bytes() == left
