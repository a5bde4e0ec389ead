"""The simulation that hydra's config tells of, and what hydra's configs may ask of us: the names of folders."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf

from nmjmc.cli.compose import plain
from nmjmc.folders import names_in
from nmjmc.kinetics import available_schemes, load_scheme
from nmjmc.numbers import whole_number
from nmjmc.seeds import SEEDS
from nmjmc.simulation.config import Simulation
from nmjmc.yaml_file import to_yaml as as_yaml

__all__ = ["as_yaml", "read", "register", "register_seed"]


def read(config: DictConfig) -> Simulation:
    """The simulation of a composed config.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    return Simulation.of(plain(config))


def _folder_digest(*, _root_: DictConfig) -> str:
    """Names what decides the result; `30 nm` and `0.03 um` name the same folder."""
    # without the node `hydra`, which is not resolved yet and holds the name that is asked for here
    return read(OmegaConf.masked_copy(_root_, [str(key) for key in _root_ if key != "hydra"])).folder_digest()


def register() -> None:
    """Make `${nmjmc_hash:}` and `${nmjmc_options:KIND}` known to hydra's configs."""
    OmegaConf.register_new_resolver("nmjmc_hash", _folder_digest, replace=True)
    OmegaConf.register_new_resolver("nmjmc_options", _options, replace=True)
    register_seed()


def register_seed() -> None:
    """Make `${nmjmc_seed:}` known, which is the same whether 1000 or 1e3 was written."""
    OmegaConf.register_new_resolver("nmjmc_seed", _seed, replace=True)


def _seed(*, _root_: DictConfig) -> str:
    seed = _root_.get("seed")
    return str(seed) if seed is None else str(whole_number(seed, "seed", 0, SEEDS - 1))


def _options(kind: str) -> str:
    """The names that may be chosen: preparations, examples, or schemes of a receptor or an esterase."""
    if kind in ("preparation", "example"):
        return ", ".join(names_in(kind))
    opens = {name: bool(load_scheme(name).open_states) for name in available_schemes()}
    return ", ".join(name for name, found in opens.items() if found == (kind == "receptor"))
