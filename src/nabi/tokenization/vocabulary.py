"""The tokens of a tokenizer: its vocabulary, its added and special tokens, and where the special ones stand."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer
from tokenizers.processors import PostProcessor

from .engine import Engine
from .frames import Frames, bos_and_eos, post_processor
from .layout import Layout
from .special_tokens import NAMES, SpecialToken, SpecialTokenId, SpecialTokens, as_special
from .tensors import to_list


class SpecialTokensMixin:
    """What a tokenizer can say and change without a text. (v4's name, which some code checks for.)"""

    SPECIAL_TOKENS_ATTRIBUTES: ClassVar[tuple[str, ...]] = (*NAMES, "additional_special_tokens")

    _engine: Engine
    special: SpecialTokens
    model_max_length: int
    _pad_token_type_id: int  # by this name, tokenizers of users' own set it

    bos_token, bos_token_id = SpecialToken(), SpecialTokenId()
    eos_token, eos_token_id = SpecialToken(), SpecialTokenId()
    unk_token, unk_token_id = SpecialToken(), SpecialTokenId()
    sep_token, sep_token_id = SpecialToken(), SpecialTokenId()
    pad_token, pad_token_id = SpecialToken(), SpecialTokenId()
    cls_token, cls_token_id = SpecialToken(), SpecialTokenId()
    mask_token, mask_token_id = SpecialToken(), SpecialTokenId()

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The id of a token (of `unk_token` if it is unknown, None without one), or the ids of a list of them."""
        if tokens is None:
            return None
        if not isinstance(tokens, str):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        token_id = self.backend_tokenizer.token_to_id(tokens)
        if token_id is None and self.unk_token is not None:
            return self.backend_tokenizer.token_to_id(self.unk_token)
        return token_id

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """The token of an id (None if there is no such id), or the tokens of many."""
        ids = to_list(ids)
        if isinstance(ids, int):
            return self.backend_tokenizer.id_to_token(ids)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        return [self.backend_tokenizer.id_to_token(int(token_id)) for token_id in ids if token_id not in skipped]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """The text that the tokens spell."""
        decoder = self.backend_tokenizer.decoder
        return " ".join(tokens) if decoder is None else decoder.decode(tokens)

    @property
    def pad_token_type_id(self) -> int:
        """The token type of padding."""
        return self._pad_token_type_id

    @pad_token_type_id.setter
    def pad_token_type_id(self, number: int) -> None:
        self._pad_token_type_id = number

    # --- the vocabulary

    @property
    def backend_tokenizer(self) -> Tokenizer:
        """The engine's `tokenizers.Tokenizer`, the very object: changes to its parts count at once."""
        return self._engine.tokenizer

    @property
    def _tokenizer(self) -> Tokenizer:  # what many tools reach for
        return self._engine.tokenizer

    @property
    def decoder(self) -> Any:
        return self.backend_tokenizer.decoder

    @property
    def vocab_size(self) -> int:
        """How many tokens the model of the tokenizer has, without added ones; `len(tokenizer)` counts all."""
        return self.backend_tokenizer.get_vocab_size(with_added_tokens=False)

    def __len__(self) -> int:
        return self.backend_tokenizer.get_vocab_size(with_added_tokens=True)

    def __bool__(self) -> bool:
        return True

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        return self.backend_tokenizer.get_vocab(with_added_tokens=True)

    @property
    def vocab(self) -> dict[str, int]:
        """The same in the order of the ids."""
        return dict(sorted(self.get_vocab().items(), key=itemgetter(1)))

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Id -> token, for the added (and the special) tokens."""
        return self.backend_tokenizer.get_added_tokens_decoder()

    def get_added_vocab(self) -> dict[str, int]:
        """Token -> id, for the added (and the special) tokens, in the order of their ids."""
        return {token.content: token_id for token_id, token in sorted(self.added_tokens_decoder.items())}

    added_tokens_encoder = property(get_added_vocab)

    def add_tokens(self, new_tokens: Any, special_tokens: bool = False) -> int:
        """Add one token or a list (str or AddedToken) behind the vocabulary; return how many were new.

        The model needs rows for them: `model.resize_token_embeddings(len(tokenizer))`.
        """
        tokens = list(new_tokens) if isinstance(new_tokens, (list, tuple)) else [new_tokens] if new_tokens else []
        for token in tokens:
            if not isinstance(token, (str, AddedToken)):
                raise TypeError(f"A new token must be a str or an AddedToken, not {token!r} ({type(token).__name__}).")
        return self._engine.add(tokens, special_tokens) if tokens else 0

    def add_special_tokens(
        self,
        special_tokens_dict: dict[str, Any],
        replace_additional_special_tokens: bool = True,
        replace_extra_special_tokens: bool = True,
    ) -> int:
        """Name special tokens ({"pad_token": "[PAD]", "additional_special_tokens": [...]}), add those that are new.

        Returns how many were new. Unless replaced, additional tokens are appended to those there are.
        """
        replace = replace_additional_special_tokens and replace_extra_special_tokens
        new = self.special.assign(special_tokens_dict, replace)
        return self.add_tokens([as_special(token) for token in new], special_tokens=True)

    # --- special tokens

    @property
    def additional_special_tokens(self) -> list[str]:
        """Special tokens without a name of their own; v5 calls them `extra_special_tokens`."""
        return [str(token) for token in self.special.extra]

    @additional_special_tokens.setter
    def additional_special_tokens(self, tokens: list[str | AddedToken] | None) -> None:
        self.special.set_extra(tokens or [])

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        return self.convert_tokens_to_ids(self.additional_special_tokens)

    extra_special_tokens = additional_special_tokens
    extra_special_tokens_ids = additional_special_tokens_ids

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """Name -> token, for those that are set (`additional_special_tokens`: a list, if there are any)."""
        named = {name: str(token) for name, token in self.special.named.items() if token is not None}
        extra = self.additional_special_tokens
        return {**named, "additional_special_tokens": extra} if extra else named

    @property
    def all_special_tokens(self) -> list[str]:
        return [str(token) for token in self.special.all()]

    @property
    def special_tokens_map_extended(self) -> dict[str, Any]:
        """v4: the same with tokens as they were given, as AddedToken where they were."""
        named = {name: token for name, token in self.special.named.items() if token is not None}
        return {**named, "additional_special_tokens": list(self.special.extra)} if self.special.extra else named

    @property
    def all_special_tokens_extended(self) -> list[str | AddedToken]:
        """v4: each special token as it was given."""
        return self.special.all()

    def sanitize_special_tokens(self) -> int:
        """v4: add the special tokens that the vocabulary lacks, and return how many were new."""
        before = len(self)
        self._add_missing()
        return len(self) - before

    @property
    def all_special_ids(self) -> list[int]:
        return self.convert_tokens_to_ids(self.all_special_tokens)

    # --- the frame

    @property
    def add_bos_token(self) -> bool:
        """Whether texts begin with `bos_token`; setting it changes the frame, as setting `add_eos_token` does."""
        bos = self.bos_token_id
        return bos is not None and self.layout(pair=False).parts[0][1] == bos

    @add_bos_token.setter
    def add_bos_token(self, value: bool) -> None:
        self._add_bos_and_eos(add_bos_token=value)

    @property
    def add_eos_token(self) -> bool:
        """Whether texts end with `eos_token`."""
        eos = self.eos_token_id
        return eos is not None and self.layout(pair=False).parts[-1][1] == eos

    @add_eos_token.setter
    def add_eos_token(self, value: bool) -> None:
        self._add_bos_and_eos(add_eos_token=value)

    def update_post_processor(self) -> None:
        """v4's name: put the new tokens where the old ones stood, after `bos_token` or `eos_token` has changed."""
        parts = self.layout(pair=False).parts
        self._add_bos_and_eos(add_bos_token=parts[0][0] is None, add_eos_token=parts[-1][0] is None)

    def _add_bos_and_eos(self, add_bos_token: bool | None = None, add_eos_token: bool | None = None) -> None:
        """Frame texts by bos and eos; None leaves it as it is."""
        bos = self.add_bos_token if add_bos_token is None else add_bos_token
        eos = self.add_eos_token if add_eos_token is None else add_eos_token
        self._set_frame(bos_and_eos(bos, eos))

    def _set_frame(self, frames: Frames) -> None:
        self._engine.set_frame(self._frame(frames))

    def _frame(self, frames: Frames) -> PostProcessor:
        return post_processor(self.backend_tokenizer, frames, self.special.named)

    def layout(self, pair: bool) -> Layout:
        """Where the special tokens stand around a text, or a pair."""
        return Layout.of(self._engine, pair)

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        return self.backend_tokenizer.num_special_tokens_to_add(pair)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Ids of one text or a pair -> the same with the special tokens around them."""
        texts = [token_ids_0] if token_ids_1 is None else [token_ids_0, token_ids_1]
        return self.layout(len(texts) == 2).ids(*texts)

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """The token types that belong to `build_inputs_with_special_tokens` of the same ids."""
        texts = [token_ids_0] if token_ids_1 is None else [token_ids_0, token_ids_1]
        return self.layout(len(texts) == 2).type_ids(*texts)

    def get_special_tokens_mask(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        """1 for special tokens, 0 for others: of finished ids, or of what the special tokens would make of them."""
        texts = [token_ids_0] if token_ids_1 is None else [token_ids_0, token_ids_1]
        if not already_has_special_tokens:
            return self.layout(len(texts) == 2).special_mask(*texts)
        if token_ids_1 is not None:
            raise ValueError("already_has_special_tokens=True takes one finished list of ids, not two.")
        special = set(self.all_special_ids)
        return [int(int(token_id) in special) for token_id in token_ids_0]

    @property
    def max_len_single_sentence(self) -> int:
        return self.model_max_length - self.num_special_tokens_to_add(pair=False)

    @property
    def max_len_sentences_pair(self) -> int:
        return self.model_max_length - self.num_special_tokens_to_add(pair=True)

    # --- parts of the above

    def __getattr__(self, name: str) -> Any:
        """The special tokens of one model only (`image_token`, `image_token_id`); no other attribute comes here."""
        special = self.__dict__.get("special")
        named = special.named if special is not None else {}
        if name in named:
            return None if named[name] is None else str(named[name])
        if name.endswith("_id") and name[:-3] in named:
            return self.convert_tokens_to_ids(getattr(self, name[:-3]))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _add_numbered(self, added: dict[int, AddedToken]) -> None:
        """Tell the engine of tokens that only the config knows, by id."""
        present = {repr(token) for token in self.added_tokens_decoder.values()}
        new = {token_id: token for token_id, token in sorted(added.items()) if repr(token) not in present}
        if new:
            self._engine.add(list(new.values()), special=False)
        for token_id, token in new.items():
            if self.backend_tokenizer.token_to_id(token.content) != token_id:
                raise ValueError(
                    f"The added token {token.content!r} should have the id {token_id}, but behind this vocabulary it "
                    f"gets {self.backend_tokenizer.token_to_id(token.content)}: added_tokens.json (or "
                    "added_tokens_decoder in tokenizer_config.json) is of another vocabulary, or leaves ids out."
                )

    def _add_missing(self) -> None:
        """Tell the engine which tokens are special, and add those that it lacks."""
        known = self.get_added_vocab()
        self.add_tokens([as_special(token) for token in self.special.all() if str(token) not in known])
