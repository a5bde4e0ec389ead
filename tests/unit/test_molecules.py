"""Molecules to be seen: the page in a real browser, the film's frames, and files that other readers open."""

import html
import json
import re
import shutil
import struct
import subprocess
from dataclasses import replace

import numpy as np
import pytest

import nmjmc
from nmjmc.cli.main import main
from nmjmc.data.molecules import Molecules
from nmjmc.errors import ValidationError
from nmjmc.viz.molecules.film import schedule
from nmjmc.viz.molecules.scene import scene_of
from tests.records import formula_result

pytestmark = pytest.mark.unit

MOLECULES, FRAMES = 400, 30


def _seen(result):
    """Molecules that spread, bind, are split and leave, each at its own time, and sites that follow."""
    rng = np.random.default_rng(7)
    time = np.linspace(0.02, 0.6, FRAMES)
    sites = np.concatenate([rng.uniform(-0.3, 0.3, (60, 2)), np.zeros((60, 1))], axis=1).astype(np.float32)
    bind, end = rng.uniform(0, 0.4, MOLECULES), rng.uniform(0.4, 0.9, MOLECULES)
    state = np.ones((FRAMES, MOLECULES), np.uint8)
    state[time[:, None] > bind] = 2
    fate = np.where(np.arange(MOLECULES) % 4 == 0, 4, 3)
    state = np.where(time[:, None] > end, fate, state).astype(np.uint8)
    site = np.where(state == 2, np.arange(MOLECULES) % 60, -1).astype(np.int32)
    walk = np.cumsum(rng.normal(0, 0.02, (FRAMES, MOLECULES, 3)), axis=0).astype(np.float32)
    walk[..., 2] = rng.uniform(0, float(result.synapse.cleft.height), (FRAMES, MOLECULES))
    place = np.where((site >= 0)[..., None], sites[np.maximum(site, 0)], walk)
    esterase = (np.arange(60) >= 40).astype(np.uint8)
    held = np.stack([np.bincount(row[row >= 0], minlength=60) for row in site])
    receptors = len(result.receptor_states)
    site_state = np.where(esterase == 1, receptors + (held > 0), np.minimum(held, 3)).astype(np.uint8)
    return Molecules(
        time, np.arange(MOLECULES, dtype=np.int32), np.zeros(MOLECULES, np.int16), state, place, site, sites, esterase,
        site_state,
    )  # fmt: skip


@pytest.fixture(scope="module")
def result():
    bare = formula_result(vesicles=2)
    return replace(bare, molecules=_seen(bare))


@pytest.fixture(scope="module")
def page(result):
    return nmjmc.view(result)


def browser():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


_ASK = """
<script>
window.addEventListener("error", (e) => { document.title = "failed"; document.body.dataset.error = e.message; });
const wait = setInterval(async () => {
  if (!window.nmjmc || !window.nmjmc.ready) return;
  clearInterval(wait);
  const page = window.nmjmc, found = { drawn: page.drawn(), frames: [] };
  for (const f of [0, 7, 29]) {
    page.seek(f); page.everything();
    const shown = (id) => document.getElementById(id).textContent;
    found.frames.push({ clock: shown("clock"), amount: shown("amount"), free: shown("n-free_ach"),
      open: shown("n-A2Ro"), said: shown("said") });
  }
  page.seek(0); page.play(true);
  for (let k = 0; k < 100 && page.frame() === 0; k++) await new Promise((done) => setTimeout(done, 50));
  found.playing = page.frame(); page.play(false);
  found.asked = performance.getEntriesByType("resource").map((entry) => entry.name);
  found.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  found.named = [...document.querySelectorAll("button, input, select, canvas")].map(
    (e) => (e.getAttribute("aria-label") || e.textContent || e.closest("label")?.textContent || "").trim());
  const box = document.createElement("pre"); box.id = "found"; box.textContent = JSON.stringify(found);
  document.body.append(box);
}, 50);
</script></body>"""


def _asked(page, folder, size):
    """What a browser finds on the page, opened as a file, with a network that resolves no name."""
    path = folder / "page.html"
    path.write_text(page.html.replace("</body>", _ASK), encoding="utf-8")
    words = [
        browser(), "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}",
        f"--window-size={size}", "--virtual-time-budget=12000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.mark.parametrize("size", ["1300,900", "500,900"])
def test_a_browser_shows_the_numbers_of_the_file_and_plays(page, result, tmp_path, size):
    found = _asked(page, tmp_path, size)
    assert found["drawn"] > 0 and found["playing"] > 0
    assert found["asked"] == []
    assert found["wide"] <= 0
    assert all(found["named"])
    scene = scene_of(result)
    for frame, shown in zip((0, 7, 29), found["frames"], strict=True):
        at = scene.record[frame]
        current = f"{result.current[0, at]:.3f}".replace("-0.000", "0.000").replace("-", "−")
        assert shown["amount"] == f"{current} nA"
        assert shown["free"] == f"{result.counts['free_ach'][0, at]:,}"
        assert shown["open"] == f"{result.counts['A2Ro'][0, at]:,}"
        assert current in shown["said"]
        assert shown["clock"] == f"{1000 * scene.seen.time[frame]:.0f} µs"


def test_the_page_is_one_file_that_asks_for_nothing(page, result, tmp_path):
    text = page.save(tmp_path / "view.html").read_text(encoding="utf-8")
    assert not re.search(
        r"""(src|href)\s*=|@import|url\(|fetch\(|XMLHttp|https?://""", text.split("<details>")[0]
    )
    assert "</script>" not in re.search(r'id="told">(.*?)</script>', text, re.DOTALL)[1]
    assert "receptor.density" in text and "7500 /um^2" in text and "git_dirty" in text
    assert result.view().html == page.html
    assert page._repr_html_().startswith("<iframe srcdoc=")


def test_a_result_without_molecules_tells_how_to_have_them(tmp_path):
    bare = formula_result(vesicles=1)
    for ask in (nmjmc.view, nmjmc.film, lambda r: nmjmc.export(r, tmp_path / "m.xyz")):
        with pytest.raises(ValidationError, match="view_interval"):
            ask(bare)
    with pytest.raises(ValidationError, match="result of simulate"):
        nmjmc.view(3)


def test_a_file_with_places_alone_is_shown_too():
    places = np.full((3, 5, 3), np.nan, np.float32)
    places[:, :4] = 0.01
    old = replace(formula_result(vesicles=1), positions=places, position_time=np.array([0.1, 0.2, 0.3]))
    assert "no track of one molecule" in nmjmc.view(old).html


def test_the_film_is_slow_at_first_and_reaches_the_end():
    time = np.concatenate([np.arange(1, 101) * 1e-3, 0.1 + np.arange(1, 191) * 1e-2])
    frames = schedule(time, 0.0, 250)
    assert frames[0] == 0 and frames[-1] == time.size - 1 and (np.diff(frames) >= 0).all()
    assert 0.4 < (time[frames] <= 0.1).mean() < 0.5
    # frames before an onset that comes late are shown too, and a run that ends early is even
    assert (np.diff(schedule(np.linspace(0.01, 0.05, 5), 0.0, 5)) == 1).all()


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_the_command_makes_a_film(result, tmp_path, name, capsys):
    file = result.save(tmp_path / "result.h5")
    words = ["film", str(file), f"out={tmp_path / name}", "seconds=1", "rate=5", "width=320"]
    if name.endswith("mp4"):
        reader = pytest.importorskip("imageio_ffmpeg")
    assert main(words) == 0
    assert name in capsys.readouterr().out
    if name.endswith("gif"):
        from PIL import Image

        with Image.open(tmp_path / name) as film:
            assert film.size == (320, 240) and film.n_frames > 1
            assert len(set(film.convert("RGB").getdata())) > 8
        return
    stream = reader.read_frames(str(tmp_path / name))
    assert next(stream)["size"] == (320, 240)
    pictures = [np.frombuffer(picture, np.uint8) for picture in stream]
    assert len(pictures) == 5 and not np.array_equal(pictures[0], pictures[-1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["film", "FILE", "out=film.avi"], ".mp4 or .gif"),
        (["film", "FILE", "seconds=0"], "seconds"),
        (["export", "FILE"], "out"),
        (["export", "FILE", "out=m.pdb"], "xyz, vtk, cellblender"),
        (["view"], "one result file"),
    ],
)
def test_words_that_cannot_be_right(result, tmp_path, words, said, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result.save("result.h5")
    assert main([word.replace("FILE", "result.h5") for word in words]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["result.h5"]


def test_the_file_is_that_of_xarray_and_comes_back(result, tmp_path):
    xarray = pytest.importorskip("xarray")
    path = result.save(tmp_path / "r.h5")
    with xarray.open_dataset(path, engine="h5netcdf") as found:
        assert found.identical(result.to_xarray())
        assert found["molecule_place"].dims == ("frame", "molecule", "axis")
        assert "0 to come, 1 free, 2 bound" in found["molecule_state"].attrs["long_name"]
    again = nmjmc.load(path).molecules
    np.testing.assert_array_equal(again.place, result.molecules.place)
    np.testing.assert_array_equal(again.free_places(), result.positions)


def _there(result, frame):
    seen = result.molecules
    return np.flatnonzero((seen.state[frame] == 1) | (seen.state[frame] == 2))


def test_ase_reads_the_extended_xyz(result, tmp_path):
    read = pytest.importorskip("ase.io").read
    path = result.export(tmp_path / "molecules.xyz")
    frames = read(path, index=":", format="extxyz")
    assert len(frames) == FRAMES
    for index in (0, 12, FRAMES - 1):
        chosen, found = _there(result, index), frames[index]
        assert found.info["Time"] == pytest.approx(result.molecules.time[index])
        np.testing.assert_array_equal(found.arrays["id"][: chosen.size], chosen)
        expected = 1000 * result.molecules.place[index, chosen]
        np.testing.assert_allclose(found.positions[: chosen.size], expected, atol=0.006)
        assert set(found.arrays["kind"]) <= {"ACh", "ACh_bound", "AR", "A2R", "A2Ro", "EA"}


def test_meshio_reads_the_grids_of_vtk(result, tmp_path):
    read = pytest.importorskip("meshio").read
    path = result.export(tmp_path / "molecules.pvd")
    files = re.findall(r'timestep="(\S+)" .* file="(\S+)"', path.read_text())
    assert len(files) == FRAMES
    time, name = files[12]
    assert float(time) == pytest.approx(result.molecules.time[12])
    grid, chosen = read(tmp_path / name), _there(result, 12)
    np.testing.assert_array_equal(grid.points[: chosen.size], result.molecules.place[12, chosen])
    np.testing.assert_array_equal(grid.point_data["number"][: chosen.size], chosen)


def test_the_files_of_cellblender_are_laid_out_as_mcell_does(result, tmp_path):
    folder = result.export(tmp_path / "cellblender") / "viz_data" / "seed_00001"
    files = sorted(folder.iterdir())
    assert len(files) == FRAMES and files[12].name == "Scene.cellbin.12.dat"
    raw, at, found = files[12].read_bytes(), 4, {}
    assert struct.unpack_from("<I", raw)[0] == 1
    while at < len(raw):
        length = raw[at]
        name = raw[at + 1 : at + 1 + length].decode()
        on_surface, floats = raw[at + 1 + length], struct.unpack_from("<I", raw, at + 2 + length)[0]
        at += 6 + length
        found[name] = np.frombuffer(raw, "<f4", floats, at).reshape(-1, 3)
        at += 4 * floats * (2 if on_surface else 1)
    seen = result.molecules
    np.testing.assert_array_equal(found["ACh"], seen.place[12, seen.state[12] == 1])
    np.testing.assert_array_equal(found["ACh_bound"], seen.place[12, seen.state[12] == 2])
    assert sum(map(len, found.values())) > (seen.state[12] == 1).sum()
