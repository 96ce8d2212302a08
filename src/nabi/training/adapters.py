"""Adapters of peft around a model: what `Trainer(peft_config=…)` trains."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..nn.adapters import fitting


def with_adapters(model: nn.Module, config: Any) -> Any:
    """The model wrapped by peft with this configuration.

    ImportError without peft; ValueError for adapters that GPT-2's layers take with the drop-in only.
    """
    try:
        from peft import get_peft_model
    except ImportError as error:
        raise ImportError('adapters are made by peft: pip install "nabi[train]"') from error
    return get_peft_model(model, fitting(config, model))
