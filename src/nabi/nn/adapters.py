"""Adapters of peft in a model: small matrices that learn beside its frozen weights.

model.add_adapter(LoraConfig(…))                a new one, to be trained
model.load_adapter(folder)                      one from disk or the Hub; from_pretrained(folder) does it too
model.set_adapter, enable_adapters, …           which of them work
model.save_pretrained(folder)                   writes the active one alone, in peft's files
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ..checkpoint import Weights, find_weights
from ..hub import ADAPTER, Repository
from .linear import Conv1D

DEFAULT = "default"
_FILES = ("adapter_model.safetensors", "adapter_model.bin")
_PREFIX = "base_model.model."  # before the names on disk, as peft wraps a model


class AdapterMethods(nn.Module):
    """What PreTrainedModel has for adapters. All need the package peft (ImportError without)."""

    name_or_path: str
    peft_config: Any  # name of an adapter -> its configuration; peft sets it

    def add_adapter(self, adapter_config: Any, adapter_name: str | None = None) -> None:
        """Put a new adapter in, and freeze all other weights. ValueError if the name ("default") is taken."""
        name = self._new_name(adapter_name)
        if not isinstance(adapter_config, _peft().PeftConfig):
            raise TypeError(f"add_adapter takes a configuration of peft, got {type(adapter_config).__name__}")
        adapter_config.base_model_name_or_path = adapter_config.base_model_name_or_path or self.name_or_path
        _peft().inject_adapter_in_model(fitting(adapter_config, self), self, name)
        self.set_adapter(name)

    def load_adapter(
        self,
        peft_model_id: str | Path | Repository | None = None,
        adapter_name: str | None = None,
        *,
        peft_config: Any = None,
        adapter_state_dict: dict[str, Tensor] | None = None,
        is_trainable: bool = False,
        adapter_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Put in the adapter of a folder or repository, or of a configuration and its tensors, and activate it.

        is_trainable: whether it goes on learning. revision, token, subfolder and their like say where. Raises OSError
        for missing files, ValueError if the name ("default") is taken or the tensors do not fit the model.
        """
        name = self._new_name(adapter_name)
        given = {**options, **(adapter_kwargs or {})}
        for unused in ("device_map", "max_memory", "offload_folder", "offload_index", "low_cpu_mem_usage"):
            given.pop(unused, None)
        if peft_model_id is not None:
            if not isinstance(peft_model_id, Repository):
                peft_model_id = Repository.open(peft_model_id, given)
            peft_config, adapter_state_dict = _read(peft_model_id, peft_config)
        if given:
            raise TypeError(f"load_adapter got unknown arguments: {', '.join(given)}")
        if peft_config is None or adapter_state_dict is None:
            raise ValueError("load_adapter takes a folder or repository, or peft_config and adapter_state_dict")
        peft_config.inference_mode = not is_trainable
        _peft().inject_adapter_in_model(fitting(peft_config, self), self, name)
        self._take(name, {key.removeprefix(_PREFIX): value for key, value in adapter_state_dict.items()})
        self.set_adapter(name)
        if not is_trainable:
            self.eval()
            for layer in self._adapted():
                layer.requires_grad_(False)

    def set_adapter(self, adapter_name: str | list[str]) -> None:
        """Activate this adapter, or these, instead of those that were. ValueError for a name that is not there."""
        names = [adapter_name] if isinstance(adapter_name, str) else list(adapter_name)
        for name in names:
            self._config_of(name)
        for layer in self._adapted():
            layer.set_adapter(adapter_name)

    def disable_adapters(self) -> None:
        """Compute as if there were none."""
        for layer in self._adapted():
            layer.enable_adapters(False)

    def enable_adapters(self) -> None:
        for layer in self._adapted():
            layer.enable_adapters(True)

    def active_adapters(self) -> list[str]:
        """Names of the active ones. ValueError if the model has none at all."""
        active = next(self._adapted()).active_adapter
        return [active] if isinstance(active, str) else list(active)

    def active_adapter(self) -> str:
        """The first of the active ones."""
        return self.active_adapters()[0]

    def delete_adapter(self, adapter_names: str | list[str]) -> None:
        """Take these out for good."""
        for name in [adapter_names] if isinstance(adapter_names, str) else list(adapter_names):
            self._config_of(name)
            for layer in self._adapted():
                layer.delete_adapter(name)
            del self.peft_config[name]

    def get_adapter_state_dict(
        self, adapter_name: str | None = None, state_dict: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """The tensors of one adapter, by default the active one, under the names of the model's modules."""
        name = adapter_name or self.active_adapter()
        self._config_of(name)
        found: dict[str, Tensor] = _peft().get_peft_model_state_dict(self, state_dict=state_dict, adapter_name=name)
        return found

    def save_adapter(self, folder: Path, state_dict: dict[str, Tensor] | None, safetensors: bool) -> None:
        """Write the active adapter in peft's files. ValueError if several are active."""
        active = self.active_adapters()
        if len(active) > 1:
            raise ValueError(f"{len(active)} adapters are active ({', '.join(active)}): set_adapter(…) one to save it")
        tensors = {_PREFIX + key: value for key, value in self.get_adapter_state_dict(active[0], state_dict).items()}
        folder.mkdir(parents=True, exist_ok=True)
        self._config_of(active[0]).save_pretrained(folder)
        if safetensors:
            from safetensors.torch import save_file

            save_file({key: value.contiguous() for key, value in tensors.items()}, folder / _FILES[0], {"format": "pt"})
        else:
            import torch

            torch.save(tensors, folder / _FILES[1])

    @property
    def has_adapters(self) -> bool:
        """Whether one was added or loaded."""
        return bool(getattr(self, "peft_config", None))

    # --- inside

    def _new_name(self, name: str | None) -> str:
        name = DEFAULT if name is None else name
        if name in (getattr(self, "peft_config", None) or {}):
            raise ValueError(f"the model has an adapter {name!r} already: pass another adapter_name")
        return name

    def _config_of(self, name: str) -> Any:
        known = getattr(self, "peft_config", None) or {}
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none: add_adapter or load_adapter puts one in"
            raise ValueError(f"the model has no adapter {name!r}; {has}")
        return known[name]

    def _adapted(self) -> Iterator[Any]:
        """The modules that hold adapters; ValueError if there are none."""
        if not self.has_adapters:
            raise ValueError("the model has no adapters: add_adapter or load_adapter puts one in")
        from peft.tuners.tuners_utils import BaseTunerLayer
        from peft.utils import ModulesToSaveWrapper

        kinds = (BaseTunerLayer, ModulesToSaveWrapper)
        return iter([module for module in self.modules() if isinstance(module, kinds)])

    def _take(self, name: str, tensors: dict[str, Tensor]) -> None:
        """Fill an adapter with tensors of its own names, all of them, and what was saved of the model's beside them."""
        wanted = _peft().get_peft_model_state_dict(self, adapter_name=name, save_embedding_layers=False)
        unknown = sorted(set(tensors) - set(wanted) - set(self.state_dict()))
        missing = sorted(set(wanted) - set(tensors))
        if unknown or missing:
            what = f"has {unknown[0]!r}, which the model has not" if unknown else f"lacks {missing[0]!r}"
            raise ValueError(
                f"the adapter does not fit {type(self).__name__}: it {what} ({len(unknown)} such, {len(missing)} "
                "missing); load it into the class of model that it was trained on"
            )
        _peft().set_peft_model_state_dict(self, tensors, name)


def find_weights_or_base(repository: Repository, **how: Any) -> tuple[Weights, Repository | None]:
    """The weights of a checkpoint, and None; of an adapter, those of the model that it was made for, and that.

    how: as in find_weights. Raises OSError if there are neither.
    """
    try:
        return find_weights(repository, **how), None
    except OSError:
        base = repository.base()
        if base is None:
            raise
        return find_weights(base, **how), base


def with_saved_modules(adapter: Repository | None, model: nn.Module, weights: Mapping[str, Tensor]) -> Any:
    """The weights, and before them what the adapter's file holds of the model itself: a head that was trained whole."""
    assert adapter is not None
    own, (_, tensors) = set(model.state_dict()), _read(adapter, None)
    names = {key.removeprefix(_PREFIX): value for key, value in tensors.items()}
    return ChainMap({name: value for name, value in names.items() if name in own}, weights)  # type: ignore[arg-type]


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise ImportError('adapters are made by peft: pip install "nabi[train]"') from error
    return peft


def _read(repository: Repository, config: Any) -> tuple[Any, dict[str, Tensor]]:
    """The configuration, unless it is given, and the tensors of an adapter on disk or the Hub."""
    file = repository.file(ADAPTER)
    path = repository.find(*_FILES)
    if path is None:
        raise OSError(f"{repository.name} has {ADAPTER}, but neither {' nor '.join(_FILES)}")
    config = config or _peft().PeftConfig.from_pretrained(str(file.parent))
    return config, dict(Weights([path]).items())


def fitting(config: Any, model: nn.Module) -> Any:
    """The configuration, told of GPT-2's layers, whose weights are (in, out), where the model has them.

    peft knows such layers by the class that its `transformers` holds: nabi's with the drop-in, another without. LoRA
    can be told of a class; its files are the same either way. ValueError for adapters that only the drop-in can have.
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
