"""Where a collator's chance comes from."""

from __future__ import annotations

import torch
from torch.utils.data import get_worker_info


class Chance:
    """torch's global generator, which the trainer seeds; or one of its own from a seed.

    Each worker of a DataLoader gets a generator of its own (seed + the worker's number), so that no two draw alike.
    """

    def __init__(self, seed: int | None) -> None:
        self.seed = seed
        self._worker: int | None = None
        self._own: torch.Generator | None = None

    def generator(self) -> torch.Generator | None:
        """What to pass as torch's `generator`; None for the global one."""
        if self.seed is None:
            return None
        info = get_worker_info()
        worker = None if info is None else info.id
        if self._own is None or worker != self._worker:
            self._own = torch.Generator().manual_seed(self.seed + (worker or 0))
            self._worker = worker
        return self._own
