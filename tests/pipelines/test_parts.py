"""What a task of one's own can rely on: parts, what goes past the model, its place in the registry, the task's name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from nabi import PIPELINE_REGISTRY, AutoModelForSequenceClassification, BertConfig, BertModel, Pipeline, pipeline
from nabi.embedded import SENTIMENT
from nabi.pipelines import progress
from nabi.pipelines.tasks import find_task, task_of_architectures, task_of_card


class EverySentence(Pipeline):
    """Every sentence of a text is a part; written as older code writes it, with a generator that marks the last."""

    def _sanitize_parameters(self, shout: bool = False, **rest: Any) -> tuple[dict[str, Any], ...]:  # type: ignore[override]
        return {}, {}, {"shout": shout}

    def preprocess(self, text: str, **_: Any) -> Iterator[dict[str, Any]]:
        sentences = text.split(". ")
        for place, sentence in enumerate(sentences):
            encoded = self.tokenizer(sentence, return_tensors=self.framework)  # type: ignore[misc]
            yield {"is_last": place == len(sentences) - 1, **encoded, "kept": sentence}

    def _forward(self, model_inputs: dict[str, Any], **_: Any) -> Any:
        self.seen.append(model_inputs["input_ids"].shape)  # type: ignore[attr-defined]
        return self.model(**model_inputs)

    def postprocess(self, outputs: list[Any], shout: bool = False) -> list[tuple[str, str]]:  # type: ignore[override]
        names = self.model.config.id2label
        said = [(out["kept"], names[int(out["logits"].argmax())]) for out in outputs]
        return [(text.upper(), name) for text, name in said] if shout else said


@pytest.fixture
def sentences() -> Any:
    PIPELINE_REGISTRY.register_pipeline(
        "every-sentence",
        pipeline_class=EverySentence,
        pt_model=AutoModelForSequenceClassification,
        default={"model": {"pt": (str(SENTIMENT), None)}},
        type="text",
    )
    yield "every-sentence"
    PIPELINE_REGISTRY._own.clear()


def test_a_task_of_ones_own_runs_by_its_name(sentences: str) -> None:
    assert sentences in PIPELINE_REGISTRY.get_supported_tasks()
    pipe = pipeline(sentences)
    pipe.seen = []
    assert pipe("최고예요. terrible") == [("최고예요", "positive"), ("terrible", "negative")]
    assert pipe("great", shout=True) == [("GREAT", "positive")]


def test_parts_of_all_items_run_together_and_find_back_to_their_item(sentences: str) -> None:
    pipe = pipeline(sentences, model=str(SENTIMENT))
    pipe.seen = []
    texts = ["최고예요. 정말 재미없고 지루했어요. great", "awful", "좋아요. 별로예요"]
    together = pipe(texts)
    assert [shape[0] for shape in pipe.seen] == [6]
    assert together == [pipe(text) for text in texts] and [len(each) for each in together] == [3, 1, 2]


def test_a_card_names_the_task() -> None:
    card = "---\nlicense: mit\npipeline_tag: token-classification\n---\n# A model"
    found = task_of_card(card)
    assert found is not None and found.name == "token-classification"
    assert task_of_card("# no front matter\npipeline_tag: fill-mask") is None
    assert task_of_card("---\npipeline_tag: text-to-video\n---\n") is None


@pytest.mark.parametrize(
    ("architecture", "task"),
    [
        ("BertForTokenClassification", "token-classification"),
        ("GPT2LMHeadModel", "text-generation"),
        ("WhisperForConditionalGeneration", "automatic-speech-recognition"),
        ("LlavaForConditionalGeneration", "image-text-to-text"),
        ("BartForConditionalGeneration", "text2text-generation"),
        ("MarianMTModel", "translation"),
        ("CLIPModel", "zero-shot-image-classification"),
        ("BertModel", "feature-extraction"),
        ("Wav2Vec2ForSequenceClassification", "audio-classification"),
        ("VisionEncoderDecoderModel", "image-to-text"),
        ("DetrForSegmentation", "image-segmentation"),
    ],
)
def test_a_models_class_says_its_task(architecture: str, task: str) -> None:
    assert task_of_architectures([architecture], "it").name == task


def test_translation_may_name_its_languages() -> None:
    assert find_task("translation_en_to_ko") is find_task("translation")
    with pytest.raises(KeyError, match="Did you mean 'translation'"):
        find_task("translate")


def test_a_checkpoint_without_the_head_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=40)
    BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"no weights for the head of BertForSequenceClassification \(classifier.bias"):
        pipeline("text-classification", model=str(tmp_path))


@pytest.mark.parametrize("lazily", [False, True])
def test_a_bar_counts_the_results_where_it_is_wanted(lazily: bool, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = pipeline("text-classification", model=SENTIMENT, device="cpu")
    texts = ["최고예요", "awful", "great"]
    want = pipe(texts)  # nobody sees a bar here
    assert capsys.readouterr().err == ""
    assert list(pipe(iter(texts) if lazily else texts, progress=True)) == want
    shown = capsys.readouterr().err
    assert "text-classification" in shown and ("3it" if lazily else "3/3") in shown


def test_a_bar_is_there_by_itself_in_a_terminal_and_a_notebook_only(monkeypatch: pytest.MonkeyPatch) -> None:
    results = iter([1])
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert progress.watched(results, 1, "task", None) is results
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert progress.watched(results, 1, "task", False) is results
    assert progress.watched(results, 1, "task", None) is not results
    monkeypatch.delitem(sys.modules, "ipykernel")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert progress.watched(results, 1, "task", None) is not results
