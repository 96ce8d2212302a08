"""fill-mask: a text with a mask token to the tokens that may stand in its place.

"이 영화는 [MASK]." -> input_ids (1, length) -> the masks' chances (1, masks, top_k)
    -> [{"score": 0.6, "token": 412, "token_str": "좋다", "sequence": "이 영화는 좋다."}, …]
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .base import Pipeline, Steps
from .settings import check_names, longest_text
from .text_classification import described

logger = logging.getLogger(__name__)

MASKS = re.compile(r"\[MASK\]|<mask>|<extra_id_0>|\{mask\}", re.IGNORECASE)  # what people write for a mask


class FillMaskPipeline(Pipeline):
    """Tokens in the place of a text's masks, by a model of the kind …ForMaskedLM.

    top_k (5): how many tokens for each mask, best first.
    targets: only these words are looked at. One that is no token of the vocabulary is told of, and its first token
    taken. Chances are those among all tokens.
    tokenizer_kwargs: settings of the tokenizer: {"truncation": True}.

        pipe("a [MASK] b")            [{"score", "token", "token_str", "sequence"}, …]
        pipe("a [MASK] [MASK]")       such a list for each mask, in which the other stays masked
        pipe(["a [MASK]", …])         a list with one of the two for each text; of a single text it is left out
    """

    task = "fill-mask"
    heads = ("AutoModelForMaskedLM", "AutoModelForSeq2SeqLM")  # the second: BART fills in masks too
    usual_batch_size = 8  # the model scores all tokens at every place, which takes room

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        result = super().__call__(inputs, **settings)
        return result[0] if isinstance(inputs, list) and len(inputs) == 1 else result

    def _sanitize_parameters(
        self,
        top_k: int | None = None,
        targets: str | list[str] | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> Steps:
        check_names(self.task, unknown, ("top_k", "targets", "tokenizer_kwargs"))
        assert self.tokenizer is not None
        if self.tokenizer.mask_token_id is None:
            raise ValueError(
                "the tokenizer has no mask_token, so there is nothing to fill in: use that of a masked language model, "
                "or say which it is: tokenizer.mask_token = '[MASK]'"
            )
        forward: dict[str, Any] = {}
        if top_k is not None:
            if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1:
                raise ValueError(f"top_k is {top_k!r}; expected a number of 1 or more")
            forward["top_k"] = top_k
        if targets is not None:
            forward["target_ids"] = self.get_target_ids(targets)
        return {"tokenizer_kwargs": tokenizer_kwargs} if tokenizer_kwargs is not None else {}, forward, {}

    def get_target_ids(self, targets: str | list[str]) -> list[int]:
        """The ids of words, each once. ValueError if none is left."""
        assert self.tokenizer is not None
        vocabulary = self.tokenizer.get_vocab()
        ids: list[int] = []
        for target in [targets] if isinstance(targets, str) else targets:
            if not isinstance(target, str):
                raise TypeError(f"a target is {described(target)}, and no text")
            found = vocabulary.get(target)
            if found is None:
                pieces = self.tokenizer(target, add_special_tokens=False)["input_ids"] if target else []
                if not pieces:
                    logger.warning(
                        "The target %r is not in the vocabulary, nor is a part of it: it is left out.", target
                    )
                    continue
                found = pieces[0]
                logger.warning(
                    "The target %r is not in the vocabulary: its first token, %r, stands for it.",
                    target,
                    self.tokenizer.convert_ids_to_tokens(found),
                )
            ids.append(found)
        if not ids:
            raise ValueError(
                f"targets is {targets!r}, in which there is no word that the model knows: name one or more"
            )
        return list(dict.fromkeys(ids))

    def preprocess(self, inputs: Any, tokenizer_kwargs: Mapping[str, Any] | None = None) -> dict[str, Any]:  # type: ignore[override]
        """A text to its ids (1, length); kept: the ids, and where among them the masks are."""
        if not isinstance(inputs, str):
            raise TypeError(f"{described(inputs)} is no text: pass a string")
        assert self.tokenizer is not None
        options = dict(tokenizer_kwargs or {})
        if options.get("truncation") and not options.get("max_length"):
            options["max_length"] = longest_text(self.model, self.tokenizer)
        encoded = self.tokenizer(inputs, **options, return_tensors="pt")
        ids = encoded["input_ids"][0].tolist()
        mask, mask_id = self.tokenizer.mask_token, self.tokenizer.mask_token_id
        places = [place for place, token in enumerate(ids) if token == mask_id]
        if not places:
            written = MASKS.search(inputs)
            if str(mask) in inputs:
                hint = "it was cut off: make the text shorter"
            elif written:
                hint = f"write {mask} in place of {written[0]}"
            else:
                hint = f"write {mask} where a word is wanted"
            raise ValueError(f"there is no mask token, {mask}, in {inputs!r}: {hint}")
        return {**encoded, "kept": {"ids": ids, "places": places}}

    def _forward(  # type: ignore[override]
        self, model_inputs: dict[str, Any], top_k: int = 5, target_ids: list[int] | None = None
    ) -> dict[str, Tensor]:
        """The best tokens and their chances, both (batch, masks, top_k), masks being those of the text with most."""
        logits = getattr(self.model(**model_inputs), "logits", None)
        ids = model_inputs["input_ids"]
        if logits is None or logits.dim() != 3 or logits.shape[1] != ids.shape[1]:
            raise TypeError(
                f"{type(self.model).__name__} gives no logits (batch, length, vocabulary), so it cannot fill in masks: "
                "load the checkpoint with AutoModelForMaskedLM"
            )
        assert self.tokenizer is not None
        masked = ids == self.tokenizer.mask_token_id
        order = masked.int().argsort(dim=1, descending=True, stable=True)[:, : int(masked.sum(1).max())]
        chances = logits.gather(1, order[..., None].expand(-1, -1, logits.shape[-1])).float().softmax(-1)
        if target_ids is not None:
            chances = chances[..., target_ids]
        best = chances.topk(min(top_k, chances.shape[-1]))
        tokens = best.indices if target_ids is None else torch.tensor(target_ids, device=ids.device)[best.indices]
        return {"scores": best.values, "tokens": tokens}

    def postprocess(self, model_outputs: Mapping[str, Any]) -> list[Any]:  # type: ignore[override]
        """Chances and tokens (1, masks, top_k) -> a list of propositions, of several masks a list of lists."""
        ids, places = model_outputs["kept"]["ids"], model_outputs["kept"]["places"]
        assert self.tokenizer is not None
        rows = []
        for number, place in enumerate(places):
            row = []
            for score, token in zip(
                model_outputs["scores"][0, number].tolist(), model_outputs["tokens"][0, number].tolist(), strict=True
            ):
                filled = [*ids[:place], token, *ids[place + 1 :]]
                filled = [each for each in filled if each != self.tokenizer.pad_token_id]
                # Special tokens are left out of a sequence, but where there are other masks, which would go with them.
                sequence = self.tokenizer.decode(filled, skip_special_tokens=len(places) == 1)
                word = self.tokenizer.decode([token])
                row.append({"score": score, "token": token, "token_str": word, "sequence": sequence})
            rows.append(row)
        return rows[0] if len(rows) == 1 else rows
