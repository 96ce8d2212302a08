"""Where this process stands among those of a training: its device, its number, and waiting for one another.

The launcher (torchrun, accelerate launch) says so in the environment; a process group that exists already knows best.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def world_size() -> int:
    """How many processes train together; 1 without a launcher."""
    import torch.distributed as dist

    return dist.get_world_size() if group_exists() else int(os.environ.get("WORLD_SIZE", 1))


def process_index() -> int:
    """The number of this process among all, from 0."""
    import torch.distributed as dist

    return dist.get_rank() if group_exists() else int(os.environ.get("RANK", 0))


def local_process_index() -> int:
    """The number of this process among those of its machine, from 0."""
    return int(os.environ["LOCAL_RANK"]) if "LOCAL_RANK" in os.environ else process_index()


def group_exists() -> bool:
    import torch.distributed as dist

    return dist.is_available() and dist.is_initialized()


def device(use_cpu: bool) -> torch.device:
    """The device of this process: its GPU, Apple's or Intel's device, or the CPU."""
    import torch

    if not use_cpu and torch.cuda.is_available():
        return torch.device("cuda", local_process_index() % torch.cuda.device_count())
    if not use_cpu and torch.backends.mps.is_available():
        return torch.device("mps")
    if not use_cpu and torch.xpu.is_available():
        return torch.device("xpu", local_process_index() % torch.xpu.device_count())
    return torch.device("cpu")


def devices_of_this_process(use_cpu: bool) -> int:
    """How many GPUs this one process drives; 0 on the CPU, 1 where each device has a process of its own."""
    kind = device(use_cpu).type
    if kind == "cpu":
        return 0
    if kind != "cuda" or world_size() > 1:
        return 1
    import torch

    return torch.cuda.device_count()


@contextlib.contextmanager
def main_process_first(local: bool, use_cpu: bool, backend: str | None, timeout: timedelta) -> Iterator[None]:
    """The body runs in the main process (local: of each machine) first; the others then find its caches."""
    if world_size() == 1:
        yield
        return
    import torch.distributed as dist

    if not group_exists():
        usual = "nccl" if device(use_cpu).type == "cuda" else "gloo"
        dist.init_process_group(backend or usual, timeout=timeout)
    is_main = (local_process_index() if local else process_index()) == 0
    if not is_main:
        dist.barrier()
    try:
        yield
    finally:  # an error in the main process must not leave the others waiting
        if is_main:
            dist.barrier()
