"""A model's configuration: the keys of its config.json, one field each.

A family's configuration is a class whose annotated attributes are those keys, with their defaults. Every key of
a file is one of three things: a field, a key known to have no effect on the computation (kept, and written
back), or unknown, which is an error: a key ignored in silence is this field's commonest wrong answer. What a user
set on a configuration is saved with its name in `own_keys`, and is read again.
"""

from __future__ import annotations

import copy
import difflib
import inspect
import json
import logging
from collections.abc import Callable, Sequence
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from .hub import PushToHubMixin, Repository, upload

logger = logging.getLogger(__name__)

CONFIG_NAME = "config.json"

# Keys that any config.json may hold and that change nothing in a forward pass. The generation settings of old
# checkpoints are among them: `generate` reads them, the model does not.
GENERATION_KEYS = frozenset(
    """max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature
    top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size
    bad_words_ids num_return_sequences output_scores return_dict_in_generate forced_bos_token_id
    forced_eos_token_id remove_invalid_values exponential_decay_length_penalty suppress_tokens
    begin_suppress_tokens max_new_tokens cache_implementation""".split()
)
NO_EFFECT = GENERATION_KEYS | frozenset(
    """_name_or_path _commit_hash transformers_version transformers.js_config auto_map tokenizer_class prefix
    task_specific_params finetuning_task gradient_checkpointing chunk_size_feed_forward use_bfloat16 torchscript
    tf_legacy_loss output_past cross_attention_hidden_size _num_labels model_max_length adapters directionality
    pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type
    language unsloth_version unsloth_fixed _attn_implementation _attn_implementation_autoset attn_implementation
    attn_implementation_internal custom_pipelines author created_date license xla_device use_return_dict
    seq_length max_seq_length _diffusers_version unk_token_id mask_token_id cls_token_id processor_class
    name sentence_transformers sbert_ce_default_activation_function eos_token_ids padding own_keys""".split()
)


class Config(PushToHubMixin):
    """The base of all configurations. `SomeConfig(**keys)`; an unknown key is a ValueError."""

    model_type: ClassVar[str] = ""
    also_reads: ClassVar[tuple[str, ...]] = ()  # other model types whose config.json has this layout
    aliases: ClassVar[dict[str, str]] = {}  # common name -> this family's name: hidden_size -> n_embd
    no_effect: ClassVar[frozenset[str]] = NO_EFFECT
    only: ClassVar[dict[str, Any]] = {}  # keys that are no fields: with this value they say nothing, others are refused
    nested: ClassVar[dict[str, Callable[..., Config]]] = {}  # field -> the from_dict that makes its configuration
    older: ClassVar[tuple[str, ...]] = ()  # keys of old files, which the family's __init__ turns into others
    inside: ClassVar[str] = ""  # the key that holds this configuration in the file of a larger model

    architectures: list[str] | None = None
    torch_dtype: str | None = None
    num_labels: int = 2
    id2label: dict[int, str] | None = None
    label2id: dict[str, int] | None = None
    problem_type: str | None = None
    return_dict: bool = True
    output_hidden_states: bool = False
    output_attentions: bool = False
    use_cache: bool = True
    tie_word_embeddings: bool = True
    is_decoder: bool = False
    is_encoder_decoder: bool = False
    add_cross_attention: bool = False
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    sep_token_id: int | None = None
    decoder_start_token_id: int | None = None
    pruned_heads: dict[str, list[int]] | None = None
    tie_encoder_decoder: bool = False
    quantization_config: dict[str, Any] | None = None

    def __init__(self, **keys: Any) -> None:
        keys.pop("model_type", None)
        if "dtype" in keys:
            keys["torch_dtype"] = keys.pop("dtype")
        num_labels = keys.pop("num_labels", None)
        for key, value in self.only.items():
            if keys.pop(key, value) != value:
                raise ValueError(
                    f"config key {key!r} asks for what nabi's {self.model_type} does not compute: only {value!r} is "
                    "supported, use another checkpoint"
                )
        unknown = [key for key in keys if not self.is_key(key)]
        if unknown:
            raise ValueError("; ".join(self._unknown_key(key, keys[key]) for key in unknown))
        for name, default in self.defaults().items():
            if name != "num_labels":
                setattr(self, name, list(default) if isinstance(default, tuple) else copy.copy(default))
        for name, value in keys.items():
            if value is not None or not isinstance(getattr(type(self), name, None), str):  # null: as if not there
                setattr(self, name, value)
        for name in self.nested:
            if getattr(self, name) is None:
                setattr(self, name, {})
        self._settle_labels(num_labels)
        self.check()

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Every field of this configuration with its default, the family's own first."""
        fields: dict[str, Any] = {}
        for owner in cls.__mro__:
            for name, annotation in vars(owner).get("__annotations__", {}).items():
                if not str(annotation).startswith("ClassVar"):
                    fields.setdefault(name, getattr(cls, name))
        return fields

    def check(self) -> None:
        """Refuse values that make no model, or that change the computation in a way that nabi does not compute."""
        for name, hint in _hints(type(self)).items():  # type: ignore[arg-type]
            self._check_value(name, getattr(self, name), hint)
        self.require("tie_encoder_decoder", (False, None), "use a checkpoint with separate weights")

    def require(self, key: str, allowed: Sequence[Any], remedy: str) -> None:
        value = getattr(self, key)
        if value not in allowed:
            values = " or ".join(repr(item) for item in allowed if item is not None)
            raise ValueError(
                f"config key {key!r} is {value!r}, but nabi's {self.model_type or 'model'} computes only {values}: "
                f"{remedy}"
            )

    def _check_value(self, key: str, value: Any, hint: Any) -> None:
        """The annotated type; sizes and counts of at least 1, where none at all is not meant; probabilities up to 1; no
        norm's epsilon or initial spread below 0."""
        wanted = "" if _fits(value, hint) else _described(hint)
        default = getattr(type(self), key)
        counts = isinstance(value, Integral) and not isinstance(value, bool) and not key.endswith("_id")
        if not wanted and counts and (default is None or (hint is int and default >= 0)):
            none_meant = default == 0 or any(part in key for part in ("layers", "_min_", "type_vocab"))
            wanted = "a whole number from " + ("0" if none_meant else "1") if value < (not none_meant) else ""
        if not wanted and ("drop" in key or key.endswith("_prob")) and isinstance(value, (int, float)):
            wanted = "" if 0 <= value <= 1 else "a number from 0 to 1"
        if not wanted and key.endswith(("_eps", "_epsilon", "initializer_range")) and isinstance(value, (int, float)):
            wanted = "" if value >= 0 else "a number from 0"
        if wanted:
            raise ValueError(
                f"config key {key!r} is {value!r}; expected {wanted}: correct config.json, or the argument"
            )

    def update_from_string(self, update_str: str) -> None:
        """Set keys as `--config_overrides n_embd=10,scale_attn_weights=false` names them, each of the kind that it has.

        Raises ValueError for a key that there is not, or a value of another kind.
        """
        for pair in update_str.split(","):
            key, _, text = pair.partition("=")
            if not hasattr(self, key):
                raise ValueError(f"{type(self).__name__} has no key {key!r}, which {update_str!r} would set")
            old = getattr(self, key)
            kinds = {
                "true": True,
                "1": True,
                "y": True,
                "yes": True,
                "false": False,
                "0": False,
                "n": False,
                "no": False,
            }
            if isinstance(old, bool) and text.lower() in kinds:
                setattr(self, key, kinds[text.lower()])
            elif isinstance(old, (int, float, str)) and not isinstance(old, bool):
                setattr(self, key, type(old)(text))
            else:
                raise ValueError(
                    f"config key {key!r} is {old!r}, which {text!r} in a string cannot replace: set it itself"
                )

    # --- names ----------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name == "use_return_dict":  # version 4 asks so
            return self.return_dict
        alias = type(self).aliases.get(name)
        if alias is None:
            raise AttributeError(f"{type(self).__name__} has no key {name!r}")
        return getattr(self, alias)

    def __setattr__(self, name: str, value: Any) -> None:
        name = type(self).aliases.get(name, name)
        value = self._nest(name, value)
        if not hasattr(type(self), name) and name not in vars(self):
            self._warn_of_misspelling(name)
        if name == "num_labels":
            self._settle_labels(value)
        else:
            object.__setattr__(self, name, value)
            if name == "id2label" and value is not None:
                object.__setattr__(self, "id2label", _by_number(value))
                object.__setattr__(self, "num_labels", len(value))

    @classmethod
    def _nest(cls, name: str, value: Any, **options: Any) -> Any:
        """The configuration that a field holds, made of its keys; other fields as they are."""
        if name not in cls.nested or not isinstance(value, dict):
            return value
        try:
            return cls.nested[name](value, **options)
        except ValueError as error:
            raise ValueError(f"in {name!r}: {error}") from None

    @property
    def name_or_path(self) -> str:
        """The folder or repository that it was read from, or nothing."""
        return vars(self).get("_name_or_path", "")

    @name_or_path.setter
    def name_or_path(self, value: Any) -> None:
        self._name_or_path = str(value or "")

    @property
    def sub_configs(self) -> dict[str, type[Config]]:
        """The classes of the configurations inside this one, by the field that holds each."""
        return {name: type(getattr(self, name)) for name in self.nested if isinstance(getattr(self, name), Config)}

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> Config:
        """The configuration of the part that works on text (of two such, the one that writes): one inside, or this."""
        inside = self.sub_configs
        for name in ("text_config", *(() if encoder else ("decoder",))):
            if name in inside:
                found: Config = getattr(self, name)
                return found
        return self

    @property
    def dtype(self) -> str | None:
        return self.torch_dtype

    @dtype.setter
    def dtype(self, value: Any) -> None:
        self.torch_dtype = value

    def _warn_of_misspelling(self, name: str) -> None:
        """An attribute that is no key is a note of the user's own, which no model reads; perhaps a key was meant."""
        own_class = type(self).__init__ is not Config.__init__
        if own_class or name.startswith("_") or self.is_key(name):
            return
        if near := difflib.get_close_matches(name, [*self.defaults(), *self.aliases], 1, 0.85):
            logger.warning(
                "%s has no key %r: did you mean %r? As it is, no model reads it", type(self).__name__, name, near[0]
            )

    def _unknown_key(self, key: str, value: Any) -> str:
        near = difflib.get_close_matches(key, [*self.defaults(), *self.aliases], n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        return (
            f"{type(self).__name__} does not know the key {key!r} = {value!r}{hint}. It may change what the model "
            "computes, so it is not ignored in silence; if it has no effect, remove it from config.json or load "
            "with ignore_unknown_keys=True"
        )

    def _settle_labels(self, num_labels: int | None) -> None:
        """Make num_labels, id2label and label2id agree; a given count renews names of another count."""
        names = self.__dict__.get("id2label")
        if not isinstance(num_labels, Integral | None) or (num_labels is not None and num_labels < 0):
            raise ValueError(f"config key 'num_labels' is {num_labels!r}; expected a whole number")
        if names is None or (num_labels is not None and num_labels != len(names)):
            count = type(self).num_labels if num_labels is None else int(num_labels)
            names = {i: f"LABEL_{i}" for i in range(count)}
            object.__setattr__(self, "label2id", None)
        object.__setattr__(self, "id2label", _by_number(names))
        object.__setattr__(self, "num_labels", len(names))
        if self.__dict__.get("label2id") is None:
            object.__setattr__(self, "label2id", {label: int(i) for i, label in names.items()})

    # --- files ----------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, *, return_unused_kwargs: bool = False, **options: Any) -> Any:
        """Read config.json of a folder or a Hub repository; other keywords override its keys.

        Of an adapter of peft, that of the model that it adapts.
        """
        keys, options = cls.get_config_dict(name_or_path, **options)
        overrides = {key: options.pop(key) for key in list(options) if cls.is_key(key) or key in cls._of_users_init()}
        config = cls.from_dict(keys, source=str(name_or_path), **options.pop("_from_dict", {}), **overrides)
        config.name_or_path = name_or_path
        if return_unused_kwargs:
            return config, options
        if options:
            raise TypeError(f"{cls.__name__}.from_pretrained got unknown arguments: {', '.join(options)}")
        return config

    @classmethod
    def _of_users_init(cls) -> set[str]:
        """What the __init__ of a user's own class names: its keys, as configurations of version 4 were written."""
        named = list(inspect.signature(cls.__init__).parameters.values())[1:]
        return {each.name for each in named if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}

    @classmethod
    def get_config_dict(cls, name_or_path: str | Path, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The raw keys of config.json and the options that are not about finding it."""
        from_dict = {"ignore_unknown_keys": options.pop("ignore_unknown_keys", False)}
        options.pop("trust_remote_code", None)  # nothing of a repository is ever executed
        repository = Repository.open(name_or_path, options)
        try:
            file = repository.file(CONFIG_NAME)
        except FileNotFoundError:
            base = repository.base()  # an adapter has none of its own
            if base is None:
                raise
            file = base.file(CONFIG_NAME)
        return read_json(file), {**options, "_from_dict": from_dict}

    @classmethod
    def from_dict(
        cls, keys: dict[str, Any], *, source: str = "", ignore_unknown_keys: bool = False, **overrides: Any
    ) -> Any:
        """Build from the keys of a config.json. A wrong model_type or an unknown key is a ValueError."""
        if keys.get("model_type") != cls.model_type and isinstance(keys.get(cls.inside), dict):
            keys = keys[cls.inside]
        found = keys.get("model_type")
        where = f"config.json of {source}: " if source else ""
        if found and cls.model_type and found not in (cls.model_type, *cls.also_reads):
            raise ValueError(
                f"{where}model_type is {found!r}, but {cls.__name__} reads {cls.model_type!r}: load it with "
                f"AutoConfig / AutoModel…, or with the classes of {found!r}"
            )
        keys = {**keys, **overrides}
        if "num_labels" in overrides and "id2label" not in overrides:
            keys.pop("id2label", None)
            keys.pop("label2id", None)
        if ignore_unknown_keys:
            known = {key: value for key, value in keys.items() if cls.is_key(key)}
            keys = {key: cls._nest(key, value, ignore_unknown_keys=True) for key, value in known.items()}
        named = inspect.signature(cls.__init__).parameters  # a user's own class takes its keys there
        listed = [key for key in keys.pop("own_keys", None) or () if key in keys]
        own = {key: keys.pop(key) for key in listed if key not in named and not cls.is_key(key)}
        try:
            config = cls(**keys)
        except ValueError as error:
            raise ValueError(f"{where}{error}") from None
        config.update(own)
        return config

    @classmethod
    def from_json_file(cls, file: str | Path) -> Any:
        return cls.from_dict(read_json(Path(file)), source=str(file))

    @classmethod
    def is_key(cls, key: str) -> bool:
        """Whether config.json may hold this key: a field, or one without effect."""
        named = (cls.defaults(), cls.aliases, cls.no_effect, cls.only, cls.older, ("dtype",))
        return any(key in names for names in named)

    def to_dict(self) -> dict[str, Any]:
        """All keys as they stand in config.json: the family's own unless None, the common ones where they differ."""
        common = Config.defaults()
        keys: dict[str, Any] = {}
        for name, value in vars(self).items():
            if name.startswith("_") and name not in vars(type(self)):
                continue  # where a checkpoint came from is no part of it
            if name in common and value == getattr(type(self), name) and name not in vars(type(self)):
                continue
            if value is None and getattr(type(self), name, None) is None:
                continue
            keys[name] = _plain(value)
        if self.id2label == {i: f"LABEL_{i}" for i in range(2)}:
            del keys["id2label"], keys["label2id"]
        keys.pop("num_labels", None)
        if own := [key for key in keys if not self.is_key(key)]:
            keys["own_keys"] = own  # set by the user: no model reads them, so that a file with them is no riddle
        return {"model_type": self.model_type, **keys}

    def to_diff_dict(self) -> dict[str, Any]:
        """The keys that differ from the family's defaults."""
        defaults = type(self)().to_dict()
        keys = self.to_dict()
        return {k: v for k, v in keys.items() if k == "model_type" or k not in defaults or defaults[k] != v}

    def to_json_string(self, use_diff: bool = True) -> str:
        keys = self.to_diff_dict() if use_diff else self.to_dict()
        return json.dumps(keys, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def save_pretrained(self, folder: str | Path, push_to_hub: bool = False, **options: Any) -> None:
        """Write config.json into the folder, which is made if need be. push_to_hub: upload it too, to repo_id (the
        folder's name); options as in hub.upload."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.to_json_file(folder / CONFIG_NAME, use_diff=False)
        if push_to_hub:
            upload(folder, options.pop("repo_id", folder.name), **options)

    def to_json_file(self, json_file_path: str | Path, use_diff: bool = True) -> None:
        Path(json_file_path).write_text(self.to_json_string(use_diff), encoding="utf-8")

    def update(self, keys: dict[str, Any]) -> None:
        for key, value in keys.items():
            setattr(self, key, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.to_dict() == other.to_dict()  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


def _by_number(names: Any) -> dict[int, str]:
    """The names of labels with numbers for keys, which JSON makes text."""
    if not isinstance(names, dict) or not all(str(number).isdecimal() for number in names):
        raise ValueError(
            f"config key 'id2label' is {names!r}; expected the names of labels by their number, as "
            '{"0": "negative", "1": "positive"}'
        )
    return {int(number): name for number, name in names.items()}


@cache
def _hints(cls: type[Config]) -> dict[str, Any]:
    """The type of every field; dtypes come as torch's own too, and labels are looked at apart."""
    hints = get_type_hints(cls)
    return {name: hints[name] for name in cls.defaults() if name not in ("torch_dtype", "id2label")}


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of the annotated type. null will do for false."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any or (value is None and hint is bool):
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin in (list, tuple):
        return isinstance(value, (list, tuple)) and all(_fits(item, inner[0]) for item in value)
    if hint in (int, float):
        return isinstance(value, Integral if hint is int else Real) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def _described(hint: Any) -> str:
    """An annotation in words, for messages."""
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(dict.fromkeys(_described(each) for each in get_args(hint)))
    if get_origin(hint) in (list, tuple):
        return f"a list with {_described(get_args(hint)[0])} in each place"
    return words.get(hint, "an object with keys")


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object from a file; anything else is a ValueError that names the file."""
    try:
        value = json.loads(file.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{file} is not valid JSON ({error}): download or save it again") from None
    if not isinstance(value, dict):
        raise ValueError(f"{file} holds a JSON {type(value).__name__}, expected an object with keys")
    return value


def _plain(value: Any) -> Any:
    """What JSON can hold: torch dtypes as their names, integer keys as strings."""
    if type(value).__module__ == "torch":
        return str(value).removeprefix("torch.")
    if isinstance(value, Config):
        return value.to_dict()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value
