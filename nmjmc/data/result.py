"""The result of a simulation: what was counted, of which synapse, from which seed, and made by what."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc import above
from nmjmc.analysis.waveform import Waveform, measure
from nmjmc.data import netcdf, summary, table
from nmjmc.data.atomic import write_bytes
from nmjmc.data.molecules import Molecules
from nmjmc.data.seal import with_seal
from nmjmc.data.variables import attributes, variables
from nmjmc.errors import ValidationError
from nmjmc.synapse.ions import Currents, driving_forces
from nmjmc.synapse.model import Synapse

FATES = ("free_ach", "hydrolysed", "escaped", "released")


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Counts of every species at every record, for each vesicle.

    Attributes:
        time: Times of the records [t] [ms].
        counts: Counts, int32 [v, t], of every receptor state, every esterase state, and of `free_ach`,
            `hydrolysed`, `escaped` and `released` ACh (cumulative).
        content: Molecules of ACh in each vesicle (all of a patch that releases several), int32 [v].
        synapse: What was simulated.
        seed: Seed of all randomness.
        settings: `vesicles`, `first_vesicle`, `duration` and `record_interval` [ms], `numerics`; plain.
        provenance: Versions, device, precision, git revision, times of compiling and running [s].
        positions: Optional places of the free molecules of the patch that is viewed (`view_interval` of the
            numerics), float32 [frame, molecule, 3] [um]; NaN past the last of a frame. A row is not a track, which
            `molecules` holds.
        position_time: Time of each frame [frame] [ms].
        molecules: Every molecule and site of that patch in every frame, by the event kernel; None without views.
    """

    time: np.ndarray
    counts: Mapping[str, np.ndarray]
    content: np.ndarray
    synapse: Synapse
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    positions: np.ndarray | None = None
    position_time: np.ndarray | None = None
    molecules: Molecules | None = None

    def __post_init__(self) -> None:
        if self.molecules is not None and self.positions is None:
            object.__setattr__(self, "positions", self.molecules.free_places())
            object.__setattr__(self, "position_time", self.molecules.time)
        expected = {*self.receptor_states, *self.esterase_states, *FATES}
        if missing := expected - set(self.counts):
            raise ValidationError(
                "counts", sorted(self.counts), f"given for {', '.join(sorted(missing))} too"
            )
        shape = (self.content.shape[0], self.time.shape[0])
        for name, values in self.counts.items():
            if values.shape != shape:
                raise ValidationError(f"counts of {name}", f"of shape {values.shape}", f"of shape {shape}")

    @property
    def vesicles(self) -> int:
        """Number of vesicles; of patches, where each releases several."""
        return self.content.shape[0]

    @property
    def receptor_states(self) -> tuple[str, ...]:
        """Names of the receptor's states."""
        return self.synapse.receptor.scheme.states

    @property
    def esterase_states(self) -> tuple[str, ...]:
        """Names of the esterase's states."""
        return self.synapse.esterase.scheme.states

    @functools.cached_property
    def open_channels(self) -> np.ndarray:
        """Conducting channels, int32 [v, t]."""
        scheme = self.synapse.receptor.scheme
        conducting = [s for s, g in zip(scheme.states, scheme.conductance, strict=True) if g > 0]
        return sum((self.counts[name] for name in conducting), np.zeros_like(self.counts["free_ach"]))

    @functools.cached_property
    def current(self) -> np.ndarray:
        """Current at the holding potential, float64 [v, t] [nA]; inward is negative.

        I = (V - E) sum over states of g_s n_s, at the temperature of the synapse.
        """
        driving = float(self.synapse.fibre.holding_potential) - float(
            self.synapse.receptor.reversal_potential
        )
        return driving * self._open_conductance

    @functools.cached_property
    def _open_conductance(self) -> np.ndarray:
        """Conductance of all open channels, float64 [v, t] [uS]."""
        scheme = self.synapse.receptor.scheme
        total = np.zeros(self.counts["free_ach"].shape, np.float64)
        for state, conductance in zip(scheme.states, scheme.conductance, strict=True):
            total += conductance * self.counts[state]
        return float(self.synapse.conductance()) * total

    @property
    def current_na(self) -> np.ndarray:
        """What sodium carries of the current, float64 [v, t] [nA]; as `current_k` and `current_ca`, by GHK."""
        return self._driving.sodium * self._open_conductance

    @property
    def current_k(self) -> np.ndarray:
        """What potassium carries of the current, float64 [v, t] [nA]."""
        return self._driving.potassium * self._open_conductance

    @property
    def current_ca(self) -> np.ndarray:
        """What calcium carries of the current, float64 [v, t] [nA]."""
        return self._driving.calcium * self._open_conductance

    @functools.cached_property
    def _driving(self) -> Currents:
        """Driving force of each ion at the holding potential [mV]."""
        s = self.synapse
        return driving_forces(s.ions, s.receptor.reversal_potential, s.fibre.holding_potential, s.temperature)

    @functools.cached_property
    def bound(self) -> np.ndarray:
        """ACh held by receptors and esterase, int32 [v, t]."""
        held = np.zeros_like(self.counts["free_ach"])
        for scheme in (self.synapse.receptor.scheme, self.synapse.esterase.scheme):
            for state, number in zip(scheme.states, scheme.bound, strict=True):
                held = held + np.int32(number) * self.counts[state]
        return held

    @functools.cached_property
    def waveform(self) -> Waveform:
        """Features of the current of each vesicle, each [v]; its time to peak counts from `onset`."""
        return measure(self.time, self.current, polarity=self._polarity, onset=self.onset, baseline=0.0)

    @functools.cached_property
    def mean_waveform(self) -> Waveform:
        """Features of the mean current."""
        mean = self.current.mean(axis=0)
        return measure(self.time, mean, polarity=self._polarity, onset=self.onset, baseline=0.0)

    @property
    def onset(self) -> float:
        """Time of the first fusion [ms]."""
        return float(np.min(np.asarray(self.synapse.vesicle.times, np.float64)))

    @property
    def quanta(self) -> int:
        """Vesicles that one patch releases; each entry along the axis `vesicle` is one patch."""
        return len(np.asarray(self.synapse.vesicle.times))

    @property
    def _polarity(self) -> int | None:
        """Direction of the current: fixed by the driving force, so that a lone flicker cannot turn it."""
        direction = int(np.sign(self.current.sum()))
        return direction if direction else None

    def conserved(self) -> bool:
        """Whether free + bound + hydrolysed + escaped = released for every vesicle at every record."""
        parts = self.counts["free_ach"] + self.bound + self.counts["hydrolysed"] + self.counts["escaped"]
        return bool(np.array_equal(parts, self.counts["released"]))

    def summary(self) -> dict[str, Any]:
        """Features and fate of the ACh as plain numbers: mean, SD over vesicles, standard error, units."""
        return summary.summarise(self)

    def save(self, path: str | Path) -> Path:
        """Write the result as a netCDF-4 file, atomically, and give back its path."""
        return write_bytes(path, with_seal(netcdf.image(variables(self), attributes(self))))

    def to_xarray(self) -> Any:
        """The result as an `xarray.Dataset` (needs xarray)."""
        from nmjmc.data import variables

        return variables.to_xarray(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the mean and single currents above the occupancies.

        Args:
            path: Where to write the figure, if anywhere; the suffix decides the format.

        Returns:
            The matplotlib figure.
        """
        return above.ask("plot", self, path)

    def view(self) -> Any:
        """The molecules as a page to turn and play (needs views): `.save("view.html")`, or shown in a notebook."""
        return above.ask("view", self)

    def film(self, path: str | Path = "film.mp4", **settings: int) -> Path:
        """A film of the molecules (needs views), `.mp4` or `.gif`; settings `seconds`, `rate` and `width`."""
        return above.ask("film", self, path, **settings)

    def export(self, path: str | Path, kind: str | None = None) -> Path:
        """Write the molecules for OVITO (`.xyz`), ParaView (`.pvd`) or CellBlender (a folder)."""
        return above.ask("export", self, path, kind)

    def rerun(self, **changes: Any) -> Result:
        """Simulate the same again, from the same seed; keywords of `nmjmc.simulate` change it."""
        return above.ask("rerun", self, **changes)

    def __str__(self) -> str:
        return table.as_text(self.summary())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table.as_html(self.summary())
