"""text2text-generation, summarization, translation: a text to what a model with an encoder makes of it.

"translate English to French: …" -> input_ids (1, length) -> generate -> {"generated_text": "…"}
"""

from __future__ import annotations

import enum
import logging
import re
from typing import Any, ClassVar

from .base import Steps
from .batching import ALIKE
from .generating import GeneratingPipeline
from .settings import longest_text
from .text_classification import described

logger = logging.getLogger(__name__)

LANGUAGES = ("src_lang", "tgt_lang")


class ReturnType(enum.Enum):
    TENSORS = 0
    TEXT = 1


class Text2TextGenerationPipeline(GeneratingPipeline):
    """Texts made of texts by a model of the kind …ForConditionalGeneration.

    All settings of `generate` are taken: max_new_tokens (256 if nobody says more), num_beams (4 if nobody says more),
    min_length, max_length, length_penalty, num_return_sequences, do_sample, stop_sequence, generation_config, …
    truncation=True cuts a text that is longer than the model reads. return_tensors=True gives ids instead of texts.
    What an old config.json says under task_specific_params for the task (a prefix, lengths, beams) holds, where the
    caller says nothing else.

        pipe("text")                            [{"generated_text"}]
        pipe(["text", …])                       [{"generated_text"}, …]
        pipe(["text", …], num_return_sequences=2)   [[{"generated_text"}, {…}], …]

    What a text becomes does not depend on its batch, but for sampling: see nabi.pipelines.generating.
    """

    task = "text2text-generation"
    heads = ("AutoModelForSeq2SeqLM",)
    padding_side = "right"
    usual = {"max_new_tokens": 256, "num_beams": 4}
    return_name: ClassVar[str] = "generated"

    def __init__(self, model: Any, tokenizer: Any = None, **options: Any) -> None:
        super().__init__(model, tokenizer, **options)
        if not model.config.is_encoder_decoder:
            raise TypeError(
                f"{type(model).__name__} writes on and has no encoder that reads a source: use the task text-generation"
            )

    def __call__(self, inputs: Any, **settings: Any) -> Any:
        """See the class."""
        results = super().__call__(inputs, **settings)
        if not isinstance(results, list) or self.is_one(inputs):
            return results
        if all(isinstance(each, Exception) or len(each) == 1 for each in results):
            return [each if isinstance(each, Exception) else each[0] for each in results]
        return results

    def _sanitize_parameters(
        self,
        return_tensors: bool | None = None,
        return_text: bool | None = None,
        return_type: ReturnType | int | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        truncation: bool | str | None = None,
        **settings: Any,
    ) -> Steps:
        own = ("return_tensors", "return_text", "clean_up_tokenization_spaces", "truncation")
        settings = self.generation_settings(settings, own)
        after: dict[str, Any] = {}
        if return_type is None and (return_tensors is not None or return_text is not None):
            return_type = ReturnType.TENSORS if return_tensors else ReturnType.TEXT
        if return_type is not None:
            after["return_type"] = ReturnType(return_type)
        if clean_up_tokenization_spaces is not None:
            after["clean_up_tokenization_spaces"] = clean_up_tokenization_spaces
        return {**settings, **({} if truncation is None else {"truncation": truncation})}, settings, after

    def preprocess(self, inputs: Any, truncation: bool | str | None = None, **settings: Any) -> dict[str, Any]:
        """A text -> input ids and their mask, each (1, length)."""
        if not isinstance(inputs, str):
            raise TypeError(f"{described(inputs)} is no text: pass a string")
        options: dict[str, Any] = {"truncation": truncation, "return_tensors": "pt"}
        if truncation:
            options["max_length"] = longest_text(self.model, self.tokenizer)
        encoded, for_generate = self._encode(self._prefix(settings) + inputs, settings, options)
        ids = encoded["input_ids"]
        if not ids.shape[1]:
            raise ValueError(f"the tokenizer finds no token in {inputs!r}, so there is nothing to read")
        return {
            "input_ids": ids,
            "attention_mask": encoded["attention_mask"],
            ALIKE: self.alike(ids.shape[1], settings, **for_generate),
        }

    def _encode(self, text: str, settings: dict[str, Any], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The tokenizer's output for a text, and what `generate` must be told for it."""
        return self.tokenizer(text, **options), {}

    # ------------------------------------------------------------ what the checkpoint says for the task

    def _of_task(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What config.json says for this task in particular, the prefix among it."""
        return (getattr(self.model.config, "task_specific_params", None) or {}).get(self.task) or {}

    def _prefix(self, settings: dict[str, Any]) -> str:
        """What the checkpoint wants to see before a text."""
        return self._of_task(settings).get("prefix") or getattr(self.model.config, "prefix", None) or ""

    def task_settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        if settings.get("generation_config") is not None:
            return {}
        return {name: value for name, value in self._of_task(settings).items() if name != "prefix"}

    def options(self, settings: dict[str, Any]) -> dict[str, Any]:
        """As for all, but a generation_config of the caller's says everything, and a min_length that only the
        checkpoint says gives way to the caller's max_length."""
        options = super().options(settings)
        given = settings.get("generation_config")
        if given is not None:
            options = {name: value for name, value in options.items() if name in settings or name not in self.usual}
        mine = {**({} if given is None else given.to_diff_dict()), **settings}
        most, least = mine.get("max_new_tokens") or mine.get("max_length"), self.said(options, "min_length") or 0
        if most is not None and least > most and "min_length" not in mine:
            logger.warning("the checkpoint's min_length is %s, and you ask for %s at most: that holds", least, most)
            options["min_length"] = most
        return options

    # ------------------------------------------------------------ writing

    def _forward(self, model_inputs: dict[str, Any], **settings: Any) -> dict[str, Any]:
        most = self.said(settings, "max_new_tokens") or self.said(settings, "max_length")
        for count in model_inputs["attention_mask"].sum(1).tolist():
            if most is not None and not self.check_inputs(count, self.said(settings, "min_length") or 0, most):
                break  # one of a batch tells enough
        return self.write(model_inputs, settings)

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        """Whether nothing is odd about lengths that somebody asked for; what is odd goes to the log."""
        return True

    def postprocess(  # type: ignore[override]
        self,
        model_outputs: dict[str, Any],
        return_type: ReturnType = ReturnType.TEXT,
        clean_up_tokenization_spaces: bool = False,
    ) -> list[dict[str, Any]]:
        """Tokens (1, texts, tokens) -> a {"…_text"} for each text, or {"…_token_ids"}, a tensor."""
        if return_type is ReturnType.TENSORS:
            tokens = model_outputs["written"][0, :, : int(model_outputs["length"])]
            return [{f"{self.return_name}_token_ids": text} for text in tokens]
        return [
            {
                f"{self.return_name}_text": self.tokenizer.decode(
                    text, skip_special_tokens=True, clean_up_tokenization_spaces=clean_up_tokenization_spaces
                ),
                **self.more(model_outputs, number),
            }
            for number, text in enumerate(self.texts(model_outputs))
        ]


class SummarizationPipeline(Text2TextGenerationPipeline):
    """Summaries, [{"summary_text"}], by a model that was trained for it; else as text2text-generation.

    min_length and max_length say how long a summary is, in tokens.
    """

    task = "summarization"
    return_name = "summary"

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        if input_length >= max_length:
            return True
        logger.warning(
            "a text has %s tokens, and its summary may have up to %s%s: what is longer than its text is made up. "
            "Pass max_length=%s or so%s",
            *(input_length, max_length, f", and must have {min_length}" if min_length else ""),
            *(max(input_length // 2, 1), ", with a lower min_length" if min_length > input_length // 2 else ""),
        )
        return False


class TranslationPipeline(Text2TextGenerationPipeline):
    """Translations, [{"translation_text"}]; else as text2text-generation.

    src_lang, tgt_lang: the languages, for a model of several, in its tokenizer's names ("en", "eng_Latn", "en_XX");
    or the task says them, translation_en_to_ko. For a model of one pair they have no effect.
    """

    task = "translation"
    return_name = "translation"

    def __init__(self, model: Any, tokenizer: Any = None, **options: Any) -> None:
        super().__init__(model, tokenizer, **options)
        pairs = [name for name in getattr(model.config, "task_specific_params", None) or {} if "translation" in name]
        if pairs and self.task == "translation" and not set(LANGUAGES) & set(self._settings[0]):
            logger.warning(
                "the model translates several pairs of languages (%s): %s is taken where you name none",
                *(", ".join(pairs), pairs[0]),
            )

    def _sanitize_parameters(  # type: ignore[override]
        self, src_lang: str | None = None, tgt_lang: str | None = None, **settings: Any
    ) -> Steps:
        pair = re.fullmatch(r"translation_(\w+?)_to_(\w+)", self.task)
        if pair and not src_lang and not tgt_lang:
            src_lang, tgt_lang = pair[1], pair[2]
        languages = {name: value for name, value in zip(LANGUAGES, (src_lang, tgt_lang), strict=True) if value}
        before, model, after = super()._sanitize_parameters(**settings)
        return {**before, **languages}, {**model, **languages}, after

    def options(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in super().options(settings).items() if name not in LANGUAGES}

    def _of_task(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What config.json says of the pair of languages; where no pair is named, of the first that it has."""
        said = getattr(self.model.config, "task_specific_params", None) or {}
        named = [settings[name] for name in LANGUAGES if name in settings]
        pair = self.task
        if len(named) == 2:
            pair = "translation_{}_to_{}".format(*named)
        elif not named and self.task == "translation":
            pair = next((name for name in said if name.startswith("translation")), "")
        return said.get(pair) or {}

    def _encode(self, text: str, settings: dict[str, Any], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        build = getattr(self.tokenizer, "_build_translation_inputs", None)
        if build is None:
            return super()._encode(text, settings, options)
        source, target = settings.get("src_lang"), settings.get("tgt_lang")
        if source is None and target is None and self.tokenizer.tgt_lang is not None:
            source, target = self.tokenizer.src_lang, self.tokenizer.tgt_lang
        encoded = build(text, src_lang=source, tgt_lang=target, **options)
        return encoded, {"forced_bos_token_id": encoded.pop("forced_bos_token_id")}

    def check_inputs(self, input_length: int, min_length: int, max_length: int) -> bool:
        if input_length <= 0.9 * max_length:
            return True
        logger.warning(
            "a text has %s tokens, and its translation may have %s at most, so its end may be missing: pass a higher "
            "max_length, such as %s",
            *(input_length, max_length, 2 * input_length),
        )
        return False
