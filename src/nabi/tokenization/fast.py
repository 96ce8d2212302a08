"""PreTrainedTokenizerFast: HF's tokenizer object. Each method is thin; the work is in the modules beside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from tokenizers import AddedToken, Tokenizer

from ..hub import PushToHubMixin, Repository
from .batch_encoding import BatchEncoding
from .constructor import absent_defaults, side, take_files, templates
from .decoding import cleans_up, decode_ids
from .encoding import Wanted, as_batch, encode_rows, pad_with
from .engine import Engine
from .frames import Frames, frames_itself, own_frame
from .lengths import NO_LIMIT, resolve
from .loading import TOKENIZER, constructor_options, options_of_file, read_config
from .older_methods import OlderMethods
from .one_text import encode_one
from .padding import pad_examples
from .special_tokens import SpecialTokens
from .tensors import tensor_kind, to_list
from .text_warnings import warn_if_too_long
from .texts import as_rows
from .vocabulary import SpecialTokensMixin

logger = logging.getLogger(__name__)

T = TypeVar("T", bound="PreTrainedTokenizerFast")


# The options of a call, from add_special_tokens on, that ask for nothing.
_USUAL = (True, False, None, 0, False, None, None, None, None, False, False, False, False, None, False)


class PreTrainedTokenizerFast(SpecialTokensMixin, OlderMethods, PushToHubMixin):
    """Text -> ids -> text, from a `tokenizer_file` (tokenizer.json) or a `tokenizer_object` (tokenizers.Tokenizer).

    Options: the special tokens (`bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token,
    additional_special_tokens`), `model_max_length` (no limit), `padding_side` and `truncation_side` ("right"),
    `model_input_names`, `clean_up_tokenization_spaces` (False), `split_special_tokens` (False), `chat_template`,
    `add_bos_token` and `add_eos_token` (as the tokenizer does). Other options are kept in `init_kwargs` and saved
    again. The classes of `families/` also take the files of a vocabulary, by position or by their names in
    `vocab_files_names`. Calls from several threads do not disturb each other.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"tokenizer_file": "tokenizer.json"}
    defaults: ClassVar[dict[str, Any]] = {}
    frames: ClassVar[Frames | None] = None
    model_input_names: list[str] = ["input_ids", "attention_mask"]
    padding_side: str = "right"
    truncation_side: str = "right"
    slow_tokenizer_class: ClassVar[None] = None
    is_fast = True
    _in_target_mode = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "_tokenize" in vars(cls) and cls.is_fast:
            logger.warning(
                "%s._tokenize is not called: %s cuts texts in Rust. Subclass PreTrainedTokenizer to cut them in Python",
                *(cls.__name__, cls.__mro__[1].__name__),
            )

    def __init__(
        self,
        *vocabulary: Any,
        tokenizer_object: Tokenizer | Engine | None = None,
        tokenizer_file: str | Path | None = None,
        added_tokens_decoder: dict[int, AddedToken] | None = None,
        **options: Any,
    ) -> None:
        files = self._vocabulary_files(vocabulary, options)
        given, options = options, {**self.defaults, **options}
        is_built = tokenizer_object is None and tokenizer_file is None and bool(files)
        if is_built:
            built = self.build(files, options)
            self._engine = built if isinstance(built, Engine) else Engine(built)
        else:
            self._engine = Engine.of(tokenizer_object, tokenizer_file, self._files_taken())
            absent = absent_defaults(self.defaults, given, added_tokens_decoder or {}, self._engine.tokenizer)
            options.update(dict.fromkeys(absent))
        self.configure(given, options)
        file_padding, file_truncation = self._engine.file_padding or {}, self._engine.file_truncation or {}
        self.special = SpecialTokens()
        self.name_or_path: str = str(options.pop("name_or_path", ""))
        self.verbose: bool = options.pop("verbose", False)
        self.init_kwargs: dict[str, Any] = dict(options)
        if options.get("pad_token") is None and "pad_token" in file_padding:
            options["pad_token"] = file_padding["pad_token"]
        self.special = SpecialTokens.taken_from(options)
        old_limit = options.pop("max_len", None)
        limit = options.pop("model_max_length", old_limit)
        self.model_max_length: int = NO_LIMIT if limit is None else limit
        pads, cuts = (file.get("direction") for file in (file_padding, file_truncation))
        self.padding_side = side("padding_side", options.pop("padding_side", None), pads or self.padding_side)
        self.truncation_side = side(
            "truncation_side", options.pop("truncation_side", None), cuts or self.truncation_side
        )
        self.model_input_names = list(options.pop("model_input_names", None) or self.model_input_names)
        self._pad_token_type_id: int = options.pop("pad_token_type_id", 0)
        self.clean_up_tokenization_spaces: bool = bool(options.pop("clean_up_tokenization_spaces", False))
        self.split_special_tokens: bool = bool(options.pop("split_special_tokens", False))
        self.chat_template: str | dict[str, str] | None = templates(options.pop("chat_template", None))
        self.deprecation_warnings: dict[str, bool] = {}  # what was said once; HF's name
        self._add_numbered(added_tokens_decoder or {})
        asked = {key: options.get(key) for key in ("add_bos_token", "add_eos_token")}
        if is_built and self.frames is not None:
            try:
                self._set_frame(self.frames)
            except ValueError as error:
                places = [str(file) for file in files.values() if isinstance(file, (str, Path))]
                raise ValueError(f"{', '.join(places) or 'vocab'}: {error}") from error
        elif any(given.get(key) is not None for key in asked) or (is_built and any(asked.values())):
            self._add_bos_and_eos(**asked)
        self._add_missing()
        if frames_itself(self):
            self._engine.set_frame(own_frame(self))

    @classmethod
    def build(cls, files: dict[str, Any], options: dict[str, Any]) -> Tokenizer | Engine:
        """The engine for vocabulary files (argument -> path, or the vocabulary itself), without its frame."""
        raise NotImplementedError(f"{cls.__name__} is read from tokenizer.json only.")

    def configure(self, given: dict[str, Any], options: dict[str, Any]) -> None:
        """Bring the engine, built or read, to the options. `given`: those that a caller or a file named.

        A class overrides it for its own options; it may change `options`, which are kept and saved.
        """
        self._engine.set_byte_level(given)

    @classmethod
    def from_pretrained(
        cls: type[T], pretrained_model_name_or_path: str | os.PathLike[str], *init_inputs: Any, **kwargs: Any
    ) -> T:
        """Load from a folder, a repository of the Hub, or one file (tokenizer.json, or the class's vocabulary).

        Keywords are the Hub's (`revision, cache_dir, token, local_files_only, force_download, subfolder`) and
        the constructor's, which win over what the files say. Raises OSError for missing files and ValueError
        for damaged ones.
        """
        if os.path.isfile(pretrained_model_name_or_path):
            return cls(*init_inputs, **options_of_file(Path(pretrained_model_name_or_path), kwargs))
        repository = Repository.open(pretrained_model_name_or_path, kwargs)
        config = read_config(repository)
        return cls(*init_inputs, **constructor_options(repository, config, kwargs, cls.vocab_files_names))

    # --- text -> ids

    def __call__(
        self,
        text: Any = None,
        text_pair: Any = None,
        text_target: Any = None,
        text_pair_target: Any = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        *,
        max_target_length: int | None = None,
        split_special_tokens: bool | None = None,
        pad_to_max_length: bool = False,
    ) -> BatchEncoding:
        """Encode a text, a list of texts, pairs (`text_pair`, or a list of tuples), or lists of words
        (`is_split_into_words=True`); `text_target` is encoded as the key `labels`.

        `padding`: False, True or "longest", "max_length". `truncation`: False, True or "longest_first",
        "only_first", "only_second"; `max_length` None means `model_max_length`. With
        `return_overflowing_tokens=True` what is cut off follows as further rows, `stride` tokens overlapping,
        and `overflow_to_sample_mapping` names each row's text. `return_tensors`: "pt", "np" or None (lists).
        Raises TypeError or ValueError that names the text or option at fault.
        """
        kind = tensor_kind(return_tensors)
        plain = type(text) is str and text_pair is None and text_target is None and not self._in_target_mode
        if plain and (truncation is None or type(truncation) is bool):
            others = (
                *(add_special_tokens, padding, max_length, stride, is_split_into_words, pad_to_multiple_of),
                *(padding_side, return_token_type_ids, return_attention_mask, return_overflowing_tokens),
                *(return_special_tokens_mask, return_offsets_mapping, return_length, split_special_tokens),
                pad_to_max_length,
            )
            if others == _USUAL and (found := encode_one(self, text, kind)) is not None:
                return found
        if text is None and text_target is None:
            raise ValueError("There is nothing to tokenize: text and text_target are both None.")
        if pad_to_max_length and padding is False:  # v4's old name
            padding = "max_length"
        wanted = Wanted(
            token_type_ids=self._asks_for("token_type_ids", return_token_type_ids),
            attention_mask=self._asks_for("attention_mask", return_attention_mask),
            special_tokens_mask=return_special_tokens_mask,
            offset_mapping=return_offsets_mapping,
            length=return_length,
            overflowing_tokens=return_overflowing_tokens,
        )
        pad_side = side("padding_side", padding_side, self.padding_side)
        split = self.split_special_tokens if split_special_tokens is None else split_special_tokens

        def encode(text: Any, pair: Any, limit: int | None, engine: Engine) -> BatchEncoding:
            rows, many = as_rows(text, pair, is_split_into_words)
            if is_split_into_words:
                self._check_words()
            lengths = resolve(padding, truncation, limit, pad_to_multiple_of, self.model_max_length, verbose)
            data, encodings = encode_rows(
                self,
                engine,
                rows,
                lengths,
                wanted,
                pad=pad_with(self, pad_side) if lengths.padding else None,
                stride=stride,
                pretokenized=is_split_into_words,
                add_special_tokens=add_special_tokens,
                split_special_tokens=split,
            )
            if lengths.max_length is None and verbose:
                warn_if_too_long(self.deprecation_warnings, data["input_ids"], self.model_max_length)
            return as_batch(data, encodings, not many, kind)

        target_limit = max_length if max_target_length is None else max_target_length
        if text is None:
            return encode(text_target, text_pair_target, target_limit, self._target_engine())
        batch = encode(text, text_pair, max_length, self._target_engine() if self._in_target_mode else self._engine)
        if text_target is not None:
            batch["labels"] = encode(text_target, text_pair_target, target_limit, self._target_engine())["input_ids"]
        return batch

    def encode(self, text: Any, text_pair: Any = None, add_special_tokens: bool = True, **kwargs: Any) -> Any:
        """The ids of one text (or pair): a list, or a tensor with a batch axis with `return_tensors`."""
        return self(text, text_pair, add_special_tokens=add_special_tokens, **kwargs)["input_ids"]

    def tokenize(self, text: Any, pair: Any = None, add_special_tokens: bool = False, **kwargs: Any) -> list[str]:
        """The tokens of one text (and pair) as strings."""
        return self(text, pair, add_special_tokens=add_special_tokens, **kwargs).tokens()

    def pad(
        self,
        encoded_inputs: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Pad examples that are encoded already (a dict, a BatchEncoding, or a list of them, as collators have).

        Only ids, attention mask, token types and special tokens mask are padded; other keys pass through.
        """
        lengths = resolve(padding, False, max_length, pad_to_multiple_of, self.model_max_length, verbose=False)
        pad_side = side("padding_side", padding_side, self.padding_side)
        return pad_examples(
            encoded_inputs,
            lengths,
            pad_with(self, pad_side) if lengths.padding else None,
            main_input=self.model_input_names[0],
            with_attention_mask=self._asks_for("attention_mask", return_attention_mask),
            return_tensors=tensor_kind(return_tensors),
        )

    # --- chats

    def apply_chat_template(self, conversation: Any, *args: Any, **kwargs: Any) -> Any:
        """A conversation ([{"role": "user", "content": "…"}, …]), or a list of them -> ids, as the model reads chats.

        `tokenize=False` gives the text, `return_dict=True` a BatchEncoding; `add_generation_prompt=True` opens the
        model's answer; `tools`, `documents`, `chat_template`, `continue_final_message`, `return_tensors`, `padding`,
        `truncation`, `max_length` and more: see `chat.apply_chat_template`.
        """
        from .chat import apply_chat_template

        return apply_chat_template(self, conversation, *args, **kwargs)

    def get_chat_template(self, chat_template: str | None = None, tools: Any = None) -> str:
        """The template that a chat is written with: the one passed or named, else the tokenizer's own."""
        from .chat import get_chat_template

        return get_chat_template(self, chat_template, tools)

    # --- ids -> text

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """The text of some ids (an int, a list, an array, a tensor, an encoding); a list of texts for a batch."""
        ids = to_list(token_ids["input_ids"] if hasattr(token_ids, "keys") else token_ids)
        if isinstance(ids, (list, tuple)) and ids and isinstance(ids[0], (list, tuple)):
            return [self.decode(row, skip_special_tokens, clean_up_tokenization_spaces, **kwargs) for row in ids]
        clean = clean_up_tokenization_spaces
        if clean is None:
            clean = self.clean_up_tokenization_spaces and cleans_up(self.backend_tokenizer)
        return self._decode_row(ids, skip_special_tokens, clean, **kwargs)

    def _decode_row(self, ids: Any, skip_special_tokens: bool, clean_up: bool, **kwargs: Any) -> Any:
        """What one row of ids spells; classes with ways of their own to spell it override this."""
        return decode_ids(self.backend_tokenizer, ids, skip_special_tokens, clean_up)

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """The text of each row of ids."""
        texts = self.decode(sequences, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)
        return texts if isinstance(texts, list) else [texts]

    # --- files, and new tokenizers

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any
    ) -> tuple[str, ...]:
        """Write tokenizer.json, tokenizer_config.json and special_tokens_map.json, and return their paths.

        With `push_to_hub=True` the folder goes to `repo_id` (the folder's name) as well; `token, private,
        revision, commit_message, create_pr` are passed on. Raises OSError if the folder cannot be written.
        """
        from .saving import push, save

        files = save(self, Path(save_directory), kwargs.pop("filename_prefix", None))
        if push_to_hub:
            push(Path(save_directory), kwargs)
        return files

    def save_vocabulary(
        self, save_directory: str | os.PathLike[str], filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        """Write only the model's vocabulary in its classical files (vocab.txt; vocab.json and merges.txt; …)."""
        from .saving import make_folder

        make_folder(Path(save_directory))
        return tuple(self.backend_tokenizer.model.save(os.fspath(save_directory), filename_prefix))

    def train_new_from_iterator(
        self,
        text_iterator: Iterable[str] | Iterable[Sequence[str]],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: list[str | AddedToken] | None = None,
        special_tokens_map: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """A new tokenizer of the same kind with a vocabulary learned from texts (or batches of texts).

        `special_tokens_map` renames special tokens, old -> new; keywords go to the engine's trainer.
        """
        from .training import retrain

        return retrain(
            self, text_iterator, vocab_size, length, new_special_tokens or [], special_tokens_map or {}, kwargs
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(name_or_path={self.name_or_path!r}, vocab_size={self.vocab_size}, "
            f"model_max_length={self.model_max_length}, padding_side={self.padding_side!r}, "
            f"truncation_side={self.truncation_side!r}, special_tokens={self.special_tokens_map})"
        )

    # --- parts of the above

    def _target_engine(self) -> Engine:
        """What encodes `text_target`; translators override it."""
        return self._engine

    @classmethod
    def _files_taken(cls) -> list[str]:
        """The constructor's arguments that name vocabulary files, in the order of their positions."""
        return [name for name in cls.vocab_files_names if name != "tokenizer_file"]

    def _vocabulary_files(self, positional: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """Pop the vocabulary files out of the arguments, for `build`."""
        return take_files(type(self).__name__, self._files_taken(), positional, options)

    def _check_words(self) -> None:
        """Say what becomes of texts given as words (`is_split_into_words=True`), where that is not plain."""

    def _asks_for(self, key: str, wanted: bool | None) -> bool:
        return key in self.model_input_names if wanted is None else wanted

    def _vocabulary_contents(self) -> dict[str, bytes]:
        """The files that hold the vocabulary: name -> content."""
        return {TOKENIZER: self._engine.to_json(pretty=True).encode("utf-8")}

    def _saved_class(self) -> str:
        """The class name for tokenizer_config.json, under which every version of HF's library has the same class."""
        name = type(self).__name__
        return name if name == "PreTrainedTokenizerFast" else name.removesuffix("Fast")
