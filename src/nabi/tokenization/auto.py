"""AutoTokenizer: which class reads a checkpoint. tokenizer_config.json says, else config.json, else the files."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from ..config import read_json
from ..hub import Repository
from .families import FITTING, HOMES, MODEL_TYPES, OTHER_NAMES, tokenizer_class
from .fast import PreTrainedTokenizerFast
from .loading import NAME_IT, TOKENIZER, constructor_options, options_of_file, read_config
from .vocabulary_files import is_tiktoken

logger = logging.getLogger(__name__)

# The class where the files say nothing but their own names, tried in this order. (tokenizer.model: see _by_file.)
_BY_FILES = {
    "vocab.txt": "BertTokenizer",
    "tiktoken.model": "TiktokenTokenizer",
    "tokenizer.model": "TiktokenTokenizer",
}
_KOBERT = "tokenizer_78b3253a26.model"  # beside it, vocab.txt holds the ids of its pieces, and no WordPiece


class AutoTokenizer:
    """`AutoTokenizer.from_pretrained(folder or id)` gives the tokenizer that belongs to a checkpoint."""

    def __init__(self) -> None:
        raise TypeError(
            "AutoTokenizer makes tokenizers of other classes: call AutoTokenizer.from_pretrained('folder or id')."
        )

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *init_inputs: Any, **kwargs: Any
    ) -> PreTrainedTokenizerFast:
        """Load a tokenizer from a folder or a repository of the Hub.

        Besides the Hub's options (`revision, cache_dir, token, local_files_only, force_download, subfolder`) every
        option of the class may be given; `tokenizer_type="bert"` names a model type, `config` a model's config.
        Raises OSError if there are no tokenizer files, ValueError if they are damaged or need an unknown class.
        """
        model_type = kwargs.pop("tokenizer_type", None)
        if model_type is not None and model_type not in MODEL_TYPES:
            raise ValueError(
                f"tokenizer_type={model_type!r} is unknown: use one of {sorted(MODEL_TYPES)}, or leave it out."
            )
        model_config = kwargs.pop("config", None)
        if os.path.isfile(pretrained_model_name_or_path):
            path = Path(pretrained_model_name_or_path)
            name = MODEL_TYPES.get(str(model_type)) or _by_file(path)
            if name is None and path.suffix != ".json":
                raise ValueError(f"{path}: its name does not tell the family whose tokenizer it is; {NAME_IT}")
            chosen = PreTrainedTokenizerFast if name is None else tokenizer_class(name)
            return chosen(*init_inputs, **options_of_file(path, kwargs))
        repository = Repository.open(pretrained_model_name_or_path, kwargs)
        config = read_config(repository)
        if not config and repository.find(TOKENIZER) is None and (base := repository.base()) is not None:
            repository, config = base, read_config(base)  # an adapter often comes without the tokenizer
        name = MODEL_TYPES[model_type] if model_type else _class_name(repository, config, model_config)
        chosen = _class(repository, name)
        return chosen(*init_inputs, **constructor_options(repository, config, kwargs, chosen.vocab_files_names))


def _class_name(repository: Repository, config: dict[str, Any], model_config: Any) -> str | None:
    """What the files call the class, or None if they do not say; for KoBERT, the class that they should name."""
    described = {} if config.get("tokenizer_class") else _described(repository, model_config)
    name = config.get("tokenizer_class") or described.get("tokenizer_class")
    name = name or MODEL_TYPES.get(str(described.get("model_type")))
    if name is None:
        return None
    plain = str(name).removesuffix("Fast")
    if plain in ("BertTokenizer", "DistilBertTokenizer") and _is_kobert(repository):
        plain = "KoBertTokenizer"
    if any(plain == named for named, _ in FITTING):
        model_type = str((described or _described(repository, model_config)).get("model_type"))
        return FITTING.get((plain, model_type), plain)
    return str(name)


def _is_kobert(repository: Repository) -> bool:
    """Whether a BERT's vocabulary is a SentencePiece model."""
    path = repository.find(TOKENIZER, _KOBERT, "vocab.txt", "spiece.model")
    return path is not None and path.suffix == ".model"


def _described(repository: Repository, model_config: Any) -> dict[str, Any]:
    """What the model's config says of the tokenizer."""
    if model_config is not None:
        return {key: getattr(model_config, key, None) for key in ("tokenizer_class", "model_type")}
    path = repository.find("config.json")
    return {} if path is None else read_json(path)


def _by_file(path: Path) -> str | None:
    """The class that a file's name stands for, and what is in it where SentencePiece has the same name."""
    if path.suffix == ".tiktoken" or (path.suffix == ".model" and is_tiktoken(path)):
        return "TiktokenTokenizer"
    return None if path.suffix == ".model" else _BY_FILES.get(path.name)


def _class(repository: Repository, name: str | None) -> type[PreTrainedTokenizerFast]:
    plain = name.removesuffix("Fast") if name is not None else None
    plain = OTHER_NAMES.get(plain, plain) if plain is not None else None
    if plain in HOMES:
        return tokenizer_class(plain)
    if repository.find(TOKENIZER) is None:
        found = [path for path in map(repository.find, _BY_FILES) if path is not None]
        by_files = [other for other in map(_by_file, found) if other is not None]
        if by_files and plain is None:
            return tokenizer_class(by_files[0])
        if name is not None:
            raise ValueError(
                f"{repository.name!r} asks for the tokenizer class {name!r}, which nabi does not have, and it has no "
                f"{TOKENIZER}, which would need none. Supported: {', '.join(sorted(HOMES))} (and their names with "
                "'Fast'), or any tokenizer.json. If its files are of one of these kinds, name it: "
                "BertTokenizerFast.from_pretrained(…), or tokenizer_type='bert'."
            )
    elif plain is not None:
        logger.warning(
            "%r asks for the tokenizer class %r, which nabi does not have: its %s is read as it is, with the special "
            "tokens that the files name. Check tokenizer.special_tokens_map, and pass what is missing, such as "
            "pad_token='<pad>'.",
            repository.name,
            name,
            TOKENIZER,
        )
    return PreTrainedTokenizerFast
