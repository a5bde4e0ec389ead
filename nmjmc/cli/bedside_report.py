"""What a bedside test prints: its table with intervals, and what it means."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.table import Table

from nmjmc.cli.report import console, short
from nmjmc.data.examination import Examination
from nmjmc.diagnostics.finding import rounded


def print_examination(examination: Examination, folder: Path | None = None, figure: str = "") -> None:
    """Print the table, the meaning, what the quanta were, and where the files stand."""
    out = console()
    out.print(f"\n{examination.title}", soft_wrap=True, style="bold")
    out.print(table(examination))
    out.print(examination.finding.meaning, soft_wrap=True, style="bold")
    if line := _made(examination):
        out.print(line, soft_wrap=True)
    if folder is not None:
        files = f"result.h5, summary.json, {figure}, config.yaml, nmjmc.log"
        out.print(f"In {short(folder)}: {files}", soft_wrap=True)


def table(examination: Examination) -> Table:
    """Each number with its interval and how that was made."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("", no_wrap=True)
    for name in ("value", "95 % interval"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("by", no_wrap=True)
    over = _over(examination)
    for row in examination.finding.rows:
        value, low, high = rounded(row) if row.value == row.value else ("none", "", "")
        unit = f" {row.unit}" if row.unit and value != "none" else ""
        made.add_row(
            row.name, value + unit, f"{low} to {high}" if low else "", row.how.removesuffix(f", {over}")
        )
    made.caption = f"Intervals over {over}"
    made.caption_justify = "left"
    return made


def _over(examination: Examination) -> str:
    """What most intervals are over, as `200 fibres`."""
    return examination.finding.rows[0].how.partition(", ")[2]


def _made(examination: Examination) -> str:
    """One line: how quanta became a current, from how many, how well known."""
    facts, made = examination.finding.facts, examination.provenance
    if "quanta_per_bank" not in made:
        return ""
    how = facts.get("quanta_were", "superposed")
    error = made.get("bank_standard_error_%")
    known = "" if error is None else f" (their mean peak is known to {error:g} %)"
    kept = "simulated now" if made["banks_simulated"] else "kept from an earlier run"
    return (
        f"Quanta {how}, drawn from {made['quanta_per_bank']}{known}, {kept}; "
        f"{made['seconds']:.1f} s on {made['device']}"
    )
