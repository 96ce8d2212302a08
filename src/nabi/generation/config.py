"""The settings of `generate`: defaults, generation_config.json, and what contradicts what."""

from __future__ import annotations

import copy
import difflib
import json
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from ..config import GENERATION_KEYS, Config, read_json
from ..hub import PushToHubMixin, Repository, upload

GENERATION_CONFIG_NAME = "generation_config.json"
SPECIAL_TOKENS = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")

# Settings of speech models, which stand in their file and in nobody else's.
_OF_SPEECH = (
    "alignment_heads",
    "compression_ratio_threshold",
    "condition_on_prev_tokens",
    "force_unique_generate_call",
    "forced_decoder_ids",
    "is_multilingual",
    "lang_to_id",
    "language",
    "logprob_threshold",
    "max_initial_timestamp_index",
    "median_filter_width",
    "no_speech_threshold",
    "no_timestamps_token_id",
    "prev_sot_token_id",
    "return_timestamps",
    "task",
    "task_to_id",
)
# What a file may hold and nabi has no use for: it changes how fast or how thriftily others compute, not what.
_NO_EFFECT = {
    *("_commit_hash", "_from_model_config", "transformers_version", "trust_remote_code"),
    *("cache_config", "compile_config", "disable_compile", "low_memory", "max_cache_len", "prefill_chunk_size"),
    *("continuous_batching_config", "_name_or_path", "synced_gpus"),
}
_REFUSED = {
    "watermarking_config": "nabi puts no watermark into texts",
    "dola_layers": "nabi does not decode by contrasting layers",
    "token_healing": "nabi does not heal tokens: end the prompt at a whole word, without a space",
    "assistant_early_exit": "pass an assistant_model instead",
    "assistant_ensemble_weight": "nabi accepts a draft against the model itself alone",
    "use_mtp": "pass an assistant_model instead",
    "speculation_type": "pass an assistant_model, or prompt_lookup_num_tokens",
}
_CACHES = ("dynamic", "dynamic_full", "static", "sliding_window", "hybrid", "hybrid_chunked")


class GenerationConfig(PushToHubMixin):
    """How texts are written; every field has a default, and `given` holds the names that somebody set.

    Names and defaults are those that people know from older versions. Length: max_new_tokens, or max_length with the
    prompt; if neither is set, 20 new tokens. Unknown names are a TypeError; `validate` refuses bad values.
    """

    # length and end
    max_length: int | None = 20
    max_new_tokens: int | None = None
    min_length: int | None = 0
    min_new_tokens: int | None = None
    early_stopping: bool | str = False
    max_time: float | None = None
    stop_strings: str | list[str] | None = None
    # search
    do_sample: bool = False
    num_beams: int = 1
    num_beam_groups: int = 1
    diversity_penalty: float = 0.0
    penalty_alpha: float | None = None
    length_penalty: float = 1.0
    num_return_sequences: int = 1
    constraints: list[Any] | None = None
    force_words_ids: list[Any] | None = None
    # scores, in sampling only
    temperature: float | None = 1.0
    top_k: int | None = 50
    top_p: float | None = 1.0
    min_p: float | None = None
    top_h: float | None = None
    typical_p: float | None = 1.0
    epsilon_cutoff: float | None = 0.0
    eta_cutoff: float | None = 0.0
    # scores, always
    repetition_penalty: float | None = 1.0
    encoder_repetition_penalty: float | None = 1.0
    no_repeat_ngram_size: int | None = 0
    encoder_no_repeat_ngram_size: int | None = 0
    bad_words_ids: list[list[int]] | None = None
    sequence_bias: Any = None
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | list[int] | None = None
    suppress_tokens: list[int] | None = None
    begin_suppress_tokens: list[int] | None = None
    exponential_decay_length_penalty: tuple[int, float] | None = None
    guidance_scale: float | None = None
    remove_invalid_values: bool = False
    renormalize_logits: bool = False
    # form of the output: by a schema or a pattern
    response_format: dict[str, Any] | None = None
    regex: str | None = None
    # special tokens
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    decoder_start_token_id: int | list[int] | None = None
    # what comes back
    output_attentions: bool = False
    output_hidden_states: bool = False
    output_scores: bool = False
    output_logits: bool = False
    return_dict_in_generate: bool = False
    # cache
    use_cache: bool = True
    cache_implementation: str | None = None
    return_legacy_cache: bool | None = None
    # assisted decoding
    is_assistant: bool = False
    num_assistant_tokens: int = 20
    num_assistant_tokens_schedule: str = "constant"
    assistant_confidence_threshold: float | None = 0.4
    prompt_lookup_num_tokens: int | None = None
    max_matching_ngram_size: int | None = None
    assistant_lookbehind: int = 10
    target_lookbehind: int = 10

    def __init__(self, **settings: Any) -> None:
        self.given: set[str] = set()
        unknown = self.update(**settings)
        if unknown:
            raise TypeError(_unknown(min(unknown), type(self).__name__))

    @classmethod
    def fields(cls) -> dict[str, Any]:
        """Every setting with its default."""
        return {name: getattr(cls, name) for name in cls.__annotations__}

    @classmethod
    def is_setting(cls, name: str) -> bool:
        return name in cls.__annotations__ or name in _OF_SPEECH or name in _NO_EFFECT or name in _REFUSED

    def update(self, **settings: Any) -> dict[str, Any]:
        """Set these, and return those that are no settings. None means the default where a field cannot be None."""
        rest = {}
        for name, value in settings.items():
            if not self.is_setting(name):
                rest[name] = value
            elif name not in _NO_EFFECT:
                setattr(self, name, value)
        return rest

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "given" and not name.startswith("_"):
            optional = "None" in type(self).__annotations__.get(name, "None")
            if value is None and (name == "max_length" or not optional):
                self.given.discard(name)
                self.__dict__.pop(name, None)
                return
            self.given.add(name)
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name in _OF_SPEECH or name in _NO_EFFECT or name in _REFUSED:
            return None
        raise AttributeError(f"{type(self).__name__} has no setting {name!r}")

    @property
    def eos(self) -> list[int]:
        """The ids that end a text."""
        value = self.eos_token_id
        return [] if value is None else [int(each) for each in value] if isinstance(value, (list, tuple)) else [value]

    @property
    def pad(self) -> int | None:
        """The id behind a finished text: pad_token_id, or else the first that ends one."""
        return self.pad_token_id if self.pad_token_id is not None else self.eos[0] if self.eos else None

    # --- checks ---------------------------------------------------------------------------------------------

    def validate(self) -> None:
        """ValueError for a value that means nothing, or for two that contradict each other."""
        for name, reason in _REFUSED.items():
            if getattr(self, name) not in (None, False):
                raise ValueError(f"{name}={getattr(self, name)!r} is not supported: {reason}")
        for name, (fits, wanted) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not fits(value):
                raise ValueError(f"{name} is {value!r}; expected {wanted}")
        if self.do_sample and self.temperature == 0:
            raise ValueError("temperature is 0, which divides by zero: for the likeliest tokens pass do_sample=False")
        if self.cache_implementation not in (None, *_CACHES):
            raise ValueError(f"cache_implementation is {self.cache_implementation!r}; known are {', '.join(_CACHES)}")
        if self.regex is not None and self.response_format is not None:
            raise ValueError("regex and response_format both say what the text must look like: pass one of them")
        self._validate_search()
        self._validate_lengths()

    def _validate_search(self) -> None:
        beams, groups, returned = self.num_beams, self.num_beam_groups, self.num_return_sequences
        if returned > beams and not (self.do_sample and beams == 1):
            remedy = (
                f"num_beams={returned} or more" if beams > 1 else f"do_sample=True, or num_beams={returned} or more"
            )
            raise ValueError(
                f"num_return_sequences is {returned}, but num_beams is {beams}"
                f"{'' if self.do_sample or beams > 1 else ' and do_sample is False, which writes one text'}: "
                f"pass {remedy}"
            )
        if groups > 1:
            if beams % groups:
                raise ValueError(f"num_beams is {beams}, which {groups} beam groups do not divide: pass a multiple")
            if self.do_sample:
                raise ValueError("num_beam_groups is for search without sampling: pass do_sample=False, or no groups")
            if not self.diversity_penalty:
                raise ValueError(
                    f"num_beam_groups is {groups}, but with diversity_penalty=0.0 all groups find the same texts: "
                    "pass a diversity_penalty above 0"
                )
        elif self.diversity_penalty:
            raise ValueError(
                f"diversity_penalty is {self.diversity_penalty}, but there is one beam group: pass num_beam_groups=2 "
                "or more"
            )
        if self.constraints or self.force_words_ids:
            if beams == 1:
                raise ValueError("force_words_ids and constraints need beams: pass num_beams=2 or more")
            if self.do_sample or groups > 1:
                raise ValueError(
                    "force_words_ids and constraints are for plain beam search: pass do_sample=False and no beam groups"
                )
        if self.penalty_alpha is not None and self.penalty_alpha > 0:
            if beams > 1:
                raise ValueError(
                    f"penalty_alpha asks for contrastive search, which has no beams: leave num_beams={beams}"
                )
            if not self.do_sample and (self.top_k or 0) > 1 and not self.use_cache:
                raise ValueError("contrastive search (penalty_alpha) needs the cache: leave use_cache=False out")

    def _validate_lengths(self) -> None:
        most, least = self.max_new_tokens, self.min_new_tokens
        if most is not None and least is not None and least > most:
            raise ValueError(
                f"min_new_tokens is {least}, but max_new_tokens is {most}: raise the one or lower the other"
            )
        if most is None and "max_length" in self.given and (self.min_length or 0) > (self.max_length or 0):
            raise ValueError(
                f"min_length is {self.min_length}, but max_length is {self.max_length}: raise one or lower the other"
            )

    # --- files ----------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path, config_file_name: str | None = None, **options: Any) -> Any:
        """Read generation_config.json of a folder or a Hub repository; other keywords override its settings."""
        unused = options.pop("return_unused_kwargs", False)
        settings = {name: options.pop(name) for name in list(options) if cls.is_setting(name)}
        repository = Repository.open(name_or_path, options)
        if options and not unused:
            raise TypeError(_unknown(min(options), f"{cls.__name__}.from_pretrained"))
        file = repository.file(config_file_name or GENERATION_CONFIG_NAME)
        config = cls.from_dict(read_json(file), **settings)
        return (config, options) if unused else config

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], **overrides: Any) -> GenerationConfig:
        """From the keys of a file. Keys that nobody here knows are kept, for whoever reads them."""
        config = cls()
        for name, value in {**settings, **overrides}.items():
            if name not in _NO_EFFECT and not name.startswith("_") and value is not None:
                setattr(config, name, tuple(value) if name == "exponential_decay_length_penalty" and value else value)
        return config

    @classmethod
    def from_model_config(cls, model_config: Config) -> GenerationConfig:
        """From a config.json of the time when it held these settings too; special tokens come from there always."""
        inner = getattr(model_config, "decoder", None) or getattr(model_config, "text_config", None)
        settings = dict(settings_in(inner)) if isinstance(inner, Config) else {}
        settings.update(settings_in(model_config))
        return cls.from_dict(settings)

    def to_dict(self) -> dict[str, Any]:
        """Every setting, and what else a file gave."""
        return {**self.fields(), **self.to_diff_dict()}

    def to_diff_dict(self) -> dict[str, Any]:
        """What somebody set."""
        return {name: copy.deepcopy(getattr(self, name)) for name in sorted(self.given)}

    def to_json_string(self, use_diff: bool = True, **_: Any) -> str:
        settings = self.to_diff_dict() if use_diff else self.to_dict()
        if isinstance(settings.get("sequence_bias"), dict):  # JSON has no tuples for keys
            settings["sequence_bias"] = [[list(ids), bias] for ids, bias in settings["sequence_bias"].items()]
        return json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def save_pretrained(
        self, folder: str | Path, config_file_name: str | None = None, push_to_hub: bool = False, **options: Any
    ) -> None:
        """Write generation_config.json into the folder, which is made if need be: what was set, after a check."""
        self.validate()
        folder = Path(folder)
        if folder.is_file():
            raise OSError(f"save_pretrained({str(folder)!r}): that is a file, expected a folder")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / (config_file_name or GENERATION_CONFIG_NAME)).write_text(self.to_json_string(), encoding="utf-8")
        if push_to_hub:
            upload(folder, options.pop("repo_id", folder.name), **options)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GenerationConfig) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


def settings_in(config: Config) -> dict[str, Any]:
    """The generation settings that a model's config holds, and its special tokens."""
    names = GENERATION_KEYS | set(_OF_SPEECH)
    found = {name: value for name, value in vars(config).items() if name in names and value is not None}
    tokens = {name: getattr(config, name) for name in SPECIAL_TOKENS if getattr(config, name, None) is not None}
    return {**found, **tokens}


def _unknown(name: str, where: str) -> str:
    near = difflib.get_close_matches(name, GenerationConfig.fields(), n=1)
    return f"{where} takes no setting {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _whole(least: int) -> tuple[Callable[[Any], bool], str]:
    return (
        lambda value: isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least
    ), f"a whole number from {least}"


def _between(low: float, high: float) -> tuple[Callable[[Any], bool], str]:
    return (lambda value: _number(value) and low <= value <= high), f"a number from {low:g} to {high:g}"


def _above(low: float, *, equal: bool = False) -> tuple[Callable[[Any], bool], str]:
    if equal:
        return (lambda value: _number(value) and value >= low), f"a number from {low:g}"
    return (lambda value: _number(value) and value > low), f"a number above {low:g}"


_RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("max_length", "max_new_tokens", "num_beams", "num_beam_groups", "num_return_sequences"), _whole(1)
    ),
    **dict.fromkeys(("min_length", "min_new_tokens", "top_k", "no_repeat_ngram_size"), _whole(0)),
    "encoder_no_repeat_ngram_size": _whole(0),
    **dict.fromkeys(("top_p", "min_p", "typical_p", "penalty_alpha", "assistant_confidence_threshold"), _between(0, 1)),
    **dict.fromkeys(("epsilon_cutoff", "eta_cutoff", "top_h"), _between(0, 1)),
    **dict.fromkeys(("repetition_penalty", "encoder_repetition_penalty", "max_time"), _above(0)),
    **dict.fromkeys(("temperature", "diversity_penalty"), _above(0, equal=True)),
    "length_penalty": (_number, "a number"),
    "guidance_scale": (_number, "a number"),
    "early_stopping": (lambda value: value in (True, False, "never"), "True, False or 'never'"),
    **dict.fromkeys(("num_assistant_tokens", "prompt_lookup_num_tokens", "max_matching_ngram_size"), _whole(1)),
    "num_assistant_tokens_schedule": (
        lambda value: value in ("constant", "heuristic", "heuristic_transient"),
        "'constant', 'heuristic' or 'heuristic_transient'",
    ),
}
