"""What every model can do: be made, loaded, saved, resized, and tell about itself."""

from __future__ import annotations

import copy
import difflib
import inspect
import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..checkpoint import save_weights
from ..config import Config
from ..hub import PushToHubMixin, Repository, upload
from ..outputs import ModelOutput
from .adapters import AdapterMethods, find_weights_or_base, with_saved_modules
from .cache import check_cache_position
from .calling import with_return_dict
from .embeddings import resize_rows
from .head_masks import NAMES as HEAD_MASKS
from .head_masks import masking_heads, uncompiled
from .loading import Unmade, load_into
from .norms import RMSNorm
from .older_methods import OlderMethods
from .placing import check_attention, check_supported, resolve_dtype, single_device
from .roles import Room

logger = logging.getLogger(__name__)

_UNKNOWN_ARGUMENT = re.compile(r"(?:unexpected keyword|takes no) argument '(\w+)'")

# Keywords of from_pretrained that older code passes and that change nothing here.
_NO_EFFECT = (
    "trust_remote_code",  # nothing of a repository is ever executed
    "low_cpu_mem_usage",  # loading never holds two copies
    "offload_folder",  # nor is anything put off to the disk
    "offload_state_dict",
    "_fast_init",
    "from_pt",
)
_REFUSED = {
    **dict.fromkeys(("load_in_8bit", "load_in_4bit", "quantization_config"), "load a PyTorch checkpoint in float"),
    "max_memory": "a model stays whole on one device; give that by device_map or .to(device)",
    **dict.fromkeys(("from_tf", "from_flax"), "make a PyTorch checkpoint of it first: nabi convert SOURCE TARGET"),
}


class PreTrainedModel(OlderMethods, AdapterMethods, PushToHubMixin):
    """The base of all models. A family says its config class, its prefix, its ties and its legacy names."""

    config_class: ClassVar[type[Config]] = Config
    base_model_prefix: ClassVar[str] = ""
    main_input_name: ClassVar[str] = "input_ids"
    renames: ClassVar[tuple[tuple[str, str], ...]] = ()  # (anchored pattern, replacement), old names on disk
    ignored_on_disk: ClassVar[tuple[str, ...]] = (r"(^|\.)position_ids$",)  # buffers that old versions saved
    ties: ClassVar[dict[str, str]] = {}  # weight name -> the weight that it shares, if the config ties

    _named: ClassVar[frozenset[str]] = frozenset()  # the arguments that the class's forward names

    word_embeddings: Any = None  # role: token ids -> vectors
    output_embeddings: Any = None  # role: hidden states -> scores of tokens

    def __init__(self, config: Config) -> None:
        super().__init__()
        if not isinstance(config, Config):
            raise TypeError(
                f"{type(self).__name__} takes a {self.config_class.__name__}, got {type(config).__name__}; to load a "
                f"checkpoint use {type(self).__name__}.from_pretrained(name_or_path)"
            )
        self.config: Any = config
        self.name_or_path = config.name_or_path  # adapters write it down as their base
        self.recompute = False

    # --- the calling convention -----------------------------------------------------------------------------

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "forward" in vars(cls):
            cls._named = frozenset(inspect.signature(cls.forward).parameters)
            cls.forward = with_return_dict(cls.forward)  # type: ignore[method-assign]

    def __call__(self, *args: Any, return_dict: bool | None = None, **kwargs: Any) -> Any:
        """Run the model. return_dict=False gives the output's fields as a plain tuple; head_mask: see head_masks."""
        own = type(self)._named
        masks = {name: kwargs.pop(name) for name in HEAD_MASKS if name in kwargs and name not in own}
        given = {name: mask for name, mask in masks.items() if mask is not None}
        if "cache_position" not in own and (places := kwargs.pop("cache_position", None)) is not None:
            check_cache_position(places, kwargs.get("past_key_values"))
        if "return_dict" in own:  # a user's own class makes the tuple itself
            kwargs["return_dict"] = return_dict
        try:
            if given:
                with masking_heads(type(self).__name__, given):
                    output = uncompiled(super().__call__)(*args, **kwargs)
            else:
                output = super().__call__(*args, **kwargs)
        except TypeError as error:
            unknown = _UNKNOWN_ARGUMENT.search(str(error))
            if unknown is None or unknown[1] not in kwargs:
                raise
            near = difflib.get_close_matches(unknown[1], self._arguments(), 1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise TypeError(f"{type(self).__name__} takes no argument '{unknown[1]}'{hint}") from error
        as_dict = self.config.return_dict if return_dict is None else return_dict
        return output.to_tuple() if isinstance(output, ModelOutput) and not as_dict else output

    def _arguments(self) -> set[str]:
        """What a call takes, here and in the models inside, to which it goes on."""
        models = [module for module in self.modules() if isinstance(module, PreTrainedModel)]
        calls = [call for model in models for call in (model.forward, getattr(model, "run", None)) if call is not None]
        return {name for call in calls for name in inspect.signature(call).parameters} - {"args", "inputs"}

    @property
    def base_model(self) -> PreTrainedModel:
        """The model without its head."""
        return getattr(self, self.base_model_prefix, self) if self.base_model_prefix else self

    # --- weights --------------------------------------------------------------------------------------------

    def post_init(self) -> None:
        """Initialise the weights made here (a body inside has done its own) and tie; the last line of __init__."""
        if self.config.pruned_heads and self.base_model is self:
            heads, self.config.pruned_heads = self.config.pruned_heads, None
            self.prune_heads({int(layer): numbers for layer, numbers in heads.items()})
        if next(self.parameters()).is_meta:
            self.tie_weights()
            return
        with torch.no_grad():
            for module in reversed(list(self._own_modules())):  # what a block says of its layers comes last
                self._init_weights(module)
        self.tie_weights()

    def _own_modules(self) -> Iterator[nn.Module]:
        pending: list[nn.Module] = [self]
        while pending:
            module = pending.pop()
            yield module
            pending.extend(m for m in module.children() if not isinstance(m, PreTrainedModel))

    def init_module(self, module: nn.Module) -> None:
        """Initial values of one module's own parameters. Families with another scheme override this."""
        std = getattr(self.config, "initializer_range", 0.02)
        if isinstance(module, (nn.LayerNorm, nn.GroupNorm, RMSNorm)):
            for name, parameter in module.named_parameters(recurse=False):
                parameter.fill_(1.0 if name == "weight" else 0.0)
        elif isinstance(module, (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d)):
            module.weight.normal_(0.0, std)
            if not isinstance(module, nn.Embedding) and module.bias is not None:
                module.bias.zero_()
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
        elif isinstance(module, Room):
            for bias in module._parameters.values():
                bias.zero_()  # type: ignore[union-attr]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """What users' own models override for it, as in transformers, or call to begin with some layers anew."""
        self.init_module(module)

    def init_weights(self) -> None:
        """v4's name of post_init, which users' own models call at the end of __init__."""
        self.post_init()

    def tied_weights(self) -> dict[str, str]:
        """Weight name -> the weight whose tensor it shares, in this model as configured and in the models inside."""
        tied = dict(self.ties) if self.config.tie_word_embeddings else {}
        for name, child in self.named_children():
            if isinstance(child, PreTrainedModel):
                tied.update({f"{name}.{alias}": f"{name}.{origin}" for alias, origin in child.tied_weights().items()})
        return tied

    def unstored_weights(self) -> set[str]:
        """Names that a checkpoint may lack because they are made, not learned."""
        return set()

    def tie_weights(self) -> None:
        """Make tied weights one tensor."""
        for alias, origin in self.tied_weights().items():
            room, _, leaf = alias.rpartition(".")
            place: Any = self.get_submodule(room)
            place._parameters[leaf] = weight = self.get_parameter(origin)
            if isinstance(place, nn.Embedding):  # after a resize, it reports the size that it now has
                place.num_embeddings, place.embedding_dim = weight.shape
            elif isinstance(place, nn.Linear) and leaf == "weight":
                place.out_features, place.in_features = weight.shape

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """How many numbers the model holds, tied weights counted once."""
        left_out = (
            {id(m.weight) for m in self.modules() if isinstance(m, nn.Embedding)} if exclude_embeddings else set()
        )
        return sum(
            p.numel() for p in self.parameters() if id(p) not in left_out and (p.requires_grad or not only_trainable)
        )

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    # --- embeddings -----------------------------------------------------------------------------------------

    def get_input_embeddings(self) -> nn.Module:
        """The module that turns token ids into vectors."""
        found = self.word_embeddings if self.base_model is self else self.base_model.get_input_embeddings()
        if found is None:
            raise ValueError(f"{type(self).__name__} has no token embeddings: its input is {self.main_input_name}")
        return found

    def set_input_embeddings(self, module: nn.Module) -> None:
        body = self.base_model
        if body is self:
            self.word_embeddings = module
        else:
            body.set_input_embeddings(module)

    def get_output_embeddings(self) -> nn.Module | None:
        """The module that scores tokens, or None in a model without a vocabulary head."""
        return self.output_embeddings

    def set_output_embeddings(self, module: nn.Module) -> None:
        self.output_embeddings = module

    def resize_token_embeddings(
        self, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None, mean_resizing: bool = True
    ) -> nn.Module:
        """Change the number of tokens, of the vocabulary head too, and of config.vocab_size.

        New rows start as the mean of the old ones (mean_resizing) or as the family initialises. Returns the new
        input embeddings.
        """
        old: Any = self.get_input_embeddings()
        count = old.num_embeddings if new_num_tokens is None else int(new_num_tokens)
        if pad_to_multiple_of:
            count = math.ceil(count / pad_to_multiple_of) * pad_to_multiple_of
        if count == old.num_embeddings:
            return old
        if count < 1:
            raise ValueError(f"new_num_tokens is {count}; a vocabulary has at least one token")
        self.set_input_embeddings(resize_rows(old, count, mean_resizing, self.init_module))
        head = self.get_output_embeddings()
        if head is not None:
            self.set_output_embeddings(resize_rows(head, count, mean_resizing, self.init_module))
        self._resize_rest(count)
        self.config.update({"vocab_size": count})
        self.tie_weights()
        return self.get_input_embeddings()

    def _resize_rest(self, count: int) -> None:
        """Resize what depends on the vocabulary beside the two embeddings: biases tied to the head's."""
        for alias, origin in self.tied_weights().items():
            if alias.endswith(".bias"):
                room, _, leaf = origin.rpartition(".")
                self.get_submodule(room)._parameters[leaf] = self.get_parameter(alias)

    # --- files ----------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | Path | None,
        *,
        config: Config | str | Path | None = None,
        state_dict: dict[str, Tensor] | None = None,
        dtype: torch.dtype | str | None = None,
        torch_dtype: torch.dtype | str | None = None,
        ignore_mismatched_sizes: bool = False,
        output_loading_info: bool = False,
        use_safetensors: bool | None = None,
        variant: str | None = None,
        device_map: Any = None,
        **options: Any,
    ) -> Any:
        """Load a model from a folder or a Hub repository, in eval mode.

        dtype (torch_dtype): None gives torch's default dtype (float32), "auto" the checkpoint's own, else a dtype
        or its name. revision, cache_dir, token, local_files_only, force_download and subfolder say where; other
        keywords override keys of the config, or go to the class's __init__ where that takes them (add_pooling_layer,
        and what a user's own class asks for). A missing head is initialised, with a warning that names its weights.
        Of an adapter of peft, the model is loaded that it was made for, and the adapter put in.
        Raises OSError for files that are missing or broken, ValueError for a config or shapes that do not fit.
        """
        for name in _NO_EFFECT:
            options.pop(name, None)
        for name, remedy in _REFUSED.items():
            if options.pop(name, None):
                raise ValueError(f"from_pretrained({name}=…) is not supported: {remedy}")
        check_attention(options.pop("attn_implementation", None))
        if options.pop("torchscript", None):
            options["return_dict"] = False  # torch.jit.trace takes tuples
        made_with = cls._for_init(options)
        config, repository = cls._open(name_or_path, config, options)
        base: Repository | None = None
        weights: Any = state_dict
        if state_dict is None:
            if repository is None:
                raise ValueError("from_pretrained needs a name or folder, or a state_dict")
            weights, base = find_weights_or_base(repository, use_safetensors=use_safetensors, variant=variant)
        wanted = resolve_dtype(torch_dtype if dtype is None else dtype, config, weights)
        config.name_or_path = name_or_path if base is None else base.name
        try:
            with Unmade():
                model = cls(config, **made_with)
        except (ValueError, TypeError, ArithmeticError, AssertionError, LookupError, RuntimeError) as error:
            raise ValueError(f"the config of {name_or_path} makes no {cls.__name__}: {error}") from error
        if base is not None:
            weights = with_saved_modules(repository, model, weights)
        info = load_into(
            model, weights, source=str(name_or_path), dtype=wanted, ignore_mismatched_sizes=ignore_mismatched_sizes
        )
        if repository is not None:
            model.read_settings(base or repository)
        model.eval()
        if base is not None:
            model.load_adapter(repository)
        if device_map is not None:
            model.to(single_device(device_map))
        return (model, vars(info)) if output_loading_info else model

    @classmethod
    def _for_init(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Take out of the options what the class's own __init__ names beside the config."""
        named = inspect.signature(cls.__init__).parameters
        own = [name for name in options if name in named and not cls.config_class.is_key(name)]
        return {name: options.pop(name) for name in own}

    @classmethod
    def _open(
        cls, name_or_path: str | Path | None, config: Config | str | Path | None, options: dict[str, Any]
    ) -> tuple[Config, Repository | None]:
        """The configuration, with the overrides among the options, and the place of the weights."""
        rest = dict(options)
        repository = None if name_or_path is None else Repository.open(name_or_path, rest)
        if isinstance(config, Config):
            found, unused = copy.deepcopy(config), [key for key in rest if not config.is_key(key)]
            found.update(rest)
        else:
            source = config or name_or_path
            if source is None:
                raise ValueError("from_pretrained needs a name or folder, or a config with a state_dict")
            found, unused = cls.config_class.from_pretrained(source, return_unused_kwargs=True, **options)
        if unused:
            raise TypeError(
                f"{cls.__name__}.from_pretrained got unknown arguments: {', '.join(unused)}; they are neither options "
                f"nor keys of {cls.config_class.__name__}"
            )
        check_supported(found)
        return found, repository

    @classmethod
    def from_config(cls, config: Config, **options: Any) -> Any:
        """A model with fresh random weights; dtype (torch_dtype) as in from_pretrained."""
        dtype = resolve_dtype(options.pop("dtype", options.pop("torch_dtype", None)), config, None)
        model = cls(config)
        return model if dtype is None else model.to(dtype)

    _from_config = from_config

    def save_pretrained(
        self,
        save_directory: str | Path,
        *,
        state_dict: dict[str, Tensor] | None = None,
        max_shard_size: int | str = "50GB",
        safe_serialization: bool = True,
        push_to_hub: bool = False,
        **options: Any,
    ) -> None:
        """Write config.json and the weights; tied weights once. safe_serialization=False writes a .bin file.

        Of a model with adapters the active one is written, alone.
        """
        folder = Path(save_directory)
        if folder.is_file():
            raise OSError(f"save_pretrained({str(folder)!r}): that is a file, expected a folder")
        options.pop("is_main_process", None)
        options.pop("save_function", None)
        if self.has_adapters:
            self.save_adapter(folder, state_dict, safe_serialization)
        else:
            self._save_whole(folder, state_dict, max_shard_size, safe_serialization)
        if push_to_hub:
            upload(folder, options.pop("repo_id", folder.name), **options)

    def _save_whole(
        self, folder: Path, state_dict: dict[str, Tensor] | None, max_shard_size: int | str, safetensors: bool
    ) -> None:
        self.config.architectures = [type(self).__name__]
        self.config.torch_dtype = str(self.dtype).removeprefix("torch.")
        self.config.save_pretrained(folder)
        self.write_settings(folder)
        tied = self.tied_weights()
        tensors = self.state_dict() if state_dict is None else state_dict
        stored = {name: tensor for name, tensor in tensors.items() if name not in tied}
        save_weights(stored, folder, max_shard_size=max_shard_size, safetensors=safetensors)

    @classmethod
    def can_generate(cls) -> bool:
        """Whether the model can write texts; if so it is a GenerationMixin too."""
        return False

    def read_settings(self, repository: Repository) -> None:
        """Take what a checkpoint says beside the config of how the model is used; most have nothing."""

    def write_settings(self, folder: Path) -> None:
        """Write it back."""

    # --- switches -------------------------------------------------------------------------------------------

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: dict[str, Any] | None = None) -> None:
        """Recompute each block in the backward pass: less memory, about a third more time. No cache meanwhile."""
        for module in self.modules():
            if isinstance(module, PreTrainedModel):
                module.recompute = True

    def gradient_checkpointing_disable(self) -> None:
        for module in self.modules():
            if isinstance(module, PreTrainedModel):
                module.recompute = False

    @property
    def recomputes(self) -> bool:
        """Whether this pass recomputes blocks: gradient checkpointing is on, and the model trains."""
        return self.recompute and self.training

    @property
    def is_gradient_checkpointing(self) -> bool:
        return self.recompute

    def enable_input_require_grads(self) -> None:
        """Let gradients flow to the embeddings' output, for adapters on a frozen model."""
        hook = self.get_input_embeddings().register_forward_hook(lambda module, inputs, out: out.requires_grad_(True))
        self._input_hooks = [*vars(self).get("_input_hooks", []), hook]
