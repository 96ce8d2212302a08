"""`is_…_available()`: whether a package is installed, and `requires_backends`, which asks for it.

Any name of that form answers, by the package of the same name or by the table.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

# What stands between "is_" and "_available" -> the module to look for, where it has another name.
_MODULE_OF = {
    "auto_gptq": "gptqmodel",
    "ccl": "oneccl_bindings_for_pytorch",
    "cython": "Cython",
    "faiss": "faiss",
    "flash_attn_2": "flash_attn",
    "flash_attn_3": "flash_attn_interface",
    "flash_attn_4": "flash_attn",
    "jinja": "jinja2",
    "levenshtein": "Levenshtein",
    "lomo": "lomo_optim",
    "optimum_quanto": "optimum.quanto",
    "protobuf": "google.protobuf",
    "ray_tune": "ray.tune",
    "speech": "torchaudio",
    "sudachi": "sudachipy",
    "vision": "PIL",
}
# nabi has one framework, and runs on a CPU or a CUDA device: what belongs to another is not there for it, whatever is
# installed. Code that asks takes its way with PyTorch then.
_NEVER = frozenset(
    """flax ipex jax keras_nlp mlx tensorflow_probability tensorflow_text tf tf2onnx torch_hpu torch_mlu torch_musa
    torch_neuroncore torch_npu torch_xla torch_xpu""".split()
)
_ASKED = re.compile(r"is_(\w+)_available")


def module_there(name: str) -> bool:
    """Whether a module can be found; it is not imported, only the packages around it are."""
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


@cache
def _asker(package: str) -> Callable[..., bool]:
    def available(*versions: Any) -> bool:
        return package not in _NEVER and module_there(_MODULE_OF.get(package, package))

    available.__name__ = available.__qualname__ = f"is_{package}_available"
    available.__doc__ = f"Whether {package} can be used here."
    return available


def __getattr__(name: str) -> Any:
    if asked := _ASKED.fullmatch(name):
        return _asker(asked[1])
    if name.endswith("_IMPORT_ERROR"):
        package = name.removesuffix("_IMPORT_ERROR").lower()
        return f"\n{{0}} needs the package {package}: `pip install {package}`.\n"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def requires_backends(owner: Any, backends: Any) -> None:
    """Raise ImportError, naming the owner, unless all these packages are installed."""
    wanted = [backends] if isinstance(backends, str) else list(backends)
    missing = [package for package in wanted if not _asker(package)()]
    if missing:
        who = getattr(owner, "__name__", type(owner).__name__)
        raise ImportError(f"{who} needs {', '.join(missing)}: `pip install {' '.join(missing)}`")


# --- what torch can do here ---------------------------------------------------------------------------------------


def is_torch_cuda_available() -> bool:
    import torch

    return torch.cuda.is_available()


def is_torch_mps_available(min_version: str | None = None) -> bool:
    import torch

    return torch.backends.mps.is_available()


def is_torch_bf16_gpu_available() -> bool:
    import torch

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def is_torch_bf16_cpu_available() -> bool:
    return True


is_torch_bf16_available = is_torch_bf16_gpu_available


def is_torch_tf32_available() -> bool:
    import torch

    return torch.cuda.is_available() and torch.cuda.get_device_capability()[0] >= 8


def is_torch_sdpa_available() -> bool:
    return True


is_torch_fx_available = is_torch_compile_available = is_torchdynamo_available = is_torch_flex_attn_available = (
    is_torch_sdpa_available
)


def is_torchdynamo_compiling() -> bool:
    import torch

    return torch.compiler.is_compiling()


def is_torch_fx_proxy(value: Any) -> bool:
    import torch.fx

    return isinstance(value, torch.fx.Proxy)


def get_torch_version() -> str:
    return importlib.metadata.version("torch")


def is_torch_greater_or_equal(version: str, accept_dev: bool = False) -> bool:
    from .versions import at_least

    return at_least(get_torch_version(), version)


def is_accelerate_available(min_version: str = "0") -> bool:
    from .versions import at_least

    return module_there("accelerate") and at_least(importlib.metadata.version("accelerate"), min_version)


def is_sagemaker_mp_enabled() -> bool:
    return False


is_sagemaker_dp_enabled = is_training_run_on_sagemaker = is_flash_attention_requested = is_sagemaker_mp_enabled


def is_flash_attn_greater_or_equal(version: str) -> bool:
    return False


def lazy_import_flash_attention(*_: Any, **__: Any) -> Any:
    raise ImportError("nabi computes attention with torch's own kernels alone: leave attn_implementation out")


def is_in_notebook() -> bool:
    from ..pipelines.progress import in_notebook

    return in_notebook()


def infer_device() -> str:
    """The name of the accelerator that there is, or "cpu"."""
    return "cuda" if is_torch_cuda_available() else "mps" if is_torch_mps_available() else "cpu"
