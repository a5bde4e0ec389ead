"""`nmjmc.quantal(...)`: every analysis that a source allows, beside the truth where a simulation knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nmjmc.bench import conditions, evoked, spontaneous
from nmjmc.bench.found import Found
from nmjmc.bench.reading import source_of
from nmjmc.bench.request import Quantal
from nmjmc.bench.sources import Evoked, Intervals, Miniatures, Pauses, Source
from nmjmc.data.quantal import QuantalReport
from nmjmc.data.recordings.asked import OF_FILES
from nmjmc.errors import ValidationError
from nmjmc.request import digest


def quantal(
    source: Any, *, quanta: Any = None, against: Any = None, request: Quantal | None = None, **settings: Any
) -> QuantalReport:
    """Analyse quantal data as laboratories do.

    Args:
        source: A file (recording, table of events, of amplitudes or of recovery), the folder or file of a run of
            `nmjmc simulate`, `mepc`, `epc` or `epp`, or an object: what `nmjmc.read` gave, a Recording, an
            EventTable, a result, or amplitudes [trial, stimulus].
        quanta: Miniatures of the same cell, likewise, for evoked responses.
        against: Miniatures of another condition, to compare with.
        request: All settings at once, in the place of keywords.
        **settings: Those of `nmjmc quantal`; `nmjmc quantal --help` lists them with their units.

    Returns:
        A table with intervals, the curves of the figure, and notes on what the data speak against.

    Raises:
        ValidationError: For a setting that cannot be right, or a source that cannot be read.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> trials = [[0.4 * rng.binomial(8, p) for p in (0.2, 0.5, 0.8)] for _ in range(200)]
        >>> report = quantal(trials, kind="conditions", unit="mV", quantal_cv=0)
        >>> report["quantal size"].low < 0.4 < report["quantal size"].high
        True
    """
    if request is not None and settings:
        raise ValidationError("request", "given beside settings", "one of both")
    asked = Quantal.of(settings) if request is None else request
    made = source_of(source, asked)
    small = None if quanta is None else _miniatures(quanta, asked, "quanta")
    other = None if against is None else _miniatures(against, asked, "against")
    kind = _kind(made, asked, small, other)
    found = _analysed(made, kind, asked, small, other)
    truth = made.truth if isinstance(made, Miniatures | Evoked) else {}
    known = {row.name for row in found.rows}
    config = {**asked.plain(), "source": _told(source, made), "quanta": _told(quanta, small),
              "against": _told(against, other)}  # fmt: skip
    title = f"quantal analysis of {made.name}: {_in_words(made, kind)}"
    return QuantalReport(
        title, kind, tuple(found.rows), found.curves, tuple(found.notes),
        {name: value for name, value in truth.items() if name in known}, config,
    )  # fmt: skip


def name_of(report: QuantalReport) -> str:
    """Name of the folder of a report: the source's, and eight characters that follow from all that was asked."""
    source = Path(str(report.config["source"]))
    stem = source.parent.name if source.stem == "result" and source.parent.name else source.stem
    return f"quantal-{stem or 'data'}-{digest(report.config)}"


def _miniatures(given: Any, asked: Quantal, field: str) -> Miniatures:
    others = ("stimuli", "window", "sweeps", "baseline")
    if not isinstance(given, str | Path):
        others += OF_FILES
    changed = Quantal(**{**asked.plain(others), "kind": "miniatures"})
    found = source_of(given, changed, field)
    if isinstance(found, Evoked) and found.miniatures.size:
        from nmjmc.analysis.observations import EventTable

        return Miniatures(EventTable({"amplitude": found.miniatures}, found.unit), found.name)
    if not isinstance(found, Miniatures):
        raise ValidationError(field, found.name, "miniatures: events, single quanta or a list of amplitudes")
    return found


def _kind(made: Source, asked: Quantal, quanta: Miniatures | None, other: Miniatures | None) -> str:
    """What the source is, refused where the settings say otherwise."""
    kinds = {Miniatures: "miniatures", Pauses: "recovery", Intervals: "intervals", Evoked: "evoked"}
    actual = kinds[type(made)]
    if isinstance(made, Evoked) and asked.kind == "conditions":
        actual = "conditions"
    if asked.kind not in ("auto", actual):
        raise ValidationError("kind", asked.kind, f"{actual}, which is what {made.name} holds")
    if quanta is not None and actual != "evoked":
        raise ValidationError("quanta", quanta.name, f"left out for {actual}: they go with evoked responses")
    if other is not None and actual != "miniatures":
        raise ValidationError("against", other.name, f"left out for {actual}: it goes with miniatures")
    return actual


def _analysed(
    made: Source, kind: str, asked: Quantal, quanta: Miniatures | None, other: Miniatures | None
) -> Found:
    if isinstance(made, Miniatures):
        found = spontaneous.analysed(made, asked, other)
        found.notes[:0] = made.notes
        return found
    if isinstance(made, Pauses):
        return conditions.recovery(made)
    if isinstance(made, Intervals):
        return spontaneous.of_intervals(made, asked)
    return (
        conditions.conditions(made, asked) if kind == "conditions" else evoked.analysed(made, asked, quanta)
    )


def _in_words(made: Source, kind: str) -> str:
    if isinstance(made, Miniatures):
        return f"{len(made.events):,} miniatures"
    if isinstance(made, Pauses):
        return f"recovery after {made.pause.size} pauses"
    if isinstance(made, Intervals):
        return f"{made.gaps.size:,} intervals"
    rows, columns = made.amplitudes.shape
    what = "release probabilities" if kind == "conditions" else "stimuli" if columns > 1 else "stimulus"
    return f"{rows:,} {made.trials}, {columns} {what}"


def _told(given: Any, made: Source | None) -> str | None:
    if given is None or made is None:
        return None
    return str(given) if isinstance(given, str | Path) else made.name
