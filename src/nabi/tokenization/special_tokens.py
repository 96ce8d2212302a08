"""The tokens with a name: bos, eos, unk, sep, pad, cls, mask, those of one model only, and unnamed extra ones."""

from __future__ import annotations

from typing import Any

from tokenizers import AddedToken

NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
EXTRA = ("additional_special_tokens", "extra_special_tokens")  # the names of v4 and of v5 for one list


class SpecialTokens:
    """A tokenizer's special tokens: `named` (the seven, then a model's own, such as image_token) and `extra`."""

    def __init__(self) -> None:
        self.named: dict[str, str | AddedToken | None] = dict.fromkeys(NAMES)
        self.extra: list[str | AddedToken] = []

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> SpecialTokens:
        """Pop every special token out of a constructor's options. Raises TypeError for one that is no token."""
        tokens = cls()
        for name in [name for name in options if name in NAMES or _is_own_token(name, options[name])]:
            tokens.name(name, options.pop(name))
        for key in EXTRA:
            extra = options.pop(key, None)
            if isinstance(extra, dict):  # v4: names for tokens of this model only
                for name, token in extra.items():
                    tokens.name(name, token)
            elif extra:
                tokens.set_extra(extra)
        return tokens

    def name(self, name: str, token: Any) -> None:
        if token is not None:
            _check(token, name)
        self.named[name] = token

    def set_extra(self, extra: Any) -> None:
        if not isinstance(extra, (list, tuple)):
            raise TypeError(f"extra special tokens must be a list of tokens, not {extra!r}.")
        for token in extra:
            _check(token, "an extra special token")
        self.extra = list(extra)

    def assign(self, tokens: dict[str, Any], replace_extra: bool) -> list[str | AddedToken]:
        """Set tokens by name, as add_special_tokens does, and return them. Raises ValueError for an unknown name."""
        assigned: list[str | AddedToken] = []
        for name, value in tokens.items():
            if name in EXTRA:
                kept = [] if replace_extra else [token for token in self.extra if str(token) not in map(str, value)]
                self.set_extra([*kept, *value])
                assigned += value
            elif name in self.named:
                if value is None:
                    raise TypeError(
                        f"{name} must be a str or an AddedToken, not None; to unset it: tokenizer.{name} = None."
                    )
                self.name(name, value)
                assigned.append(value)
            else:
                raise ValueError(f"{name!r} names no special token: use one of {[*self.named, EXTRA[0]]}.")
        return assigned

    def all(self) -> list[str | AddedToken]:
        """Each token once, the named ones first."""
        found: dict[str, str | AddedToken] = {}
        for token in [*self.named.values(), *self.extra]:
            if token is not None:
                found.setdefault(str(token), token)
        return list(found.values())


class SpecialToken:
    """The attribute `tokenizer.pad_token`: a string or None."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, tokenizer: Any, owner: type | None = None) -> Any:
        if tokenizer is None:
            return self
        token = tokenizer.special.named[self.name]
        return None if token is None else str(token)

    def __set__(self, tokenizer: Any, token: str | AddedToken | None) -> None:
        tokenizer.special.name(self.name, token)


class SpecialTokenId:
    """The attribute `tokenizer.pad_token_id`: an int, or None if there is no such token."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.token_name = name.removesuffix("_id")

    def __get__(self, tokenizer: Any, owner: type | None = None) -> Any:
        if tokenizer is None:
            return self
        token = tokenizer.special.named[self.token_name]
        return None if token is None else tokenizer.convert_tokens_to_ids(str(token))

    def __set__(self, tokenizer: Any, token_id: int | None) -> None:
        tokenizer.special.name(self.token_name, None if token_id is None else tokenizer.convert_ids_to_tokens(token_id))


def as_special(token: str | AddedToken) -> AddedToken:
    """The token marked special, its other properties kept (a string: matched as it is, no spaces eaten)."""
    if isinstance(token, str):
        return AddedToken(token, special=True, normalized=False)
    return token if token.special else AddedToken(**{**token.__getstate__(), "special": True})


def read_token(value: Any) -> Any:
    """A token as JSON files hold it: a string, or a dict of AddedToken's fields. Anything else comes back as it is."""
    if isinstance(value, dict) and "content" in value:
        fields = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")
        return AddedToken(**{field: value[field] for field in fields if field in value})
    return value


def _is_own_token(name: str, value: Any) -> bool:
    return name.endswith("_token") and isinstance(value, (str, AddedToken))


def _check(token: Any, name: str) -> None:
    if not isinstance(token, (str, AddedToken)):
        raise TypeError(f"{name} must be a str or an AddedToken, not {token!r} ({type(token).__name__}).")
