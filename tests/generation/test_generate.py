"""`generate` beyond the choice of tokens: prompts of every form, what comes back, and what is refused before a pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import nabi
from nabi import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from ..nn.tiny import CASE, ids, make
from ..parity.pairs import assert_same, pair

WRITES = {"max_new_tokens": 6, "do_sample": False}


def gpt2() -> Any:
    return make("gpt2", "LMHeadModel")


def bart() -> Any:
    return make("bart", "ForConditionalGeneration")


# --- prompts ------------------------------------------------------------------------------------------------------


def test_without_a_prompt_a_text_begins_with_its_token() -> None:
    model = gpt2()
    written = model.generate(bos_token_id=5, **WRITES)
    assert written.tolist() == model.generate(torch.tensor([[5]]), **WRITES).tolist()
    with pytest.raises(ValueError, match="bos_token_id is not set: pass input_ids"):
        model.generation_config.bos_token_id = None
        model.generate(**WRITES)


def test_padding_before_a_text_changes_nothing() -> None:
    model = gpt2()
    alone = model.generate(ids(1, 5), **WRITES)
    padded = torch.cat((torch.zeros(1, 2, dtype=torch.long), ids(1, 5)), dim=1)
    both = torch.cat((padded, ids(2, 7)[1:]), dim=0)
    mask = torch.ones_like(both)
    mask[0, :2] = 0
    assert model.generate(both, attention_mask=mask, **WRITES)[0, 2:].tolist() == alone[0].tolist()
    model.generation_config.update(pad_token_id=0, eos_token_id=59)
    assert model.generate(both, **WRITES)[0, 2:].tolist() == alone[0].tolist()  # told by the id of padding


def test_padding_behind_a_text_is_warned_of() -> None:
    mask = torch.ones(2, 7, dtype=torch.long)
    mask[0, -2:] = 0
    with pytest.warns(UserWarning, match="padding_side='left'"):
        gpt2().generate(ids(), attention_mask=mask, **WRITES)


def test_vectors_may_stand_for_the_prompt() -> None:
    oracle, model, _ = pair(CASE["gpt2"], "LMHeadModel")
    vectors = model.get_input_embeddings()(ids()).detach()
    whole = model.generate(ids(), **WRITES)
    new = model.generate(inputs_embeds=vectors, **WRITES)
    assert new.tolist() == whole[:, 7:].tolist() == oracle.generate(inputs_embeds=vectors, **WRITES).tolist()
    assert model.generate(inputs_embeds=vectors, use_cache=False, **WRITES).tolist() == new.tolist()
    assert model.generate(ids(), inputs_embeds=vectors, **WRITES).tolist() == whole.tolist()
    assert model.generate(inputs_embeds=vectors, max_length=10).shape == (2, 3)


def test_a_conversation_goes_on_with_its_cache() -> None:
    model = gpt2()
    first = model.generate(ids(1, 5), return_dict_in_generate=True, **WRITES)
    longer = torch.cat((first.sequences, ids(1, 3)), dim=1)
    want = model.generate(longer, **WRITES)
    passes = []
    model.transformer.wte.register_forward_hook(lambda module, given, out: passes.append(given[0].shape[1]))
    again = model.generate(longer, past_key_values=first.past_key_values, return_dict_in_generate=True, **WRITES)
    assert again.sequences.tolist() == want.tolist()
    assert passes == [4, 1, 1, 1, 1, 1]  # the last token written had not been read yet
    # All of it is known already: the last one is read again for its scores.
    same = model.generate(longer, past_key_values=again.past_key_values, **WRITES)
    assert same.tolist() == want.tolist()


def test_only_what_is_new_may_be_given_with_a_cache() -> None:
    model = gpt2()
    past = model(ids(1, 7)[:, :4], use_cache=True).past_key_values
    new = model.generate(
        ids(1, 7)[:, 4:], past_key_values=past, attention_mask=torch.ones(1, 7, dtype=torch.long), **WRITES
    )
    assert new[0, 3:].tolist() == model.generate(ids(1, 7), **WRITES)[0, 7:].tolist()


def test_a_tuple_is_taken_and_given_as_older_code_does() -> None:
    model = gpt2()
    past = model(ids(1, 7)[:, :4], use_cache=True).past_key_values.to_legacy_cache()
    out = model.generate(
        ids(1, 7), past_key_values=past, return_dict_in_generate=True, return_legacy_cache=True, **WRITES
    )
    assert isinstance(out.past_key_values, tuple) and out.past_key_values[0][0].shape[2] == 12
    assert out.sequences.tolist() == model.generate(ids(1, 7), **WRITES).tolist()


def test_every_kind_of_cache_writes_the_same() -> None:
    model = make("mistral", "ForCausalLM")
    want = model.generate(ids(), use_cache=False, **WRITES).tolist()
    for kind in ("dynamic", "dynamic_full", "static", "sliding_window", "hybrid"):
        assert model.generate(ids(), cache_implementation=kind, **WRITES).tolist() == want, kind


def test_an_encoders_output_may_be_given_and_a_target_begun() -> None:
    oracle, model, _ = pair(CASE["bart"], "ForConditionalGeneration")
    read = model.get_encoder()(ids())
    want = model.generate(ids(), num_beams=2, **WRITES)
    assert model.generate(encoder_outputs=read, num_beams=2, **WRITES).tolist() == want.tolist()
    assert model.generate(encoder_outputs=(read[0],), num_beams=2, use_cache=False, **WRITES).tolist() == want.tolist()
    begun = torch.tensor([[9, 8], [6, 5]])
    theirs = oracle.generate(ids(), decoder_input_ids=begun, **WRITES)
    ours = model.generate(ids(), decoder_input_ids=begun, **WRITES)
    assert ours.tolist() == theirs.tolist() and ours[:, :3].tolist() == [[2, 9, 8], [2, 6, 5]]


def test_every_beam_of_a_text_sees_all_of_its_pictures() -> None:
    model = make("llava", "ForConditionalGeneration")
    inputs = CASE["llava"].inputs("ForConditionalGeneration", "left")
    row, picture = inputs["input_ids"][:1], inputs["pixel_values"]
    twice = torch.cat((row, row), dim=1)  # two pictures in each of two texts
    both = {"input_ids": torch.cat((twice, twice)), "pixel_values": picture[[0, 1, 2, 0]]}
    alone = {"input_ids": twice, "pixel_values": picture[[0, 1]]}
    want = model.generate(**alone, num_beams=3, max_new_tokens=3)
    assert model.generate(**both, num_beams=3, max_new_tokens=3)[0].tolist() == want[0].tolist()
    one = alone["pixel_values"]
    assert model.repeat_input("pixel_values", one, 2, twice).equal(one[[0, 1, 0, 1]])


# --- what comes back ----------------------------------------------------------------------------------------------


def finite(value: Any) -> Any:
    """What is ruled out as a number that can be compared."""
    return value.nan_to_num() if isinstance(value, Tensor) else tuple(map(finite, value))


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize(
    ("case", "head"),
    [("llama", "ForCausalLM"), ("bart", "ForConditionalGeneration"), ("t5", "ForConditionalGeneration")],
)
def test_attentions_and_hidden_states_of_every_step_come_back(case: str, head: str, beams: int) -> None:
    oracle, model, _ = pair(CASE[case], head)
    wanted = {
        **{"output_attentions": True, "output_hidden_states": True, "output_scores": True, "output_logits": True},
        **{"return_dict_in_generate": True, "num_beams": beams, "max_new_tokens": 4},
    }
    ours, theirs = model.generate(ids(), **wanted), oracle.generate(ids(), **wanted)
    assert type(ours).__name__ == type(theirs).__name__
    assert set(ours) == set(theirs)
    for name in set(theirs) - {"past_key_values"}:
        assert_same(CASE[case], {}, finite(ours[name]), finite(theirs[name]), name)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("normalize", [False, True])
def test_scores_of_the_tokens_written_are_those_of_the_incumbent(beams: int, normalize: bool) -> None:
    oracle, model, _ = pair(CASE["gpt2"], "LMHeadModel")
    wanted = {"output_scores": True, "return_dict_in_generate": True, "num_beams": beams, "max_new_tokens": 5}
    ours, theirs = (each.generate(ids(), eos_token_id=[9, 12], pad_token_id=0, **wanted) for each in (model, oracle))
    indices = {"beam_indices": ours.beam_indices} if beams > 1 else {}
    found = model.compute_transition_scores(ours.sequences, ours.scores, normalize_logits=normalize, **indices)
    want = oracle.compute_transition_scores(theirs.sequences, theirs.scores, normalize_logits=normalize, **indices)
    assert torch.allclose(found, want, atol=1e-4)


def test_a_model_that_trains_can_still_be_asked_to_write() -> None:
    model = gpt2().train()
    model.generate(ids(), **WRITES)
    model(ids(), labels=ids()).loss.backward()


# --- processors, stops and forms of one's own --------------------------------------------------------------------


class Only(LogitsProcessor):
    def __init__(self, token: int) -> None:
        self.token = token

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        kept = torch.full_like(scores, -torch.inf)
        kept[:, self.token] = 0
        return kept


class After(StoppingCriteria):
    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> bool:
        return input_ids.shape[1] >= 9


def test_processors_and_criteria_of_ones_own_count() -> None:
    model = gpt2()
    written = model.generate(
        ids(),
        logits_processor=LogitsProcessorList([Only(33)]),
        stopping_criteria=StoppingCriteriaList([After()]),
        max_new_tokens=6,
    )
    assert written[:, 7:].tolist() == [[33, 33], [33, 33]]


def test_allowed_tokens_may_depend_on_the_text() -> None:
    written = gpt2().generate(
        ids(), prefix_allowed_tokens_fn=lambda text, so_far: [20 + text, 30 + text], num_beams=3, max_new_tokens=4
    )
    assert set(written[0, 7:].tolist()) <= {20, 30} and set(written[1, 7:].tolist()) <= {21, 31}


def test_guidance_leads_away_from_what_it_would_say_without_the_prompt() -> None:
    oracle, model, _ = pair(CASE["gpt2"], "LMHeadModel")
    theirs, ours = (each.generate(ids(1), guidance_scale=2.5, **WRITES) for each in (oracle, model))
    assert ours.tolist() == theirs.tolist() != model.generate(ids(1), **WRITES).tolist()


def test_behind_its_end_a_text_is_filled_with_padding_or_with_the_end() -> None:
    model = gpt2()
    varied = {**WRITES, "repetition_penalty": 5.0}
    first = model.generate(ids(), **varied)[:, 7:]
    end = next(token for token in first[0].tolist() if token not in first[1].tolist())
    place = first[0].tolist().index(end)
    for filling in (3, None):
        written = model.generate(ids(), eos_token_id=end, pad_token_id=filling, **varied)[:, 7:]
        assert written[0].tolist() == [*first[0, : place + 1].tolist(), *[filling or end] * (5 - place)]
        assert written[1].tolist() == first[1].tolist()


# --- refusals -----------------------------------------------------------------------------------------------------


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"inputs": torch.zeros(1, 0, dtype=torch.long), "use": 1}, TypeError, "takes no argument 'use'"),
    ({"inputs": torch.zeros(0, 3, dtype=torch.long)}, ValueError, "there is no text in the batch"),
    ({"inputs": torch.zeros(1, 0, dtype=torch.long)}, ValueError, "the prompt is empty"),
    ({"inputs": torch.tensor([[1, 60]])}, ValueError, "holds the id 60, but the model knows 0 to 59"),
    ({"inputs": torch.tensor([[-1]])}, ValueError, "holds the id -1"),
    ({"inputs": torch.tensor([1, 2])}, ValueError, r"expected ids of shape \(texts, length\)"),
    ({"inputs": torch.rand(1, 3)}, ValueError, "numbers of torch.float32"),
    ({"inputs": [[1, 2]]}, TypeError, "tokenize with return_tensors='pt'"),
    ({"inputs": "안녕"}, TypeError, "input_ids is a str"),
    ({"inputs": {"input_ids": ids()}}, TypeError, r"model.generate\(\*\*inputs\)"),
    ({"inputs": ids(), "input_ids": ids()}, ValueError, "the prompt was given twice"),
    ({"inputs": ids(), "max_new_token": 3}, TypeError, "did you mean 'max_new_tokens'"),
    ({"inputs": ids(), "max_length": 7}, ValueError, "has 7 tokens already, and max_length is 7"),
    ({"inputs": ids(1, 30)}, ValueError, "has 30 tokens, but the model knows 24 positions"),
    ({"inputs": ids(), "max_new_tokens": 30}, ValueError, "pass max_new_tokens=18 or less"),
    ({"inputs": ids(), "attention_mask": torch.ones(2, 6)}, ValueError, r"attention_mask is \(2, 6\), the prompt"),
    ({"inputs": ids(), "attention_mask": torch.zeros(2, 7)}, ValueError, "text 0 of the batch has no real token"),
    ({"inputs": ids(), "generation_config": {"top_k": 3}}, TypeError, "generation_config is a dict"),
    ({"inputs": ids(), "num_beams": 2, "streamer": object()}, ValueError, "a streamer prints tokens"),
    ({"inputs": ids(), "stop_strings": ["x"]}, ValueError, "pass tokenizer=…"),
    ({"inputs": ids(), "regex": "a+"}, ValueError, "needs the tokenizer"),
    ({"inputs": ids(), "negative_prompt_ids": ids()}, ValueError, "negative_prompt_ids are given, but"),
]
REFUSED_BY_A_MODEL_WITH_A_SOURCE: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({}, ValueError, "reads a source: pass input_ids"),
    ({"inputs": torch.tensor([[1, 60]])}, ValueError, "holds the id 60"),
    ({"inputs": ids(), "decoder_input_ids": torch.tensor([[2]])}, ValueError, "holds 1 texts, but 2 sources"),
    ({"inputs": ids(), "decoder_input_ids": torch.tensor([[77], [1]])}, ValueError, "holds the id 77"),
    ({"inputs": ids(), "inputs_embeds": torch.rand(2, 7, 16)}, ValueError, "were both given"),
    ({"inputs": ids(), "max_new_tokens": 40}, ValueError, "the model knows 24 positions: pass max_new_tokens=24"),
]


def names(refused: list[tuple[dict[str, Any], type[Exception], str]]) -> list[str]:
    return [message for *_, message in refused]


@pytest.mark.parametrize(("given", "error", "message"), REFUSED, ids=names(REFUSED))
def test_what_does_not_fit_is_refused_before_anything_is_computed(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = gpt2()
    model.transformer.h.register_forward_pre_hook(lambda *_: pytest.fail("a pass was made"))
    with pytest.raises(error, match=message):
        model.generate(**given)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    REFUSED_BY_A_MODEL_WITH_A_SOURCE,
    ids=names(REFUSED_BY_A_MODEL_WITH_A_SOURCE),
)
def test_a_model_with_a_source_refuses_too(given: dict[str, Any], error: type[Exception], message: str) -> None:
    model = bart()
    model.get_encoder().register_forward_pre_hook(lambda *_: pytest.fail("the source was read"))
    with pytest.raises(error, match=message):
        model.generate(**given)


def test_models_that_score_no_tokens_write_none() -> None:
    model: Any = make("gpt2")
    assert not model.can_generate() and not hasattr(model, "generate")
    assert nabi.GPT2LMHeadModel.can_generate() and issubclass(nabi.GPT2LMHeadModel, nabi.GenerationMixin)


def test_inputs_prepared_by_a_class_of_ones_own_are_used() -> None:
    class Mine(nabi.GPT2LMHeadModel):
        def prepare_inputs_for_generation(self, input_ids: Tensor, **inputs: Any) -> dict[str, Any]:
            return super().prepare_inputs_for_generation(input_ids.clamp(max=9), **inputs)

    model = gpt2()
    mine = Mine(model.config).eval()
    mine.load_state_dict(model.state_dict())
    found, want = mine.generate(ids(), max_new_tokens=1), model.generate(ids().clamp(max=9), max_new_tokens=1)
    assert found[:, -1].tolist() == want[:, -1].tolist()


def test_no_log_line_nags(caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> None:
    gpt2().generate(ids(), eos_token_id=3, max_length=12, temperature=0.7)
    assert not caplog.records and not [each for each in recwarn if "nabi" in each.filename]
