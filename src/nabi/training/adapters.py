"""Adapters of peft on a model: small matrices that learn beside frozen weights."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..models.gpt2 import Conv1D


def with_adapters(model: nn.Module, config: Any) -> Any:
    """The model wrapped by peft with this configuration.

    ImportError without peft; ValueError for adapters that GPT-2's layers take with the drop-in only.
    """
    try:
        from peft import get_peft_model
    except ImportError as error:
        raise ImportError('adapters are made by peft: pip install "nabi[train]"') from error
    return get_peft_model(model, fitting(config, model))


def fitting(config: Any, model: nn.Module) -> Any:
    """The configuration, told of GPT-2's layers, whose weights are (in, out), where the model has them.

    peft knows such layers by the class that its `transformers` holds: nabi's with the drop-in, another without. LoRA
    can be told of a class; its files are the same either way. To load them without the drop-in:

        config = fitting(PeftConfig.from_pretrained(folder), model)
        PeftModel.from_pretrained(model, folder, config=config)
    """
    from peft import LoraConfig
    from peft.tuners.lora import layer

    if layer.Conv1D is Conv1D or not any(isinstance(module, Conv1D) for module in model.modules()):
        return config
    tell = getattr(config, "_register_custom_module", None)
    if not isinstance(config, LoraConfig) or tell is None or str(config.target_modules).lower() == "all-linear":
        kind = "target_modules='all-linear'" if isinstance(config, LoraConfig) else type(config).__name__
        raise ValueError(
            f"{kind} does not find the layers of {type(model).__name__}, which peft knows by a class of transformers: "
            "put `import nabi.drop_in` before the first import of peft"
        )

    class Adapted(layer.Linear):  # type: ignore[misc]
        def __init__(self, base: nn.Module, name: str, config: Any, **options: Any) -> None:
            config.fan_in_fan_out = True  # peft sets it to False wherever it meets a Linear
            super().__init__(base, name, config, is_target_conv_1d_layer=True, **options)

        def _get_in_out_features(self, module: Any) -> tuple[int, int]:
            inputs, outputs = module.weight.shape
            return inputs, outputs

    tell({Conv1D: Adapted})
    return config
