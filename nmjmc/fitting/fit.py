"""The door: data and free parameters in, estimates with their uncertainty out."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from nmjmc.data import fit_folder
from nmjmc.data.fits import FitRecord, load_fit
from nmjmc.errors import ValidationError, check_kind
from nmjmc.fitting.checkpoint import FitCheckpoint, key_of
from nmjmc.fitting.datasets.given import Data
from nmjmc.fitting.descent import Descent
from nmjmc.fitting.estimators import Estimator, MeanFieldEstimator
from nmjmc.fitting.meter import FitMeter
from nmjmc.fitting.optimise import FitProgress
from nmjmc.fitting.plan import FitPlan, plan_fit
from nmjmc.fitting.record import record_of, with_posterior
from nmjmc.fitting.request import RUN, FitRequest
from nmjmc.folders import user_path
from nmjmc.kernel import executor
from nmjmc.kernel.numerics import Numerics
from nmjmc.runtime import choose_devices, use_cache
from nmjmc.synapse.model import Synapse

log = logging.getLogger("nmjmc")
Free = Sequence[str] | Mapping[str, Mapping[str, Any] | None]
OnStep = Callable[[FitProgress], None]


def fit(
    synapse: Synapse,
    data: Data,
    free: Free | None = None,
    fixed: Mapping[str, Any] | None = None,
    request: FitRequest | None = None,
    *,
    folder: str | Path | None = None,
    checkpoint: str | Path | None = None,
    on_step: OnStep | None = None,
    **settings: Any,
) -> FitRecord:
    """Fit parameters of a synapse to one or several data sets that share them.

    Args:
        synapse: Where the fit begins, and all that is not free.
        data: A file or several; a `Recording` or a table of events; by name, what is said of each data set (as for
            `nmjmc.read_datasets`, where an array or a `Recording` may stand for the `file`); or terms.
        free: Paths, or a mapping from path to bounds, start and prior (see `free_parameters`).
        fixed: Known parameters of release and recording, for example `{"recording.gain": "0.25 MOhm"}`.
        request: All settings; by default they are made from `settings`, which stand above it.
        folder: Where the fit leaves its state and, when it is done, all files that `nmjmc fit` leaves; with
            `resume=True` it goes on with what lies there.
        checkpoint: File for the state alone; a fit that was killed goes on from it, to the same bits.
        on_step: Told of each step, which is then drawn only if `progress` is True.
        **settings: Fields of `FitRequest`: `estimator` (also an `Estimator` of your own), `vesicles`, `optimiser`,
            `steps`, `tolerance`, `level`, `profiles`, `bootstrap`, `posterior`, `grid`, `seed`, `device`, `cache`,
            `progress`, `resume`.

    Returns:
        Estimates, intervals, goodness of fit, and what a reader must know in sentences.

    Raises:
        ValidationError: For input that cannot be right; nothing is computed then.
        FitError: If the loss becomes infinite or NaN, with the parameter to blame.
        SimulationError: If the kernel failed; failed vesicles are never dropped.

    Example:
        >>> import nmjmc
        >>> human = nmjmc.preparation("human")
        >>> minis = {"minis": {"file": "minis.abf", "bandwidth": "5 kHz"}}
        >>> found = nmjmc.fit(human, minis, ["receptor.closing_rate", "vesicle.content_mean"])  # doctest: +SKIP
    """
    if on_step is not None and not callable(on_step):
        raise ValidationError("on_step", f"{on_step!r:.80}", "a function of a step, or left out")
    plan = plan_of(synapse, data, free, fixed, request, **settings)
    given = {"folder": folder, "checkpoint": checkpoint}
    places = {name: user_path(at, name) for name, at in given.items() if at is not None}
    if folder is None:
        if plan.request.resume:
            raise ValidationError("resume", True, "given together with the folder to go on in")
        return run_fit(plan, places.get("checkpoint"), on_step)
    if checkpoint is not None:
        raise ValidationError("checkpoint", repr(str(checkpoint)), "left out, as the folder keeps the state")
    return fit_in_folder(plan, places["folder"], on_step)


def plan_of(
    synapse: Synapse,
    data: Data,
    free: Free | None = None,
    fixed: Mapping[str, Any] | None = None,
    request: FitRequest | None = None,
    **settings: Any,
) -> FitPlan:
    """Say what a fit would do, and compute nothing; arguments as for `fit`, and refused alike.

    Returns:
        The plan, with its printed form.

    Raises:
        ValidationError: For input that cannot be right.
    """
    own = settings.pop("estimator") if isinstance(settings.get("estimator"), Estimator) else None
    given = {"free": free, "fixed": fixed}
    changes = {name: value for name, value in given.items() if value is not None} | settings
    if request is not None:
        check_kind(request, FitRequest, "request", "a FitRequest, or left out")
    before = {} if request is None else request.plain()
    return plan_fit(synapse, data, FitRequest.of({**before, **changes}), own)


def run_fit(plan: FitPlan, checkpoint: str | Path | None = None, on_step: OnStep | None = None) -> FitRecord:
    """Make a fit that is planned.

    Args:
        plan: Of the fit.
        checkpoint: File for the state.
        on_step: Told of each step.

    Raises:
        FitError: If the loss becomes infinite or NaN.
        SimulationError: If the kernel failed.
    """
    asked, settings = plan.request, _settings(plan)
    use_cache(asked.cache)
    state = FitCheckpoint(checkpoint, key_of(plan.problem, settings | _made_by(plan)))
    # what is not said to be double is single whatever JAX's default, so that a fit takes the same steps
    with (
        _on_device(asked.device), jax.enable_x64(False), FitMeter.drawn(asked.progress, on_step) as meter,
        _telling(meter, state),
    ):  # fmt: skip
        try:
            descent = Descent(plan, state, meter)
            curves = {name: descent.profile(name) for name in plan.profiles}
            draws = descent.draws() if asked.posterior else None
        finally:
            state.flush()
        record = record_of(
            descent.problem, descent.state, descent.why, asked.level, curves, descent.bootstrap(),
            settings | {"picked": descent.estimator.name},
        )  # fmt: skip
    record = record if draws is None else with_posterior(record, draws)
    return _with_what_was_asked(record, plan)


def _settings(plan: FitPlan) -> dict[str, Any]:
    """What decides the bits of a fit beside data and parameters, as its record says it."""
    asked = plan.request
    return {
        "estimator": asked.estimator if not plan.is_own else plan.estimator.name, "optimiser": asked.optimiser,
        "vesicles": getattr(plan.estimator, "vesicles", asked.vesicles), "steps": asked.steps,
        "tolerance": asked.tolerance, "level": asked.level, "bootstrap": asked.bootstrap,
        "posterior": asked.posterior, "seed": asked.seed, "grid": dataclasses.asdict(asked.resolution),
    }  # fmt: skip


def _made_by(plan: FitPlan) -> dict[str, str]:
    """The executor of the kernel, which decides the bits of a fit that may simulate; nothing for the mean field."""
    if isinstance(plan.estimator, MeanFieldEstimator) and not plan.is_auto:
        return {}
    taken = executor.settled(Numerics(), plan.synapse, choose_devices(plan.request.device)[0]).executor
    return {"executor": taken, **({"version_warp": executor.version()} if taken == "warp" else {})}


@contextlib.contextmanager
def _on_device(wanted: str) -> Iterator[None]:
    """Compute on the device that is wanted, where that is not JAX's own choice.

    Raises:
        ValidationError: If there is none.
    """
    device = choose_devices(wanted)[0]
    if device.platform == jax.default_backend():
        yield
    else:
        with jax.default_device(device):
            yield


@contextlib.contextmanager
def _telling(meter: FitMeter, state: FitCheckpoint) -> Iterator[None]:
    """Note on an interrupt how far the fit had come, and where that is kept."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if state.path is not None and Path(state.path).is_file():
            step = "" if meter.last is None else f"after step {meter.last.step}; "
            stop.add_note(f"{step}the state is kept in {state.path}")
        raise


def _with_what_was_asked(record: FitRecord, plan: FitPlan) -> FitRecord:
    """The record with what was read of the data, what must be known of them, and the whole config."""
    notes = plan.data.notes
    sets = [dataclasses.replace(entry, note=notes.get(entry.name, "")) for entry in record.datasets]
    return dataclasses.replace(
        record, datasets=tuple(sets), notes=(*record.notes, *plan.data.remarks), config=plan.config()
    )


def fit_in_folder(plan: FitPlan, folder: Path, on_step: OnStep | None = None) -> FitRecord:
    """Make a fit that is planned, and leave its files in a folder.

    Args:
        plan: Of the fit; where its request says `resume`, it goes on with what lies in the folder.
        folder: It need not be there.
        on_step: Told of each step.

    Returns:
        The record; the one that lies there, if the same fit is finished.

    Raises:
        ValidationError: If another fit is finished or begun there and `resume` was asked for.
    """
    resume = plan.request.resume
    if resume and fit_folder.is_finished(folder):
        fit_folder.refuse_another(folder, plan.config(), RUN)
        log.info("%s is finished", folder)
        return _finished(folder)
    state = fit_folder.begin(folder, plan.config(), is_anew=not resume)
    for name, sentence in plan.sentences().items():
        log.info("%s: %s", name, sentence)
    record = run_fit(plan, state, on_step)
    record.save(folder)
    for line in str(record).splitlines():
        log.info(line)
    state.unlink(missing_ok=True)
    return record


def _finished(folder: Path) -> FitRecord:
    """The record of a finished fit; its other files are written again where the summary is damaged.

    Raises:
        ValidationError: If the record is damaged.
    """
    record = load_fit(folder)
    (folder / fit_folder.STATE).unlink(missing_ok=True)
    if not fit_folder.is_summary_whole(folder):
        record.save(folder)
    return record
