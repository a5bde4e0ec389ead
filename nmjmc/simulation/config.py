"""The config of a simulation: a plain mapping of settings and parameters, read, resolved and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from nmjmc.junction.treatment import Treatment
from nmjmc.kernel.executor import settled
from nmjmc.request import digest, idle, settings
from nmjmc.runtime import choose_devices
from nmjmc.simulation.request import SimulateRequest, make_numerics
from nmjmc.synapse.build import build, check_name, describe
from nmjmc.synapse.differences import changes_in_words
from nmjmc.synapse.model import Synapse
from nmjmc.treatments import treatments_of

SETTINGS = tuple(settings(SimulateRequest))
TREATED = ("pathology", "drug", "definitions", "exposure")
"""Settings that change the synapse."""
IDLE = (*idle(SimulateRequest), "seed")
"""What no folder is named by: settings that change no bit, and the seed, which stands in the name by itself."""


@dataclass(frozen=True)
class Simulation:
    """What is simulated and how.

    Attributes:
        healthy: The synapse without the diseases and drugs of the request.
        request: The settings.
    """

    healthy: Synapse
    request: SimulateRequest

    @cached_property
    def treatments(self) -> tuple[Treatment, ...]:
        """The diseases and drugs of the request."""
        return treatments_of(self.request.plain())

    @cached_property
    def synapse(self) -> Synapse:
        """The synapse with its diseases and drugs."""
        return self.healthy.with_(*self.treatments)

    def changes(self) -> dict[str, str]:
        """What diseases and drugs have changed, by parameter: `7500 -> 750 /um^2`."""
        if not self.treatments:
            return {}
        return changes_in_words(describe(self.healthy), describe(self.synapse))

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Simulation:
        """The simulation that a config of plain dicts and lists tells of.

        Raises:
            ValidationError: For an unknown key, or a value that cannot be right.
        """
        parameters = {name: value for name, value in config.items() if name not in SETTINGS}
        check_name(parameters.get("name"))
        request = SimulateRequest.of({n: v for n, v in config.items() if n in SETTINGS})
        made = cls(build(parameters), request)
        _ = made.synapse  # refuses what cannot be applied
        return made

    def config(self) -> dict[str, Any]:
        """The whole config with nothing left to defaults: settings, numerics, every parameter with its unit."""
        of_this_run = {"dry_run": False, "resume": False, "distributed": None}
        return {**self.request.plain(TREATED), **self._treated(), **of_this_run, **describe(self.healthy)}

    def _treated(self) -> dict[str, Any]:
        """What tells of diseases and drugs; nothing where there are none, as in configs of earlier versions."""
        asked = self.request
        by_name = {name: getattr(asked, name) for name in TREATED[:3] if getattr(asked, name)}
        is_told = any(one.exposure is not None for one in self.treatments)
        if is_told or asked.exposure != SimulateRequest().exposure:
            by_name["exposure"] = asked.exposure
        return by_name

    def settled(self) -> Simulation:
        """The same with the executor that a run takes here named, so that its config gives the same bits."""
        device = choose_devices(self.request.device)[0]
        executor = settled(make_numerics(self.request.numerics), self.synapse, device).executor
        numerics = {**self.request.numerics, "executor": executor}
        return replace(self, request=replace(self.request, numerics=numerics))

    def folder_digest(self) -> str:
        """Eight characters that name everything which decides the result, but the seed."""
        config = self.config()
        if config["numerics"].get("executor") == "warp":
            # as `auto` has it: a run that is repeated from the config beside its result finds its folder
            config["numerics"] = {k: v for k, v in config["numerics"].items() if k != "executor"}
        return digest({name: value for name, value in config.items() if name not in IDLE})

    def cost_digest(self) -> str:
        """Eight characters that name everything which decides what one vesicle costs."""
        without = (*IDLE, "vesicles", "name")
        return digest({name: value for name, value in self.config().items() if name not in without})
