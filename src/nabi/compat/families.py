"""The modules of the families, `transformers.models.bert.modeling_bert` and so on, from nabi's tables of them.

In versions 2 and 3 they had no folders: `transformers.modeling_bert` is there too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..models import FAMILIES
from ..processing import FEATURE_EXTRACTORS, IMAGE_PROCESSORS, PROCESSORS
from ..tokenization.families import HOMES, MODEL_TYPES, OTHER_NAMES

# A family of nabi that is part of a larger one there.
_PART_OF = {
    "clip_text_model": "clip",
    "clip_vision_model": "clip",
    "gemma3_text": "gemma3",
    "siglip_text_model": "siglip",
    "siglip_vision_model": "siglip",
}
# Folders whose tokenizer has another family's name, and those with one but no model here.
_TOKENIZERS_ONLY = {"mt5": "MT5Tokenizer", "herbert": "HerbertTokenizer", "mpnet": "MPNetTokenizer"}

# What such modules hold beside the family's classes.
_INTERNALS = {
    "modeling_{}": ("compat.layers", "compat.functions", "compat.parts"),
    "tokenization_{}": ("tokenization.characters",),
}


def _modules() -> Iterator[tuple[str, str, str]]:
    """(family, kind of module, module of nabi)"""
    for family in FAMILIES:
        folder = _PART_OF.get(family, family)
        yield folder, "configuration_{}", f"models.{family}"
        yield folder, "modeling_{}", f"models.{family}"
    for model_type, name in {**MODEL_TYPES, **_TOKENIZERS_ONLY}.items():
        known = OTHER_NAMES.get(name) or name
        home = f"tokenization.families.{HOMES[known]}" if known in HOMES else "tokenization"
        for kind in ("tokenization_{}", "tokenization_{}_fast"):
            yield model_type, kind, home
    for types in IMAGE_PROCESSORS.values():
        for model_type in types.split():
            for kind in ("image_processing_{}", "image_processing_{}_fast", "feature_extraction_{}"):
                yield model_type, kind, "processing"
    for table, kind in ((FEATURE_EXTRACTORS, "feature_extraction_{}"), (PROCESSORS, "processing_{}")):
        for types in table.values():
            for model_type in types.split():
                yield model_type, kind, "processing"


def _table() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for family, kind, home in _modules():
        folder = family.replace("-", "_")
        module = kind.format(folder)
        internals = _INTERNALS.get(kind, ())
        for name in (f"models.{folder}", f"models.{folder}.{module}", module):
            found.setdefault(name, {}).update(dict.fromkeys((home, *internals)))
    return {name: tuple(homes) for name, homes in found.items()}


FAMILY_MODULES = _table()
