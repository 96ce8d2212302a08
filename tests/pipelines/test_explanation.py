"""A look inside: what an explanation says is what tokenizer, model and pipeline say by themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from nabi import pipeline
from nabi.embedded import SENTIMENT
from nabi.tokenization import train

from .explanation_models import (
    CORPUS,
    LABELS,
    NLI,
    QUESTION,
    READERS,
    TEXT,
    WRITERS,
    assert_alike,
    bert,
    decoder,
    made,
    tokenizer,
)

ALL = {**READERS, **WRITERS}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are quicker so."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=ALL)
def told(request: pytest.FixtureRequest) -> tuple[Any, Any, Any, Any]:
    """A pipeline, its input and settings, and what it explains of them."""
    make, item, settings = ALL[request.param]
    pipe = make()
    return pipe, item, settings, pipe.explain(item, **settings)


# ---------------------------------------------------------------- equal to what it explains


def test_the_result_is_the_pipelines_own(told: Any) -> None:
    pipe, item, settings, explanation = told
    assert_alike(explanation.result, pipe(item, **settings))
    assert explanation.task == pipe.task and explanation.model == type(pipe.model).__name__


def test_pieces_have_the_ids_and_the_mask_that_the_model_gets_and_the_characters_of_the_text(told: Any) -> None:
    pipe, explanation = told[0], told[3]
    for part in explanation.parts:
        first = part.sequences[0]
        assert first.texts and not part.missing
        read = [piece for piece in first.pieces if not piece.written]
        own = pipe.tokenizer(*first.texts)
        assert [piece.id for piece in read] == own["input_ids"]
        assert [piece.mask for piece in read] == own["attention_mask"]
        assert [piece.token for piece in read] == own.tokens()
        for piece in read:
            if piece.start is not None and not piece.share:
                assert first.texts[piece.number][piece.start : piece.end] == piece.text


def test_attention_is_what_the_model_returns_and_each_row_adds_up_to_one(told: Any) -> None:
    pipe, explanation = told[0], told[3]
    for part in explanation.parts:
        assert part.attentions
        for attention in part.attentions:
            sizes = [len(part.sequence(name).pieces) for name in (attention.rows, attention.columns)]
            assert list(attention.weights.shape[2:]) == sizes
            assert attention.weights.sum(-1) == pytest.approx(torch.ones(attention.weights.shape[:3]), abs=1e-5)
    if len(explanation.parts) == 1 and explanation.parts[0].attentions[0].name == "attention":
        ids = torch.tensor([[piece.id for piece in explanation.parts[0].sequences[0].pieces]])
        own_inputs = pipe.tokenizer(*explanation.parts[0].sequences[0].texts, return_tensors="pt")
        alike = own_inputs["input_ids"].shape == ids.shape  # nothing was written
        kinds = {"token_type_ids": own_inputs["token_type_ids"]} if alike and "token_type_ids" in own_inputs else {}
        with torch.no_grad():
            own = pipe.model(ids, output_attentions=True, **kinds).attentions
        assert torch.allclose(explanation.parts[0].attentions[0].weights, torch.cat(own), atol=1e-5)


def test_the_scores_add_up_to_what_the_text_changes(told: Any) -> None:
    for part in told[3].parts:
        found = part.attribution
        total = sum(sum(row) for row in found.scores.values())
        difference = found.value - found.baseline_value
        near = 0.02 if found.steps < 128 else 0.2  # a function with many kinks, as ReLU makes them
        assert total == pytest.approx(difference, abs=near * abs(difference) + 1e-3)
        assert found.error == pytest.approx(abs(total - difference), abs=1e-4)


def test_every_stage_is_a_module_by_its_name_and_the_shapes_follow_one_another(told: Any) -> None:
    pipe, _, _, explanation = told
    modules = dict(pipe.model.named_modules())
    for part in explanation.parts:
        assert len(part.stages) >= 5
        for stage in part.stages:
            assert type(modules[stage.name]).__name__ == stage.kind
            assert stage.parameters == sum(each.numel() for each in modules[stage.name].parameters())
            assert stage.shape_out[0] == 1


def test_data_text_and_page_can_be_had_of_every_explanation(told: Any) -> None:
    explanation = told[3]
    data = json.loads(explanation.to_json())
    assert data["task"] == explanation.task and len(data["parts"]) == len(explanation.parts)
    said = str(explanation)
    assert "shapes through the model" in said and explanation.parts[0].stages[0].name in said
    assert "<h1>" in explanation.to_html() and explanation._repr_html_().startswith("<iframe srcdoc=")


def test_the_model_and_the_tokenizer_are_left_as_they_were(told: Any) -> None:
    pipe, item, settings, _ = told
    kind, before = type(pipe.tokenizer), {name: set(vars(owner)) for name, owner in (("p", pipe), ("m", pipe.model))}
    pipe.explain(item, method=None, **settings)
    assert type(pipe.tokenizer) is kind
    assert {name: set(vars(owner)) for name, owner in (("p", pipe), ("m", pipe.model))} == before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in pipe.model.modules())
    assert all(parameter.grad is None for parameter in pipe.model.parameters())


# ---------------------------------------------------------------- kinds of heads


def test_labels_have_the_logits_and_probabilities_that_the_pipeline_scores_by() -> None:
    pipe = bert("SequenceClassification", "text-classification", **LABELS)
    (group,) = pipe.explain(TEXT).parts[0].outputs.groups
    assert [{"label": each.label, "score": pytest.approx(each.probability, abs=1e-5)} for each in group.scores] == pipe(
        TEXT, top_k=None
    )
    with torch.no_grad():
        logits = pipe.model(**pipe.tokenizer(TEXT, return_tensors="pt")).logits[0]
    assert [each.logit for each in group.scores] == pytest.approx(
        logits.sort(descending=True).values.tolist(), abs=1e-5
    )


def test_several_labels_at_once_have_sigmoids_and_a_regression_its_value() -> None:
    several = bert(
        "SequenceClassification", "text-classification", num_labels=3, problem_type="multi_label_classification"
    )
    outputs = several.explain(TEXT).parts[0].outputs
    assert outputs.function == "sigmoid"
    assert outputs.groups[0].scores[0].probability == pytest.approx(several(TEXT)[0]["score"], abs=1e-5)
    one = bert("SequenceClassification", "text-classification", num_labels=1, problem_type="regression")
    outputs = one.explain(TEXT).parts[0].outputs
    assert outputs.function == "none"
    assert outputs.groups[0].scores[0].probability == pytest.approx(one(TEXT)[0]["score"], abs=1e-5)


def test_each_token_has_its_labels() -> None:
    pipe = READERS["bert labels tokens"][0]()
    part = pipe.explain(TEXT).parts[0]
    best = {group.place: group.scores[0] for group in part.outputs.groups}
    for entity in pipe(TEXT, ignore_labels=[]):
        assert best[entity["index"]].label == entity["entity"]
        assert best[entity["index"]].probability == pytest.approx(entity["score"], abs=1e-5)
    assert part.attribution.target.startswith("logit of 'B-PER' at") or "I-PER" in part.attribution.target


def test_a_mask_has_the_tokens_that_the_pipeline_puts_there() -> None:
    make, text, _ = READERS["bert fills in"]
    pipe = make()
    (group,) = pipe.explain(text, alternatives=4).parts[0].outputs.groups
    assert [(each.id, pytest.approx(each.probability, abs=1e-5)) for each in group.scores] == [
        (each["token"], each["score"]) for each in pipe(text, top_k=4)
    ]


def test_the_answer_that_is_explained_is_the_pipelines() -> None:
    make, item, _ = READERS["bert answers"]
    pipe = make()
    explanation = pipe.explain(item)
    part = explanation.parts[0]
    pieces = part.sequences[0].pieces
    start, end = (next(score for score in group.scores if score.chosen) for group in part.outputs.groups)
    assert {piece.number for piece in pieces if not piece.special} == {0, 1}
    assert pieces[start.id].number == pieces[end.id].number == 1
    answer = explanation.result
    assert pieces[start.id].start <= answer["start"] < pieces[start.id].end
    assert pieces[end.id].start < answer["end"] <= pieces[end.id].end
    assert part.attribution.value == pytest.approx(start.logit + end.logit, abs=1e-4)
    assert_alike(make().explain(**QUESTION).result, make()(**QUESTION))


def test_every_hypothesis_is_a_part_and_its_entailment_is_explained() -> None:
    make, item, settings = READERS["bert weighs hypotheses"]
    explanation = make().explain(item, **settings)
    assert [part.title for part in explanation.parts] == [
        "1 of 2: This example is 영화.",
        "2 of 2: This example is 나비.",
    ]
    chosen = {}
    for part, label in zip(explanation.parts, settings["candidate_labels"], strict=True):
        (score,) = [each for each in part.outputs.groups[0].scores if each.chosen]
        assert score.label == "entailment" and part.attribution.target == "logit of 'entailment'"
        chosen[label] = score.logit
    expected = torch.tensor([chosen[label] for label in explanation.result["labels"]]).softmax(0).tolist()
    assert explanation.result["scores"] == pytest.approx(expected, abs=1e-5)


def test_the_windows_of_a_long_text_are_parts_in_their_order() -> None:
    pipe = READERS["bert answers"][0]()
    item = {"question": "어디에?", "context": f"{TEXT} " * 12}
    explanation = pipe.explain(item, max_seq_len=40, doc_stride=8, method=None)
    assert len(explanation.parts) > 2
    assert_alike(explanation.result, pipe(item, max_seq_len=40, doc_stride=8))
    begins = [min(p.start for p in part.sequences[0].pieces if p.number == 1) for part in explanation.parts]
    assert begins == sorted(begins) and len(set(begins)) == len(begins)


def test_a_model_without_a_head_says_so() -> None:
    words = tokenizer()
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    pipe = pipeline("feature-extraction", model=made("bert", "BertModel", words, **sizes), tokenizer=words)
    (part,) = pipe.explain(TEXT).parts
    assert part.outputs is None and part.attribution is None and len(part.attentions) == 1
    assert [each.split(":")[0] for each in part.missing] == ["scores", "attribution"]


def test_a_picture_has_its_three_stages_and_no_tokens() -> None:
    pillow = pytest.importorskip("PIL.Image")
    from nabi.processing.image_processors import ViTImageProcessor

    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
    from nabi.models.vit import ViTConfig, ViTForImageClassification

    model = ViTForImageClassification(ViTConfig(image_size=8, patch_size=4, num_labels=3, **sizes)).eval()
    shape = ViTImageProcessor(size={"height": 8, "width": 8})
    pipe = pipeline("image-classification", model=model, image_processor=shape)
    image = pillow.new("RGB", (20, 10), "green")
    explanation = pipe.explain(image)
    (part,) = explanation.parts
    assert part.inputs == {"pixel_values": [1, 3, 8, 8]} and part.stages[-1].shape_out == [1, 3]
    assert part.outputs.groups[0].scores[0].probability == pytest.approx(pipe(image)[0]["score"], abs=1e-5)
    assert not part.sequences and part.missing == ["tokens, attention, attribution: this model does not read text"]
    assert "Image" in str(explanation) and "vit" in explanation.to_html()


# ---------------------------------------------------------------- attribution


def test_input_x_gradient_is_the_gradient_at_the_text_times_its_embeddings() -> None:
    pipe = bert("SequenceClassification", "text-classification", **LABELS)
    found = pipe.explain(TEXT, method="input_x_gradient", target="so-so").parts[0].attribution
    inputs = pipe.tokenizer(TEXT, return_tensors="pt")
    vectors = pipe.model.get_input_embeddings()(inputs.pop("input_ids")).detach().requires_grad_()
    value = pipe.model(inputs_embeds=vectors, **inputs).logits[0, 1]
    value.backward()
    assert found.scores["text"] == pytest.approx((vectors * vectors.grad)[0].sum(-1).tolist(), abs=1e-5)
    assert found.value == pytest.approx(value.item(), abs=1e-5)
    assert found.target == "logit of 'so-so'" and found.error is None and found.baseline_value is None


def test_the_baseline_is_the_text_as_padding_between_its_special_tokens() -> None:
    pipe = bert("SequenceClassification", "text-classification", **LABELS)
    found = pipe.explain(TEXT, target=2).parts[0].attribution
    inputs = pipe.tokenizer(TEXT, return_tensors="pt")
    ids = inputs["input_ids"]
    inputs["input_ids"] = torch.where((ids == 2) | (ids == 3), ids, 0)
    with torch.no_grad():
        assert found.baseline_value == pytest.approx(pipe.model(**inputs).logits[0, 2].item(), abs=1e-5)
    assert found.scores["text"][0] == found.scores["text"][-1] == 0.0


def test_more_steps_bring_the_sum_nearer_and_a_number_given_is_kept_to() -> None:
    pipe = decoder("gpt2", "GPT2ForSequenceClassification", "text-classification", **LABELS)
    few, many = (pipe.explain(TEXT, steps=steps).parts[0].attribution for steps in (1, 24))
    assert (few.steps, many.steps) == (1, 24) and many.error < few.error


def test_a_head_of_two_halves_is_asked_for_both_readings_of_the_text() -> None:
    make, item, settings = READERS["bart classifies"]
    part = make().explain(item, **settings).parts[0]
    assert set(part.attribution.scores) == {"source", "decoder"}
    assert all(any(row) for row in part.attribution.scores.values())


def test_layers_that_no_gradient_goes_through_are_told_and_nothing_is_made_up() -> None:
    pipe = bert("SequenceClassification", "text-classification", **LABELS)
    pipe.model.bert.embeddings.register_forward_hook(lambda module, inputs, output: output.detach())
    part = pipe.explain(TEXT).parts[0]
    assert part.attribution is None and "no gradient comes through" in part.missing[0]


# ---------------------------------------------------------------- Korean, in bytes


def test_bytes_of_one_letter_are_read_together() -> None:
    words = tokenizer("bpe")
    pipe = decoder("gpt2", "GPT2ForSequenceClassification", "text-classification", **LABELS)
    pieces = pipe.explain("쀍 나비가").parts[0].sequences[0].pieces
    rare = [piece for piece in pieces if piece.share]
    assert [piece.share for piece in rare] == [f"{i}/{len(rare)}" for i in range(1, len(rare) + 1)] and len(rare) > 1
    assert {piece.text for piece in rare} == {"쀍"} and all((piece.start, piece.end) == (0, 1) for piece in rare)
    assert "".join(piece.text for piece in pieces if not piece.share) == " 나비가"
    assert words.decode([piece.id for piece in pieces]) == "쀍 나비가"


def test_bytes_that_are_no_letter_are_shown_by_their_numbers() -> None:
    from nabi.pipelines.explanation.pieces import sequence_of, token_names

    words = tokenizer("bpe")
    cut, whole = words("쀍", add_special_tokens=False)["input_ids"][0], words("나비가")["input_ids"][0]
    pieces = sequence_of("text", words, torch.tensor([cut, whole]), None, []).pieces
    assert pieces[0].text.startswith("‹") and pieces[0].share == "" and pieces[1].text == "나비가"
    assert token_names(words, [cut, whole]) == [pieces[0].text, "나비가"]


def test_a_mark_that_stands_for_unknown_words_too_is_a_mark() -> None:
    from nabi.pipelines.explanation.pieces import special_ids

    words = train("bpe", CORPUS, vocab_size=300, show_progress=False)
    words.unk_token = words.eos_token  # as GPT-2 has it
    assert words.eos_token_id in special_ids(words)
    assert tokenizer().unk_token_id not in special_ids(tokenizer())


def test_unknown_words_show_their_text_and_are_part_of_it() -> None:
    pipe = bert("SequenceClassification", "text-classification", **LABELS)
    part = pipe.explain("quux 나비가").parts[0]
    piece = part.sequences[0].pieces[1]
    assert (piece.token, piece.text, piece.special) == ("[UNK]", "quux", False) and part.attribution.scores["text"][1]


# ---------------------------------------------------------------- what cannot be asked


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "lime"}, "method is 'lime'"),
        ({"steps": 0}, "steps is 0"),
        ({"alternatives": True}, "alternatives is True"),
        ({"target": "happy"}, "the model's labels are 'bad', 'so-so', 'good'"),
    ],
    ids=str,
)
def test_a_setting_that_means_nothing_is_an_error(settings: dict[str, Any], message: str) -> None:
    pipe = bert("SequenceClassification", "text-classification", **LABELS)
    with pytest.raises(ValueError, match=message):
        pipe.explain(TEXT, **settings)


def test_bad_items_many_items_and_unknown_settings_fail_as_in_a_call_and_leave_no_trace() -> None:
    pipe = bert("SequenceClassification", "text-classification", **LABELS)
    with pytest.raises(ValueError, match="explain takes one item, and got 2"):
        pipe.explain([TEXT, TEXT])
    with pytest.raises(TypeError, match="is no text"):
        pipe.explain(None)
    with pytest.raises(TypeError, match="has no argument 'top_q'"):
        pipe.explain(TEXT, top_q=1)
    assert not any(module._forward_hooks for module in pipe.model.modules()) and "preprocess" not in vars(pipe)


def test_the_small_model_inside_nabi_explains_a_korean_sentence_by_its_telling_words() -> None:
    pipe = pipeline("sentiment-analysis", model=str(SENTIMENT))
    for text, label, word in (("이 영화는 최고예요!", "positive", "최고"), ("정말 지루했어요.", "negative", "지루했")):
        explanation = pipe.explain(text)
        (part,) = explanation.parts
        assert explanation.result[0]["label"] == label and part.attribution.error < 0.05
        scores = part.attribution.scores["text"]
        assert word in part.sequences[0].pieces[scores.index(max(scores))].text


def test_a_training_model_is_asked_without_dropout_and_goes_on_training() -> None:
    pipe = bert("SequenceClassification", "text-classification", **NLI)
    pipe.model.train()
    first, second = (pipe.explain(TEXT, method=None).to_dict() for _ in range(2))
    assert first == second and pipe.model.training


def test_the_code_of_the_page_on_it_runs_as_written(tmp_path: Path) -> None:
    document = Path(__file__).parents[2] / "docs" / "look-inside.md"
    code = "\n".join(re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "최고" in done.stdout and (tmp_path / "why.html").stat().st_size < 100_000
