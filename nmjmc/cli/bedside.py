"""`nmjmc rns`, `sfemg`, `tof`, `dose_response`, `epp`, `epc`, `mepc`, `twitch`: bedside tests of the whole junction."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from nmjmc.bedside.examine import examine
from nmjmc.bedside.names import KINDS, of_config
from nmjmc.bedside.request import SHARED, TREATED
from nmjmc.bedside.task import PARTS, Task, own_settings
from nmjmc.cli import report, treatments
from nmjmc.cli.compose import composed, plain
from nmjmc.cli.config import as_yaml, register_seed
from nmjmc.cli.hydra_main import hand_over, is_help, is_sweep, points
from nmjmc.cli.overrides import Known, prepare
from nmjmc.cli.value_origin import placing
from nmjmc.data import provenance, speed
from nmjmc.data.atomic import clear_leftovers, write_text
from nmjmc.data.examination import Examination
from nmjmc.data.seal import sealed
from nmjmc.diagnostics.tof import in_words
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import INTERVAL
from nmjmc.junction.response import INTEGRATED
from nmjmc.pathology import DISEASES
from nmjmc.pharmacology import DRUGS
from nmjmc.pharmacology.constants import HALF
from nmjmc.progress import telling
from nmjmc.request import usage
from nmjmc.runtime import choose_devices, only_cpu

log = logging.getLogger("nmjmc")
_BASE_MIB = 900  # of a process that runs a test of few fibres
_IRREVERSIBLE = "binds for good: what is left follows from dose and exposure"


def command(test: str, words: list[str]) -> int:
    """Run one bedside test with these words.

    Returns:
        0 when every run is done.

    Raises:
        ValidationError: If the config cannot be right; no folder is made then.
    """
    if is_help(words):
        sys.stdout.write(_help(test))
        return 0
    with placing(words, (f"bedside/{test}.yaml", "junction.yaml")):
        return _checked(test, words)


def known(test: str) -> Known:
    """The keys that the command of a test knows."""
    shared = (name for name in SHARED if name not in TREATED)
    parts = (*PARTS, *TREATED)
    return Known((*own_settings(KINDS[test]), *shared, "dry_run"), parts, ("temperature", "name", "test"))


def task_of(config: DictConfig) -> Task:
    """The test and the junction of a composed config.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    return of_config(plain(config))


def _checked(test: str, words: list[str]) -> int:
    """Refuse what cannot be right before any folder is made, then run."""
    name = f"bedside/{test}"
    words, own = treatments.with_files(words)
    instead = {"definitions": own} if own else None
    overrides = prepare(treatments.expand(words, own), known(test), instead)
    if not is_sweep(words):
        config = composed(overrides, name)
        task = _task_of_test(test, config)
        if task.request.device == "cpu":
            only_cpu()
        choose_devices(task.request.device)
        if _is_dry(config):
            return _dry_run(task)
        if task.request.seed is None:
            overrides.append(f"seed={task.with_seed().request.seed}")  # here, for the folder's name tells it
    else:
        for point in points(overrides):
            _task_of_test(test, composed(point, name))
    return hand_over(overrides, name, f"nmjmc {test}", _run)


def _task_of_test(test: str, config: DictConfig) -> Task:
    """A config of one test is not run by the command of another."""
    task = task_of(config)
    _is_dry(config)
    if task.request.TEST != test:
        raise ValidationError("test", task.request.TEST, test, f"run it by nmjmc {task.request.TEST}")
    return task


def _is_dry(config: DictConfig) -> bool:
    wanted = config.get("dry_run", False)
    if not isinstance(wanted, bool):
        raise ValidationError("dry_run", repr(wanted), "true or false")
    return wanted


def _dry_run(task: Task) -> int:
    """Print the resolved config with units, and what the run would need."""
    sys.stdout.write(as_yaml(task.config))
    amount = task.request.cost()
    samples = INTEGRATED / INTERVAL + 3 * 400
    device = provenance.device_name(choose_devices(task.request.device)[0])
    each = speed.recall(device, task.request.TEST)
    took = "not known before the first such run" if each is None else f"{each * amount:.2g} s, quanta apart"
    report.print_estimate(
        {
            "stimuli of fibres": f"{amount:,}",
            "memory": f"{amount * samples * 4 / 2**20:,.0f} MiB, and some {_BASE_MIB} MiB of Python, JAX and programs",
            "predicted time": took,
        }
    )
    return 0


def _run(config: DictConfig) -> None:
    """One run: result.h5, summary.json, the figure and the resolved config, in hydra's folder."""
    task = task_of(config)
    if _is_dry(config):
        _dry_run(task)
        return
    task = task.with_seed()
    folder = Path(HydraConfig.get().runtime.output_dir)
    clear_leftovers(folder)
    write_text(folder / "config.yaml", as_yaml(task.config))
    log.info("%s of %s, seed %s, in %s", task.request.TEST, task.label, task.request.seed, folder)
    with telling(task.request.progress) as tell:
        examination = examine(task, tell)
    _remember(task, examination.provenance)
    _leave(examination, folder)


def _remember(task: Task, made: Any) -> None:
    """Keep what the run took, so that a dry run can foretell; a time with the kernel's compiling would mislead."""
    if not made["banks_simulated"]:
        speed.remember(str(made["device"]), task.request.TEST, made["seconds"], task.request.cost())


def _leave(examination: Examination, folder: Path) -> None:
    """Write the files of a run, the result first and last the summary, which says that it is done."""
    (folder / "summary.json").unlink(missing_ok=True)
    examination.save(folder / "result.h5")
    figure = f"{examination.test}.png"
    examination.plot(folder / figure)
    write_text(folder / "summary.json", sealed(examination.summary(), indent=2))
    for line in str(examination).splitlines():
        log.info(line)
    log.info("provenance: %s", json.dumps(dict(examination.provenance)))
    report.print_examination(examination, folder, figure)


def _help(test: str) -> str:
    """The settings of a test, its diseases and its drugs."""
    kind = KINDS[test]
    own = own_settings(kind)
    return "\n".join(
        (
            f"nmjmc {test} [KEY=VALUE ...]",
            "",
            (kind.__doc__ or "").strip(),
            "Leaves result.h5, summary.json, a figure, config.yaml and the log in outputs/TEST-NAMES-CONFIG-SEED.",
            "",
            f"  {kind.EXAMPLE}",
            "",
            "Settings",
            *([usage(kind, without=SHARED)] if own else []),
            usage(kind, without=own),
            "  dry_run=false  true prints the resolved config and what the run would need, and stops",
            "",
            "Diseases",
            *_named({name: _title(make) for name, make in DISEASES.items()}),
            "Drugs, with the concentration of which doses=auto takes multiples",
            *_named({name: in_words(HALF[name]) if name in HALF else _IRREVERSIBLE for name in DRUGS}),
            "",
            'temperature="35 degC" is that of all parts. Any parameter of the preparation is an override too',
            "(nmjmc simulate --help), and so are those of the terminal, the muscle, the contraction and the spread:",
            'terminal.calcium_outside="0.5 mM". config=FOLDER repeats an earlier run. Add -m for several:',
            "pathology=myasthenia_gravis:0.2,myasthenia_gravis:0.6 -m",
            "",
        )
    )


def _named(words: dict[str, str]) -> list[str]:
    width = max(map(len, words)) + 2
    return [f"  {name.ljust(width)}{text}" for name, text in words.items()]


def _title(make: object) -> str:
    """What a disease is: the title of one that is data, else the first line of its function up to its numbers."""
    first = (make.__doc__ or "").strip().partition("\n")[0]
    return str(getattr(make, "title", "")) or first.partition(":")[0].partition(" [")[0].rstrip(".")


def _hash(*, _root_: DictConfig) -> str:
    return task_of(_without_hydra(_root_)).hash


def _label(*, _root_: DictConfig) -> str:
    return task_of(_without_hydra(_root_)).label


def _without_hydra(root: DictConfig) -> DictConfig:
    """The config without the node `hydra`, which is not resolved yet and holds the name that is asked for here."""
    return OmegaConf.masked_copy(root, [str(key) for key in root if key != "hydra"])


def register() -> None:
    """Make `${nmjmc_label:}` and `${nmjmc_junction_hash:}` known to hydra's configs."""
    register_seed()
    OmegaConf.register_new_resolver("nmjmc_label", _label, replace=True)
    OmegaConf.register_new_resolver("nmjmc_junction_hash", _hash, replace=True)


register()  # on import, so that a process which a launcher starts knows our resolvers too
