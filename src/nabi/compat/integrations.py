"""Deep down in the trainer: which services are installed, and how parameters are shared out."""

from __future__ import annotations

import os
import sys
from typing import Any

from ..training.callbacks.reporting import CALLBACKS, report_callbacks
from .installed import module_there

INTEGRATION_TO_CALLBACK = dict(CALLBACKS)


def __getattr__(name: str) -> Any:  # is_wandb_available and the like
    from . import installed

    return getattr(installed, name)


def is_tensorboard_available() -> bool:
    return module_there("tensorboard") or module_there("tensorboardX")


def get_available_reporting_integrations() -> list[str]:
    """The services of `report_to` whose packages are installed."""
    return [name for name in CALLBACKS if (is_tensorboard_available() if name == "tensorboard" else module_there(name))]


def get_reporting_integration_callbacks(report_to: Any) -> list[Any]:
    report_callbacks(report_to)  # says which name is wrong, or which package is missing
    return [CALLBACKS[name] for name in report_to]


def default_logdir() -> str:
    """runs/<time>_<host>"""
    import socket
    from datetime import datetime

    return os.path.join("runs", f"{datetime.now().strftime('%b%d_%H-%M-%S')}_{socket.gethostname()}")


def is_deepspeed_zero3_enabled() -> bool:
    """Whether a trainer, or accelerate, shares parameters out by DeepSpeed's stage 3 here."""
    state = _accelerate()
    plugin = None if state is None else state.deepspeed_plugin
    return plugin is not None and plugin.zero_stage == 3


def is_fsdp_enabled() -> bool:
    state = _accelerate()
    return state is not None and state.distributed_type == "FSDP"


def _accelerate() -> Any:
    """What accelerate has settled in this process, or None if it was never started."""
    module = sys.modules.get("accelerate.state")
    return module.AcceleratorState() if module is not None and module.AcceleratorState._shared_state else None


def is_fsdp_managed_module(module: Any) -> bool:
    return False


def deepspeed_config() -> None:
    """There is none."""


set_hf_deepspeed_config = unset_hf_deepspeed_config = lambda *_: None


class HfDeepSpeedConfig:
    """nabi trains through accelerate, which reads a DeepSpeed configuration by itself."""

    def __init__(self, config_file_or_dict: Any) -> None:
        raise ImportError(
            "nabi has no HfDeepSpeedConfig: start the script by `accelerate launch --use_deepspeed`, which reads the "
            "configuration"
        )


class PeftAdapterMixin:
    """Adapters are put into a model by peft: `peft.get_peft_model(model, config)`."""
