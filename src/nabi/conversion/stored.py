"""One array of a TensorFlow or Flax file, and how these frameworks lay out what PyTorch calls a weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# A kernel's axes in PyTorch's order, by their number: a linear layer (in, out), convolutions (…, in, out).
KERNEL_AXES = {2: (1, 0), 3: (2, 1, 0), 4: (3, 2, 0, 1)}


class MissingLibrary(ImportError):
    """A library that reads a container is not installed."""

    def __init__(self, library: str, file: str) -> None:
        super().__init__(f"{library} is needed to read {file}: pip install {library}")
        self.library, self.file = library, file


@dataclass(frozen=True)
class Stored:
    """An array's shape and, when asked for, its values."""

    shape: tuple[int, ...]
    read: Callable[[], Tensor]

    def turned(self) -> Stored:
        """A kernel, with its axes as PyTorch has them."""
        axes = KERNEL_AXES.get(len(self.shape))
        if axes is None:
            return self
        return Stored(tuple(self.shape[axis] for axis in axes), lambda: self.read().permute(axes))

    def shaped(self, shape: tuple[int, ...]) -> Stored | None:
        """With axes of length one put in or left out, as this shape has them; None if it is another shape."""
        if [n for n in self.shape if n != 1] != [n for n in shape if n != 1]:
            return None
        return self if shape == self.shape else Stored(shape, lambda: self.read().reshape(shape))


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of one shape and dtype hold the same bytes: two NaNs are unequal numbers."""
    one, other = (tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (a, b))
    return torch.equal(one, other)
