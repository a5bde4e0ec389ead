"""One run over several processes: each simulates its share of the vesicles, and all of them get the whole.

Vesicles are independent and their randomness depends only on (seed, vesicle), so the whole has the bits of one process,
whatever the number of processes and devices.
"""

from __future__ import annotations

import dataclasses
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nmjmc.data.result import Result
from nmjmc.errors import NmjmcError, ValidationError

_BY_HAND = re.compile(r"^(?P<address>[\w.:\[\]-]+:\d+),(?P<count>\d+),(?P<index>\d+)$")
_PORTS, _MOST = 65535, 10_000
_TIMEOUT = 120  # seconds to wait for the other processes


def join(wanted: Any, seed: Any) -> tuple[int, int]:
    """Join the other processes, once; before anything else starts a device.

    Args:
        wanted: `auto` where Slurm or another manager has started the processes (`srun -n4 nmjmc ...`), or
            `HOST:PORT,COUNT,INDEX` by hand, where the first process listens; None for one process.
        seed: Seed of the run, which must be the same everywhere.

    Returns:
        Number of processes, and the number of this one.

    Raises:
        ValidationError: If the words cannot be right.
        NmjmcError: If the others cannot be reached.
    """
    if wanted is None:
        return 1, 0
    import jax

    if seed is None:
        raise ValidationError("seed", "null", "given where several processes make one run")
    if not jax.distributed.is_initialized():
        _start(wanted)
    return jax.process_count(), jax.process_index()


def check_processes(wanted: Any) -> re.Match[str] | None:
    """What was said by hand; None for `auto` and for one process.

    Raises:
        ValidationError: If the words cannot be right.
    """
    match = _BY_HAND.match(str(wanted))
    if wanted is None or wanted == "auto":
        return None
    hint = "for example distributed=auto under srun, or distributed=127.0.0.1:9911,2,0"
    if match is None or int(match["index"]) >= int(match["count"]):
        raise ValidationError("distributed", repr(wanted), "auto or HOST:PORT,COUNT,INDEX", hint)
    if not 1 <= int(match["address"].rpartition(":")[2]) <= _PORTS:
        raise ValidationError("distributed", repr(wanted), f"given with a port from 1 to {_PORTS}", hint)
    if int(match["count"]) > _MOST:
        raise ValidationError("distributed", repr(wanted), f"of at most {_MOST:,} processes", hint)
    return match


def _reach(address: str, index: int) -> None:
    """Listen or be heard at an address at all, before JAX waits there.

    Raises:
        ValidationError: If there is no such host, or the first process cannot listen there.
        NmjmcError: If nobody listens there in time.
    """
    host, _, port = address.rpartition(":")
    host, patience = host.strip("[]"), time.monotonic() + _TIMEOUT
    try:
        where = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ValidationError(
            "distributed", f"{address}, a host that is not known", "HOST:PORT,COUNT,INDEX"
        ) from error
    if index == 0:
        try:
            with socket.socket(where[0], socket.SOCK_STREAM) as found:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                found.bind(("", int(port)))
        except OSError as error:
            hint = f"{error.strerror}; take an address of the machine of process 0, and a port that is free there"
            raise ValidationError(
                "distributed", address, "one at which process 0 can listen", hint
            ) from error
        return
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > patience:
                raise NmjmcError(
                    f"Nobody listens at {address} after {_TIMEOUT} s: start process 0 first."
                ) from error
            time.sleep(0.5)


def _start(wanted: Any) -> None:
    import jax

    match = check_processes(wanted)
    if match is not None:
        _reach(match["address"], int(match["index"]))
    given: dict[str, Any] = {}
    if match is not None:
        given = {"coordinator_address": match["address"], "num_processes": int(match["count"]),
                 "process_id": int(match["index"])}  # fmt: skip
    try:
        jax.distributed.initialize(**given, initialization_timeout=_TIMEOUT)
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0].rstrip(".")
        by_hand = "; without srun say distributed=HOST:PORT,COUNT,INDEX in each process" * (wanted == "auto")
        raise NmjmcError(f"The processes of this run did not find each other: {first}{by_hand}.") from error


def share(vesicles: int, count: int, index: int) -> tuple[int, int]:
    """First vesicle and number of vesicles of one process; the shares differ by one at most."""
    begin, end = (vesicles * i // count for i in (index, index + 1))
    return begin, end - begin


def simulate(run: Callable[..., Result], vesicles: int, count: int, index: int) -> Result:
    """Simulate this process's share, and put the shares of all together.

    Args:
        run: Called with `first_vesicle` and `vesicles`.
        vesicles: Vesicles of the whole run.
        count: Number of processes.
        index: Number of this one.

    Returns:
        The whole result, in every process.

    Raises:
        ValidationError: If there are fewer vesicles than processes.
        NmjmcError: If another process failed.
    """
    if vesicles < count:
        raise ValidationError("vesicles", vesicles, f"at least the number of processes ({count})")
    begin, size = share(vesicles, count, index)
    mine, failure = None, None
    try:
        mine = run(first_vesicle=begin, vesicles=size)
    except NmjmcError as error:  # the others wait: they must hear of it
        failure = error
    failed = _everybody(np.asarray([failure is not None], np.int32))
    if failure is not None:
        raise failure
    if mine is None or failed.any():
        raise NmjmcError(f"The run failed in process {int(np.flatnonzero(failed)[0])}; its message says why.")
    sizes = [share(vesicles, count, i)[1] for i in range(count)]
    counts = {name: _whole(values, sizes) for name, values in mine.counts.items()}
    settings = {**mine.settings, "first_vesicle": 0, "vesicles": vesicles}
    return dataclasses.replace(
        mine, counts=counts, content=_whole(mine.content, sizes), settings=settings,
        provenance={**mine.provenance, "processes": count},
    )  # fmt: skip


def _everybody(values: np.ndarray) -> np.ndarray:
    """The values of every process, one row a process."""
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(values)).reshape(-1, *values.shape)


def _whole(values: np.ndarray, sizes: list[int]) -> np.ndarray:
    """The rows of every process, in order; shares are filled up to one length on the way."""
    longest = max(sizes)
    padded = np.zeros((longest, *values.shape[1:]), values.dtype)
    padded[: values.shape[0]] = values
    return np.concatenate(list(_rows(_everybody(padded), sizes)))


def _rows(gathered: np.ndarray, sizes: list[int]) -> Iterator[np.ndarray]:
    return (rows[:size] for rows, size in zip(gathered, sizes, strict=True))
