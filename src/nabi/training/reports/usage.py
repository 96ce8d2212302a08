"""A few lines of Python that use a model, for its model card: one example per task."""

from __future__ import annotations

import json
from typing import Any

PIPELINE = """from nabi import pipeline

pipe = pipeline({task}, {model}{settings})
print({call})"""

CHOICES = """from nabi import AutoModelForMultipleChoice, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({model})
model = AutoModelForMultipleChoice.from_pretrained({model})
question, choices = {question}, {choices}
inputs = tokenizer([question] * len(choices), choices, padding=True, return_tensors="pt")
logits = model(**{{name: ids[None] for name, ids in inputs.items()}}).logits  # (1, choices)
print(choices[logits.argmax()])"""

BARE = """from nabi import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({model})
model = AutoModel.from_pretrained({model})
print(model(**tokenizer({text}, return_tensors="pt")))"""

# Task -> the call; {text}, {question} and {other} are sentences in the model's language.
CALLS = {
    **dict.fromkeys("text-classification token-classification feature-extraction".split(), "pipe({text})"),
    **dict.fromkeys(
        "text-generation text2text-generation summarization translation".split(), "pipe({text}, max_new_tokens=40)"
    ),
    "question-answering": "pipe(question={question}, context={text})",
    "fill-mask": 'pipe({text} + " " + pipe.tokenizer.mask_token)',
    "sentence-similarity": "pipe({text}, [{other}, {question}])",
    "zero-shot-classification": "pipe({text}, candidate_labels=[{other}, {question}])",
    **dict.fromkeys(
        "image-classification image-feature-extraction object-detection image-segmentation image-to-text".split(),
        'pipe("picture.jpg")',
    ),
    "visual-question-answering": 'pipe("picture.jpg", {question})',
    **dict.fromkeys(["automatic-speech-recognition", "audio-classification"], 'pipe("sound.wav")'),
}
SETTINGS = {"token-classification": ', aggregation_strategy="simple"'}

ENGLISH: dict[str, Any] = {
    "text": "The museum in Seoul opens at nine in the morning.",
    "question": "When does the museum open?",
    "other": "The gallery is open from 9 a.m.",
    "choices": ["At nine in the morning.", "In Busan."],
}
KOREAN: dict[str, Any] = {
    "text": "서울의 박물관은 아침 아홉 시에 문을 엽니다.",
    "question": "박물관은 언제 문을 여나요?",
    "other": "미술관은 오전 9시부터 열려 있습니다.",
    "choices": ["아침 아홉 시요.", "부산이요."],
}


def usage(task: str | None, model: str, language: str | list[str] | None) -> str:
    """The example for a task; model: where to load it from. A task that has none shows how to load the bare model."""
    languages = [language] if isinstance(language, str) else language or []
    words = {**(KOREAN if "ko" in languages else ENGLISH), "task": task, "model": model}
    literals = {name: json.dumps(word, ensure_ascii=False) for name, word in words.items()}
    if task == "multiple-choice":
        return CHOICES.format(**literals)
    if task not in CALLS:
        return BARE.format(**literals)
    return PIPELINE.format(**literals, settings=SETTINGS.get(task, ""), call=CALLS[task].format(**literals))
