"""The folder of a fit: its record, its config, the fitted preparation, figures, and the summary last."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmjmc import above
from nmjmc.data.atomic import clear_leftovers, write_text
from nmjmc.data.same import refuse_another_config
from nmjmc.data.seal import DamageError, content_of, sealed, unsealed
from nmjmc.yaml_file import to_yaml

if TYPE_CHECKING:
    from nmjmc.data.fits import FitRecord

RECORD, SUMMARY, CONFIG, STATE = "fit.h5", "summary.json", "config.yaml", "fit.state.h5"
"""Files of a fit; the last is there while it is not finished."""


def begin(folder: Path, config: Mapping[str, Any], *, is_anew: bool) -> Path:
    """Make a folder ready for a fit.

    Args:
        folder: It need not be there.
        config: The resolved config; what is finished there keeps its own until a new fit is whole.
        is_anew: Whether the state of a fit that was cut short is removed.

    Returns:
        The file of the state.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder)
    if is_anew:
        (folder / STATE).unlink(missing_ok=True)
    if not (folder / RECORD).exists():
        write_text(folder / CONFIG, to_yaml(config))
    return folder / STATE


def is_finished(folder: Path) -> bool:
    """Whether a fit is whole there."""
    return all((folder / name).exists() for name in (RECORD, SUMMARY, CONFIG))


def is_summary_whole(folder: Path) -> bool:
    """Whether the summary is as it was written."""
    try:
        unsealed(content_of(folder / SUMMARY))
    except DamageError:
        return False
    return True


def refuse_another(folder: Path, config: Mapping[str, Any], ignored: Collection[str]) -> None:
    """Refuse to go on where another fit is finished.

    Raises:
        ValidationError: Naming what differs.
    """
    refuse_another_config(folder / CONFIG, config, (*ignored, "dry_run"))


def save_folder(record: FitRecord, folder: Path) -> Path:
    """Write all files of a fit, the record first and the summary, which says that it is done, last."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SUMMARY).unlink(missing_ok=True)
    record.save(folder / RECORD)
    if record.config:
        write_text(folder / CONFIG, to_yaml(record.config))
    record.save_preparation(folder / "fitted.yaml")
    above.ask("figures", record, folder)
    summary = json.loads(json.dumps(record.summary(), default=str))
    write_text(folder / SUMMARY, sealed(summary, indent=2))
    return folder
