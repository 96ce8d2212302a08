"""visual-question-answering: an image and a question to answers, by a model that writes them.

{"image", "question"} -> a chat of one message, or the prompt "USER: <image>\\n… ASSISTANT:" -> [{"answer": "two cats"}]
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config import Config
from .base import Steps
from .image_text_to_text import ImageTextToTextPipeline
from .images import is_one_image
from .tasks import HUB_OPTIONS

PROMPT = "USER: {image}\n{question} ASSISTANT:"  # LLaVA's own, for a processor without a chat template


class VisualQuestionAnsweringPipeline(ImageTextToTextPipeline):
    """Answers to questions about images, by a model that reads both and writes (LLaVA).

    top_k: at most so many answers; there is one unless num_return_sequences asks for more.
    Other settings are those of image-text-to-text.

        pipe(image="cat.jpg", question="고양이가 몇 마리예요?")        [{"answer"}]
        pipe({"image": …, "question": …})                        [{"answer"}]
        pipe([{"image": …, "question": …}, …])                   a list of these
        pipe(image=[…], question=[…])                            a list: each question about all images, in turn
    """

    task = "visual-question-answering"

    @classmethod
    def load_model(cls, name: str | Path, **options: Any) -> Any:
        where = {key: options[key] for key in HUB_OPTIONS if key in options}
        keys, _ = Config.get_config_dict(os.fspath(name), **where)
        for kind in keys.get("architectures") or []:
            if kind.endswith("QuestionAnswering"):
                raise ValueError(
                    f"{str(name)!r} holds a {kind}, which {cls.task} cannot use: it takes models that read an image "
                    "and write the answer, as LLaVA does (ViLT and BLIP are no families of nabi)"
                )
        return super().load_model(name, **options)

    def __call__(self, image: Any = None, question: Any = None, **settings: Any) -> Any:  # type: ignore[override]
        """See the class."""
        if question is None:
            if image is None:
                raise ValueError(f"{self.task} got nothing: pass image=… and question=…")
            if is_one_image(image) and not isinstance(image, Mapping):
                raise ValueError(f"{self.task} got an image and no question: question='What is this?'")
            return super().__call__(image, **settings)
        one = is_one_image(image) and isinstance(question, str)
        images = [image] if is_one_image(image) else image
        questions = [question] if isinstance(question, str) else list(question)
        if one:
            return super().__call__({"image": image, "question": question}, **settings)
        if len(questions) == 1:  # of any source of images, read as it comes
            pairs = ({"image": each, "question": questions[0]} for each in images)
            return super().__call__(list(pairs) if isinstance(images, (list, tuple)) else pairs, **settings)
        images = list(images)
        return super().__call__([{"image": each, "question": q} for q in questions for each in images], **settings)

    def _sanitize_parameters(  # type: ignore[override]
        self, top_k: int | None = None, **settings: Any
    ) -> Steps:
        before, forward, after = super()._sanitize_parameters(**settings)
        if top_k is not None:
            if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1:
                raise ValueError(f"top_k is {top_k!r}; expected a number of 1 or more")
            after["top_k"] = top_k
        return before, forward, after

    def preprocess(self, inputs: Any, **settings: Any) -> dict[str, Any]:  # type: ignore[override]
        """{"image", "question"} -> what the model reads, as image-text-to-text makes it."""
        if not isinstance(inputs, Mapping) or not {"image", "question"} <= inputs.keys():
            raise ValueError(f'{inputs!r:.200} is no question about an image: {{"image": …, "question": …}}')
        image, question = inputs["image"], inputs["question"]
        if not isinstance(question, str) or not question.strip():
            raise ValueError(f"the question is {question!r}; expected a text that is not empty")
        if self.processor.chat_template or self.processor.tokenizer.chat_template:
            content = [{"type": "image", "image": image}, {"type": "text", "text": question}]
            return super().preprocess([{"role": "user", "content": content}], **settings)
        prompt = PROMPT.format(image=self.processor.image_token, question=question)
        return super().preprocess({"images": [image], "text": prompt}, **settings)

    def postprocess(  # type: ignore[override]
        self, model_outputs: dict[str, Any], top_k: int | None = None, **options: Any
    ) -> list[dict[str, str]]:
        """New ids (1, texts, length) -> the answers."""
        found = super().postprocess(model_outputs, **{**options, "return_full_text": False})
        return [{"answer": each["generated_text"].strip()} for each in found[:top_k]]
