"""What a caller may do wrong in a call: one clear error that names the argument, the value and the remedy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import nabi

from ..parity.cases import CASES, Case
from .tiny import ids, make

LONG = 60
TEXT_CASES = [case for case in CASES if case.kind in ("encoder", "decoder", "seq2seq") and "Model" in case.heads]
every_text_model = pytest.mark.parametrize("case", TEXT_CASES, ids=[case.name for case in TEXT_CASES])


def call(case: Case | str, head: str = "Model", **inputs: Any) -> Any:
    model = make(case, head)
    if model.config.model_type in ("t5", "bart") and head == "Model" and "decoder_input_ids" not in inputs:
        inputs["decoder_input_ids"] = ids()
    with torch.no_grad():
        return model(**inputs)


def refused(kind: type[Exception], message: str, case: Case | str, head: str = "Model", **inputs: Any) -> None:
    with pytest.raises(kind, match=message) as caught:
        call(case, head, **inputs)
    assert "\n" not in str(caught.value)


# --- ids --------------------------------------------------------------------------------------------------------------


@every_text_model
@pytest.mark.parametrize("wrong", [60, -1])
def test_an_id_outside_the_vocabulary_is_named_with_the_range(case: Case, wrong: int) -> None:
    given = ids()
    given[1, 3] = wrong
    refused(
        ValueError, f"input_ids holds the id {wrong}, but the model knows 0 to 59: .*tokenizer", case, input_ids=given
    )


@every_text_model
def test_exactly_one_of_ids_and_vectors_is_wanted(case: Case) -> None:
    vectors = torch.zeros(2, 7, 16)
    refused(ValueError, "both of them", case, input_ids=ids(), inputs_embeds=vectors)
    inputs = {"decoder_input_ids": ids()} if case.kind == "seq2seq" else {}
    refused(ValueError, "neither of them", case, **inputs)


@every_text_model
def test_ids_that_are_no_batch_no_tensor_or_no_whole_numbers_are_refused(case: Case) -> None:
    refused(
        ValueError, r"input_ids has shape \(7,\); expected \(batch, length\).*return_tensors", case, input_ids=ids()[0]
    )
    refused(ValueError, r"input_ids has shape \(2, 0\): the text is empty", case, input_ids=ids()[:, :0])
    refused(ValueError, "input_ids holds numbers of torch.float32", case, input_ids=ids().float())
    refused(TypeError, "input_ids is a list; expected a tensor", case, input_ids=[[1, 2, 3]])


@every_text_model
def test_vectors_without_a_batch_are_refused(case: Case) -> None:
    refused(
        ValueError,
        r"inputs_embeds has shape \(7, 16\); expected \(batch, length, hidden\)",
        case,
        inputs_embeds=torch.zeros(7, 16),
    )


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "albert", "electra"])
def test_vectors_of_another_size_are_refused(name: str) -> None:
    refused(ValueError, "inputs_embeds has vectors of size 5", name, inputs_embeds=torch.zeros(2, 7, 5))


@pytest.mark.parametrize("name", ["bert", "albert", "electra", "deberta-absolute"])
def test_a_segment_or_a_position_that_the_model_has_not_is_named(name: str) -> None:
    refused(
        ValueError,
        "token_type_ids holds the id 2, but the model knows 0 to 1",
        name,
        input_ids=ids(),
        token_type_ids=ids() * 0 + 2,
    )
    refused(
        ValueError,
        "position_ids holds the id 24, but the model knows 0 to 23",
        name,
        input_ids=ids(),
        position_ids=ids() * 0 + 24,
    )


@pytest.mark.parametrize("name", ["bert", "roberta", "albert", "electra"])
def test_segments_and_positions_go_with_the_tokens(name: str) -> None:
    for argument in ("token_type_ids", "position_ids"):
        refused(
            ValueError,
            rf"{argument} has shape \(2, 5\), the text \(2, 7\)",
            name,
            input_ids=ids(),
            **{argument: ids(2, 5) * 0 + 1},
        )


# --- lengths ----------------------------------------------------------------------------------------------------------

WITH_POSITIONS = [case for case in TEXT_CASES if case.longest]


@pytest.mark.parametrize("case", WITH_POSITIONS, ids=[case.name for case in WITH_POSITIONS])
def test_a_text_longer_than_the_positions_says_how_to_truncate(case: Case) -> None:
    limit = case.longest
    message = (
        f"the text has {limit + 1} tokens, but the model knows {limit} positions: .*truncation=True, max_length={limit}"
    )
    target = {"decoder_input_ids": ids()} if case.kind == "seq2seq" else {}
    refused(ValueError, message, case, input_ids=ids(2, limit + 1), **target)
    call(case, input_ids=ids(2, limit), **target)


@pytest.mark.parametrize("name", ["llama", "llama-dynamic", "mixtral", "t5", "deberta-v3"])
def test_relative_positions_have_no_end(name: str) -> None:
    out = call(name, input_ids=ids(1, LONG), **({"decoder_input_ids": ids(1, LONG)} if name == "t5" else {}))
    assert torch.isfinite(out.last_hidden_state).all()


def test_a_cache_counts_towards_the_length() -> None:
    model = make("gpt2", "LMHeadModel")
    past = model(ids(2, 20)).past_key_values
    with pytest.raises(ValueError, match="the text has 27 tokens, but the model knows 24"):
        model(ids(), past_key_values=past)


@pytest.mark.parametrize("samples", [0, 9, 15])
def test_a_recording_too_short_for_a_frame_is_refused(samples: int) -> None:
    refused(ValueError, f"holds {samples} samples, too few", "wav2vec2", input_values=torch.zeros(1, samples))
    refused(ValueError, r"shape \(400,\); expected \(batch, samples\)", "wav2vec2", input_values=torch.zeros(400))


# --- masks and caches -------------------------------------------------------------------------------------------------


@every_text_model
@pytest.mark.parametrize("shape", [(2, 6), (7,), (3, 7), (2, 1, 7, 6), (2, 7, 7, 7, 7)])
def test_a_mask_of_another_shape_says_what_it_should_be(case: Case, shape: tuple[int, ...]) -> None:
    message = rf"attention_mask has shape {re.escape(str(shape))}, but the text has batch 2.*pass \(batch, 7\)"
    refused(ValueError, message, case, input_ids=ids(), attention_mask=torch.ones(shape, dtype=torch.long))


def test_a_mask_that_is_no_tensor_is_refused() -> None:
    refused(TypeError, "attention_mask is a list", "bert", input_ids=ids(), attention_mask=[[1] * 7] * 2)


@pytest.mark.parametrize("past", [3, "past", (1, 2), [(torch.zeros(2), None)], [(torch.zeros(2),) * 3]])
def test_a_cache_that_is_none_is_refused(past: Any) -> None:
    refused(TypeError, "past_key_values is a .*expected the Cache", "gpt2", input_ids=ids(), past_key_values=past)


def test_a_cache_of_other_texts_is_refused() -> None:
    past = call("gpt2", input_ids=ids(3), use_cache=True).past_key_values
    refused(
        ValueError, "past_key_values holds 3 texts, but this pass has 2", "gpt2", input_ids=ids(), past_key_values=past
    )


def test_an_encoders_output_without_cross_attention_is_refused() -> None:
    memory = {"encoder_hidden_states": torch.zeros(2, 3, 16)}
    for name in ("bert", "gpt2"):
        head = "LMHeadModel"
        refused(ValueError, "add_cross_attention=False", name, head, input_ids=ids(), **memory)


def test_a_target_is_wanted() -> None:
    with pytest.raises(
        ValueError, match=r"T5ForConditionalGeneration writes a target: pass decoder_input_ids \(or labels"
    ):
        make("t5", "ForConditionalGeneration")(ids())


def test_an_unknown_argument_is_a_type_error_that_names_it() -> None:
    refused(TypeError, "nonsense", "bert", input_ids=ids(), nonsense=1)
    refused(TypeError, "token_type_ids", "distilbert", input_ids=ids(), token_type_ids=ids() * 0)


# --- labels -----------------------------------------------------------------------------------------------------------

CLASSIFIERS = [case for case in TEXT_CASES if "ForSequenceClassification" in case.heads]


@pytest.mark.parametrize("case", CLASSIFIERS, ids=[case.name for case in CLASSIFIERS])
def test_a_label_that_names_no_class_is_named_with_the_number_of_classes(case: Case) -> None:
    config = make(case, "ForSequenceClassification").config
    end, count = config.eos_token_id if case.kind == "seq2seq" else 7, config.num_labels
    for wrong in (count, -1):
        refused(
            ValueError,
            f"label {wrong} names no class: the model has {count} classes",
            case,
            "ForSequenceClassification",
            input_ids=ids(end=end),
            labels=torch.tensor([0, wrong]),
        )


@pytest.mark.parametrize(
    ("head", "labels", "kind", "message"),
    [
        ("ForSequenceClassification", torch.tensor([0, 1, 1]), ValueError, r"labels have shape \(3,\)"),
        ("ForSequenceClassification", torch.zeros(3, 2), ValueError, r"labels have shape \(3, 2\).*\(2, 2\)"),
        ("ForSequenceClassification", [0, 1], TypeError, "labels is a list; expected a tensor"),
        ("ForTokenClassification", torch.zeros(2, 6).long(), ValueError, r"labels have shape \(2, 6\)"),
        ("ForTokenClassification", torch.zeros(2, 7), ValueError, "labels hold numbers of torch.float32"),
        ("ForTokenClassification", torch.full((2, 7), 9), ValueError, "label 9 names no class"),
        ("ForMaskedLM", torch.full((2, 7), 60), ValueError, "label 60 names no class: the model has 60 classes"),
        ("LMHeadModel", torch.zeros(2, 6).long(), ValueError, r"labels have shape \(2, 6\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(head: str, labels: Any, kind: type[Exception], message: str) -> None:
    refused(kind, message, "bert", head, input_ids=ids(), labels=labels)


def test_minus_one_hundred_counts_for_nothing() -> None:
    labels = torch.full((2, 7), -100)
    labels[0, 0] = 3
    whole = call("bert", "ForMaskedLM", input_ids=ids(), labels=labels)
    only = torch.nn.functional.cross_entropy(whole.logits[0, :1], torch.tensor([3]))
    assert torch.allclose(whole.loss, only)


def test_spans_that_do_not_fit_the_batch_are_refused_and_those_beyond_the_text_ignored() -> None:
    one = torch.tensor([1, 1])
    refused(
        ValueError,
        r"start_positions has shape \(3,\)",
        "bert",
        "ForQuestionAnswering",
        input_ids=ids(),
        start_positions=torch.tensor([1, 1, 1]),
        end_positions=one,
    )
    refused(
        TypeError,
        "end_positions is a list",
        "bert",
        "ForQuestionAnswering",
        input_ids=ids(),
        start_positions=one,
        end_positions=[1, 1],
    )
    far = call(
        "bert",
        "ForQuestionAnswering",
        input_ids=ids(),
        start_positions=torch.tensor([1, 99]),
        end_positions=torch.tensor([[1], [99]]),
    )
    near = torch.nn.functional.cross_entropy(far.start_logits[:1], torch.tensor([1]))
    near = (near + torch.nn.functional.cross_entropy(far.end_logits[:1], torch.tensor([1]))) / 2
    assert torch.allclose(far.loss, near)


@pytest.mark.parametrize(
    ("problem", "labels", "message"),
    [
        ("regression", torch.zeros(3), r"labels have shape \(3,\), but regression"),
        ("multi_label_classification", torch.zeros(2), r"labels have shape \(2,\), but multi-label"),
        ("single_label_classification", torch.tensor([0.0, 0.7]), "labels hold numbers of torch.float32"),
        ("guessing", torch.zeros(2), "problem_type is 'guessing'; known are 'regression'"),
    ],
)
def test_labels_must_fit_the_problem_type(problem: str, labels: torch.Tensor, message: str) -> None:
    model = make("bert", "ForSequenceClassification", problem_type=problem)
    with pytest.raises(ValueError, match=message):
        model(ids(), labels=labels)


@pytest.mark.parametrize("name", ["gpt2", "llama", "mixtral"])
def test_a_decoders_classifier_wants_the_padding_id_of_a_batch(name: str) -> None:
    model = make(name, "ForSequenceClassification", pad_token_id=None)
    with pytest.raises(ValueError, match=r"batch of 2 texts.*pad_token_id is None.*tokenizer\.pad_token_id"):
        model(ids())
    assert model(ids()[:1]).logits.shape == (1, 2)
    model.config.pad_token_id = 0
    assert model(ids()).logits.shape == (2, 2)


def test_a_text_without_its_end_is_refused_where_the_label_is_read_there() -> None:
    for name in ("t5", "bart"):
        refused(
            ValueError,
            "without the end token .*add_special_tokens=True",
            name,
            "ForSequenceClassification",
            input_ids=ids(),
        )


def test_multiple_choice_wants_a_dimension_for_the_choices() -> None:
    refused(ValueError, r"\(batch, choices, length\), got \(2, 7\)", "bert", "ForMultipleChoice", input_ids=ids())


def test_a_character_outside_the_vocabulary_is_refused_where_speech_is_written() -> None:
    labels = torch.full((1, 3), 20)
    refused(
        ValueError,
        "labels hold 20, but the vocabulary has 20",
        "wav2vec2",
        "ForCTC",
        input_values=torch.zeros(1, 400),
        labels=labels,
    )


# --- configurations that make no model --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("bert", {"hidden_act": "glu9"}, "unknown activation 'glu9'.*gelu"),
        ("bert", {"hidden_size": 18}, "hidden size 18 .* not a multiple of its 4 heads"),
        ("bert", {"pad_token_id": 60}, "pad_token_id 60 .* vocabulary, 0 to 59"),
        ("electra", {"summary_type": "attn"}, "summary_type is 'attn'"),
    ],
)
def test_a_config_that_makes_no_model_is_refused_with_key_and_value(
    name: str, keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(name, "ForMultipleChoice", **keys)


# --- what must fit what -----------------------------------------------------------------------------------------------


@every_text_model
def test_vectors_of_another_width_are_refused(case: Case) -> None:
    inputs = {"decoder_input_ids": ids()} if case.kind == "seq2seq" else {}
    refused(ValueError, "inputs_embeds has vectors of size 9", case, inputs_embeds=torch.zeros(2, 7, 9), **inputs)


@pytest.mark.parametrize("case", [case for case in TEXT_CASES if case.kind == "decoder"], ids=lambda case: case.name)
def test_positions_that_do_not_fit_a_decoders_text_are_refused(case: Case) -> None:
    refused(ValueError, "position_ids has shape", case, input_ids=ids(), position_ids=torch.arange(5)[None])
    refused(ValueError, "position_ids holds numbers", case, input_ids=ids(), position_ids=torch.arange(7.0)[None])


@pytest.mark.parametrize("case", ["gpt2", "xlm", "deberta-absolute"])
def test_token_types_that_do_not_fit_the_text_are_refused(case: str) -> None:
    refused(ValueError, "token_type_ids has shape", case, input_ids=ids(), token_type_ids=ids()[:, :5])


def test_ids_that_are_true_or_false_are_refused() -> None:
    refused(ValueError, "input_ids holds numbers of torch.bool", "bert", input_ids=ids() > 3)


@pytest.mark.parametrize("case", ["t5", "bart"])
def test_each_target_needs_its_source(case: str) -> None:
    refused(ValueError, "holds 2 sources, but 3 targets", case, input_ids=ids(), decoder_input_ids=ids()[[0, 1, 0]])


def test_a_cache_of_another_model_is_refused() -> None:
    past = call("gpt2", input_ids=ids(), use_cache=True).past_key_values
    message = "holds 4 heads, but this pass has 2: pass the cache that this model returned"
    refused(ValueError, message, "llama", input_ids=ids()[:, :1], past_key_values=past)


@pytest.mark.parametrize("case", ["bert", "gpt2", "t5", "llama"])
def test_an_unknown_argument_is_named_with_the_class_that_was_called(case: str) -> None:
    named = type(make(case)).__name__
    refused(
        TypeError,
        f"^{named} takes no argument 'atention_mask'; did you mean 'attention_mask'.$",
        case,
        input_ids=ids(),
        atention_mask=ids(),
    )


def test_an_empty_batch_goes_through_gpt2() -> None:
    assert call("gpt2", input_ids=ids()[:0]).last_hidden_state.shape == (0, 7, 16)


def test_a_dtype_that_is_none_of_weights_and_a_device_that_is_not_here_are_refused(tmp_path: Path) -> None:
    make("bert").save_pretrained(tmp_path)
    for dtype in ("int8", torch.int64):
        with pytest.raises(ValueError, match="expected one of floating-point numbers"):
            nabi.BertModel.from_pretrained(tmp_path, dtype=dtype)
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no CUDA device here"):
            nabi.BertModel.from_pretrained(tmp_path, device_map="cuda")
