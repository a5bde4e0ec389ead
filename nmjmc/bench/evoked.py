"""Which analyses repeated stimuli allow, and their rows and curves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from nmjmc.analysis.bench import content, trains
from nmjmc.analysis.bench.content import FAILURE_NOISE
from nmjmc.analysis.bench.covariance import covariance
from nmjmc.analysis.bench.measured import LEVEL, Measured, of_log, of_normal
from nmjmc.analysis.bench.release_rate import release_rate
from nmjmc.analysis.bench.responses import FEWEST
from nmjmc.bench.amount import in_unit_of
from nmjmc.bench.found import Found
from nmjmc.bench.request import Quantal
from nmjmc.bench.sources import Evoked, Miniatures
from nmjmc.data.quantal import Curve
from nmjmc.errors import ValidationError

FEWEST_FOR_COVARIANCE = 20
"""Trials; a choice: with fewer the covariance of neighbours is nearly always too uncertain to tell anything."""


def analysed(source: Evoked, asked: Quantal, quanta: Miniatures | None = None) -> Found:
    """Quantal content, binomial release, pairs, trains, covariance, and the rate of release."""
    source, found = source.whole(), Found()
    found.notes += source.notes
    noise = noise_of(source, asked)
    small = _quanta(source, quanta)
    _contents(found, source, asked, small, noise)
    count = source.amplitudes.shape[1]
    _mean_train(found, source)
    _responses(found, source)
    if count >= 2:
        _try(found, "The paired-pulse ratio", lambda: _pairs(found, source, asked))
    if count >= 3:
        _try(found, "Elmqvist and Quastel's line", lambda: _line(found, source, asked, small))
    if count >= 6:
        _try(found, "The cumulative train", lambda: _pool(found, source, asked, small))
    if count >= 2 and len(source.amplitudes) >= FEWEST_FOR_COVARIANCE and source.trials != "fibres":
        _try(found, "The covariance along the train", lambda: _covariance(found, source, asked, small, noise))
    if source.traces.size and quanta is not None and quanta.traces.size and source.unit == "nA":
        _try(found, "The rate of release", lambda: _rate(found, source, quanta, asked))
    return found


def _try(findings: Found, what: str, analysis: Callable[[], None]) -> None:
    """An analysis that the data do not allow is told, and the others go on."""
    try:
        analysis()
    except ValidationError as error:
        findings.notes.append(f"{what} was not analysed: {error}")


def noise_of(source: Evoked, asked: Quantal) -> float:
    """SD of the noise of an amplitude: as given, as measured, or none."""
    given = in_unit_of(asked.noise_sd, source.unit, "noise_sd")
    if given is not None:
        return given
    return float(source.noise_sd) if np.isfinite(source.noise_sd) else 0.0


def _quanta(source: Evoked, quanta: Miniatures | None) -> np.ndarray | None:
    """Amplitudes of miniatures, those of their own file first."""
    if quanta is not None:
        if quanta.unit != source.unit:
            raise ValidationError("quanta", f"in {quanta.unit}", f"in {source.unit}, as the evoked responses")
        return quanta.amplitudes
    return source.miniatures if source.miniatures.size else None


def cv_of(asked: Quantal, quanta: np.ndarray | None) -> float:
    """CV of the quantal amplitude: as given, that of the miniatures, or none."""
    if asked.quantal_cv is not None:
        return asked.amount("quantal_cv")
    return float(quanta.std(ddof=1) / quanta.mean()) if quanta is not None and quanta.size > 2 else 0.0


def _contents(
    findings: Found, source: Evoked, asked: Quantal, quanta: np.ndarray | None, noise: float
) -> None:
    reach = _reach(findings, source, asked)
    first = source.amplitudes[:, 0]
    error = first.std(ddof=1) / np.sqrt(first.size)
    findings.rows.append(
        of_normal("evoked amplitude", source.unit, first.mean(), error, f"{first.size} {source.trials}")
    )
    options = {"noise_sd": noise, "driving_force": reach, "factor": asked.amount("summation_factor")}
    several = content.contents(
        first, quanta, failures=asked.failures,
        quantal_cv=None if asked.quantal_cv is None else asked.amount("quantal_cv"), **options,
    )  # fmt: skip
    findings.rows += several.values()
    if quanta is None:
        findings.notes.append(
            "Without miniatures (quanta=FILE) there is no direct quantal content, and their CV counts as 0."
        )
    elif source.trials != "fibres":
        findings.rows += [with_unit(row, source.unit) if "size" in row.name else row
                       for row in content.binomial(first, quanta, **options).values()]  # fmt: skip
    labels = [row.name.split(", ")[1] for row in several.values()]
    if labels:
        ends = np.array([[row.value, row.low, row.high] for row in several.values()]).T
        findings.curves["quantal_content"] = Curve(
            {"method": np.array(labels), "content": ends[0], "low": ends[1], "high": ends[2]}, {}
        )
        _disagree(findings, several)


def _disagree(findings: Found, several: dict[str, Measured]) -> None:
    if "direct" not in several:
        return
    one = several["direct"]
    for name in ("failures", "variance"):
        if name in several and (several[name].low > one.high or several[name].high < one.low):
            more = "more" if several[name].value > one.value else "less"
            findings.notes.append(
                f"By {name} the quantal content is {more} than the direct one: release is not Poisson (fewer failures "
                "and less variance where p is high, more variance where trials differ), or quanta do not add up."
            )


def _reach(findings: Found, source: Evoked, asked: Quantal) -> float | None:
    """The driving force that potentials are corrected with; None for currents."""
    if source.unit != "mV":
        if asked.driving_force is not None:
            raise ValidationError(
                "driving_force", asked.driving_force, "left out for currents, which add linearly"
            )
        return None
    if asked.driving_force is not None:
        return asked.amount("driving_force")
    if np.isfinite(source.driving_force):
        return float(source.driving_force)
    findings.notes.append(
        "Potentials were not corrected for nonlinear summation: give driving_force (rest to reversal)."
    )
    return None


def _mean_train(findings: Found, source: Evoked) -> None:
    values = source.amplitudes
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    columns = {
        "stimulus": np.arange(1, values.shape[1] + 1),
        "amplitude": values.mean(axis=0),
        "error": error,
    }
    read = source.responses
    if read is not None:
        columns["failures"] = read.failed.sum(axis=0)
        late, seen = np.nan_to_num(read.latency), np.isfinite(read.latency).sum(axis=0)
        columns["latency"] = np.where(seen > 0, late.sum(axis=0) / np.maximum(seen, 1), np.nan)
    findings.curves["train"] = Curve(
        columns, {"amplitude": source.unit, "error": source.unit, "latency": "ms"}
    )


def _responses(findings: Found, source: Evoked) -> None:
    """Latency, and failures by the rule of `FAILURE_NOISE`: of all in a curve, of the first stimulus in rows."""
    read = source.responses
    if read is None:
        return
    trial, stimulus = (index.ravel() + 1 for index in np.indices(read.amplitude.shape))
    findings.curves["responses"] = Curve(
        {"trial": trial, "stimulus": stimulus, "amplitude": read.amplitude.ravel(), "latency": read.latency.ravel(),
         "failed": read.failed.ravel().astype(np.int64)},
        {"amplitude": source.unit, "latency": "ms"},
    )  # fmt: skip
    first = read.latency[:, 0]
    first = first[np.isfinite(first)]
    if first.size >= FEWEST:
        how = f"line through 20 and 80 % of the rise, {first.size} responses"
        error = float(first.std(ddof=1)) / np.sqrt(first.size)
        findings.rows.append(of_normal("latency", "ms", float(first.mean()), error, how))
        if source.noise_sd > 0:
            spread = f"SD over the responses, with the jitter that noise of {source.noise_sd:.2g} {source.unit} adds"
        else:
            spread = "SD over the responses"
        sd = float(first.std(ddof=1))
        findings.rows.append(
            of_log("SD of the latency", "ms", sd, sd / np.sqrt(2.0 * (first.size - 1)), spread)
        )
    if np.isfinite(source.noise_sd):
        count = int(read.failed[:, 0].sum())
        limit = f"{FAILURE_NOISE * source.noise_sd:.3g} {source.unit}" if source.noise_sd > 0 else "zero"
        how = f"{count} of {len(read.failed)} trials at or below {limit}, {FAILURE_NOISE:g} SDs of the noise"
        low, high = stats.binomtest(count, len(read.failed)).proportion_ci(LEVEL, "wilson")
        findings.rows.append(
            Measured("share of failures", "", count / len(read.failed), float(low), float(high), how)
        )


def _options(asked: Quantal) -> dict[str, int]:
    return {"number": int(asked.resamples), "seed": int(asked.seed)}


def _pairs(findings: Found, source: Evoked, asked: Quantal) -> None:
    findings.rows.append(trains.paired_pulse(source.amplitudes, **_options(asked)))


def _pool(findings: Found, source: Evoked, asked: Quantal, quanta: np.ndarray | None) -> None:
    last = None if asked.last is None else int(asked.last)
    one = trains.cumulative(source.amplitudes, last=last, **_options(asked))
    rows = (one.pool, one.probability, one.corrected_pool, one.corrected_probability, one.refill)
    findings.rows += [
        with_unit(row, source.unit) if "pool" in row.name or "refill" in row.name else row for row in rows
    ]
    if quanta is not None and np.isfinite(one.corrected_pool.value):
        findings.rows.append(_quanta_of(one.corrected_pool, quanta))
    total = np.cumsum(one.means)
    x = np.arange(total.size)
    findings.curves["cumulative_train"] = Curve(
        {"stimulus": x + 1, "cumulative": total, "line": one.line[1] + one.line[0] * x},
        {"cumulative": source.unit, "line": source.unit},
    )


def _quanta_of(pool: Measured, quanta: np.ndarray) -> Measured:
    size = float(quanta.mean())
    return Measured("quanta in the pool, corrected", "", pool.value / size, pool.low / size, pool.high / size,
                    f"{pool.how}; over the mean miniature")  # fmt: skip


def _line(findings: Found, source: Evoked, asked: Quantal, quanta: np.ndarray | None) -> None:
    first = min(int(asked.first), source.amplitudes.shape[1])
    one = trains.elmqvist_quastel(source.amplitudes, first=first, **_options(asked))
    findings.rows += [with_unit(one.pool, source.unit), one.probability]
    before = np.cumsum(one.means) - one.means
    findings.curves["elmqvist_quastel"] = Curve(
        {"released_before": before, "amplitude": one.means, "line": one.line[1] + one.line[0] * before},
        {name: source.unit for name in ("released_before", "amplitude", "line")},
    )


def _covariance(
    findings: Found, source: Evoked, asked: Quantal, quanta: np.ndarray | None, noise: float
) -> None:
    one = covariance(
        source.amplitudes, noise_sd=noise, quantal_cv=cv_of(asked, quanta), differences=asked.drift, **_options(asked)
    )  # fmt: skip
    size = Measured("quantal size, covariance", *_rest(with_unit(one.quantum, source.unit)))
    findings.rows += [size, Measured("vesicles, covariance", *_rest(one.vesicles))]


def _rest(row: Measured) -> tuple[str, float, float, float, str, float]:
    return row.unit, row.value, row.low, row.high, row.how, row.standard_error


def with_unit(row: Measured, unit: str) -> Measured:
    """A row whose number is an amplitude."""
    return Measured(row.name, unit, row.value, row.low, row.high, row.how, row.standard_error)


def _rate(findings: Found, source: Evoked, quanta: Miniatures, asked: Quantal) -> None:
    step = float(source.time[1] - source.time[0])
    begin = _foot(quanta)
    even = begin + np.arange(int((quanta.time[-1] - begin) / step) + 1) * step
    small = np.stack([np.interp(even, quanta.time, row) for row in quanta.traces])
    one = release_rate(
        step,
        source.traces,
        small,
        number=min(int(asked.resamples), 200),
        seed=int(asked.seed),
    )
    findings.rows += [one.content, one.peak, one.peak_time, one.half_width]
    findings.notes.append(
        f"The release rate resolves {one.resolution:.2g} ms, and holds if quanta add up, are alike and do not "
        "desensitise receptors."
    )
    findings.curves["release_rate"] = Curve(
        {"time": one.time, "rate": one.rate, "low": one.low, "high": one.high},
        {"time": "ms", "rate": "1/ms", "low": "1/ms", "high": "1/ms"},
    )


def _foot(quanta: Miniatures) -> float:
    """Where miniatures begin [ms]: at release, or where the line through 20 and 80 % of the mean rise meets zero."""
    if not quanta.quiet:
        return float(quanta.time[0])
    mean = np.abs(quanta.traces.mean(axis=0))
    peak = int(mean.argmax())
    low, high = (
        float(np.interp(share * mean[peak], *_rise(mean[: peak + 1], quanta.time[: peak + 1])))
        for share in (0.2, 0.8)
    )
    return low - (high - low) / 3.0


def _rise(mean: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rise to a peak, from where it last was below a tenth of it."""
    begin = int(np.flatnonzero(mean < 0.1 * mean[-1])[-1]) if (mean < 0.1 * mean[-1]).any() else 0
    return np.maximum.accumulate(mean[begin:]), time[begin:]
