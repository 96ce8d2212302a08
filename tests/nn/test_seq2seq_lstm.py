"""The recurrent family has no incumbent: what must hold of it is said here."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nabi import (
    AutoConfig,
    AutoModelForSeq2SeqLM,
    Cache,
    Seq2SeqLstmConfig,
    Seq2SeqLstmForConditionalGeneration,
    Seq2SeqLstmModel,
)

from ..parity.cases.case import Case
from ..parity.test_config_keys import config_class, other_value, shows
from .tiny import warnings

KEYS: dict[str, Any] = {
    "vocab_size": 30,
    "embedding_size": 6,
    "hidden_size": 8,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "dropout": 0.0,
}
KINDS = ["general", "dot", "additive"]
every_attention = pytest.mark.parametrize("attention", KINDS)


def make(attention: str = "general", **keys: Any) -> Any:
    torch.manual_seed(0)
    model = Seq2SeqLstmForConditionalGeneration(Seq2SeqLstmConfig(**{**KEYS, "attention": attention, **keys})).eval()
    for parameter in model.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    return model


def ids(rows: int = 3, length: int = 7, seed: int = 1) -> Tensor:
    return torch.randint(3, 30, (rows, length), generator=torch.Generator().manual_seed(seed))


def same(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


# --- padding ---------------------------------------------------------------------------------------------------------


@every_attention
@pytest.mark.parametrize("places", [[0, 1], [7, 8], [0, 8], [3, 5]], ids=["left", "right", "both", "inside"])
def test_padding_changes_nothing(attention: str, places: list[int]) -> None:
    model, source, target = make(attention), ids(), ids(length=4, seed=2)
    mask = torch.ones(3, 9, dtype=torch.long)
    mask[1:, places] = 0
    padded = torch.full((3, 9), 29)  # what stands at padding is not looked at
    padded[mask.bool()] = torch.cat((torch.tensor([5, 6]), source[0], source[1], source[2]))
    inputs = {"decoder_input_ids": target[1:], "output_attentions": True, "output_hidden_states": True}
    with torch.no_grad():
        alone = model(source[1:], **inputs)
        among = model(padded, mask, **{**inputs, "decoder_input_ids": target})
    same(among.logits[1:], alone.logits)
    real = mask[1:].bool()
    same(among.encoder_last_hidden_state[1:][real], alone.encoder_last_hidden_state.flatten(0, 1))
    assert (among.encoder_last_hidden_state[1:][~real] == 0).all()
    weights = among.cross_attentions[0]
    assert weights.shape == (3, 1, 4, 9) and (weights[1:, 0, :, places] == 0).all()
    same(weights.sum(-1), torch.ones(3, 1, 4))


def test_padding_of_the_target_changes_nothing() -> None:
    model, source, target = make(), ids(), ids(length=4, seed=2)
    for side in (slice(0, 2), slice(4, 6)):
        mask = torch.ones(3, 6, dtype=torch.long)
        mask[:, side] = 0
        padded = torch.zeros(3, 6, dtype=torch.long)
        padded[mask.bool()] = target.flatten()
        mixed = torch.cat((mask[:1] * 0 + 1, mask[1:]))
        with torch.no_grad():
            alone = model(source, decoder_input_ids=target)
            among = model(source, decoder_input_ids=padded, decoder_attention_mask=mask)
            half = model(source, decoder_input_ids=padded, decoder_attention_mask=mixed)
        same(among.logits[mask.bool()], alone.logits.flatten(0, 1))
        same(half.logits[1:][mask[1:].bool()], alone.logits[1:].flatten(0, 1))


def test_a_text_does_not_depend_on_its_neighbours() -> None:
    model, source, target = make(), ids(), ids(length=4, seed=2)
    with torch.no_grad():
        together = model(source, decoder_input_ids=target).logits
        for row in range(3):
            same(model(source[row : row + 1], decoder_input_ids=target[row : row + 1]).logits[0], together[row])


# --- steps -----------------------------------------------------------------------------------------------------------


@every_attention
def test_steps_with_the_state_are_one_pass(attention: str) -> None:
    model, source, target = make(attention), ids(), ids(length=6, seed=2)
    mask = torch.ones_like(source)
    mask[2, :3] = 0
    with torch.no_grad():
        whole = model(source, mask, target)
        read = model.get_encoder()(source, mask)
        past, steps = Cache(), []
        for part in (target[:, :1], target[:, 1:4], target[:, 4:]):
            out = model(
                attention_mask=mask, encoder_outputs=read, decoder_input_ids=part, past_key_values=past, use_cache=True
            )
            past = out.past_key_values
            steps.append(out.logits)
    same(torch.cat(steps, dim=1), whole.logits)
    assert past.get_seq_length() == 6 == whole.past_key_values.get_seq_length()
    assert "past_key_values" not in model(source, mask, target, use_cache=False)


def test_an_earlier_state_is_left_as_it_was() -> None:
    model, source, target = make(), ids(), ids(length=6, seed=2)
    with torch.no_grad():
        past = model(source, decoder_input_ids=target[:, :2]).past_key_values
        before = copy.deepcopy(past)
        once, again = (model(source, decoder_input_ids=target[:, 2:], past_key_values=past).logits for _ in range(2))
    same(once, again)
    assert past.get_seq_length() == before.get_seq_length() == 2
    assert all(torch.equal(a, b) for i in (0, 1) for a, b in zip(past.layers[i], before.layers[i], strict=True))


def test_the_state_follows_a_search_over_beams() -> None:
    """Each text stands in the batch once for each of its beams; after a step some beams go on as copies of others."""
    model, target = make(), ids(4, 5, seed=2)
    source = ids(2).repeat_interleave(2, dim=0)
    mask = torch.ones_like(source)
    mask[2:, 5:] = 0
    rows = torch.tensor([1, 1, 3, 2])
    with torch.no_grad():
        past = model(source, mask, target[:, :3]).past_key_values
        past.reorder_cache(rows)
        step = model(source, mask, target[:, 3:], past_key_values=past).logits
        whole = model(source, mask, torch.cat((target[rows, :3], target[:, 3:]), dim=1)).logits
    same(step, whole[:, 3:])


def test_the_encoders_output_may_be_given_as_a_tuple() -> None:
    model, source, target = make(), ids(), ids(length=4, seed=2)
    with torch.no_grad():
        whole = model(source, decoder_input_ids=target)
        again = model(encoder_outputs=(whole.encoder_last_hidden_state,), decoder_input_ids=target)
        vectors = model.get_input_embeddings()(source)
        by_vectors = model(inputs_embeds=vectors, decoder_inputs_embeds=model.get_decoder().embed_tokens(target))
    same(again.logits, whole.logits)
    same(by_vectors.logits, whole.logits)


# --- training --------------------------------------------------------------------------------------------------------


@every_attention
def test_gradients_are_those_of_finite_differences(attention: str) -> None:
    model = make(attention, hidden_size=4, embedding_size=3, encoder_layers=1).double().train()
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    inputs = {"input_ids": ids(2, 4), "attention_mask": mask, "decoder_input_ids": ids(2, 3, seed=2)}
    names, values = zip(*model.named_parameters(), strict=True)

    def curve(*parameters: Tensor) -> Tensor:
        out = torch.func.functional_call(model, dict(zip(names, parameters, strict=True)), (), inputs)
        return out["logits"].sin().sum()

    assert torch.autograd.gradcheck(curve, values, fast_mode=True)


def test_every_weight_learns_and_labels_make_the_target() -> None:
    model = make(dropout=0.1).train()
    labels = ids(length=5, seed=2)
    labels[1, 3:] = -100
    out = model(ids(), labels=labels)
    out.loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    model.eval()
    shifted = model.prepare_decoder_input_ids_from_labels(labels)
    assert shifted[1].tolist() == [1, *labels[1, :3].tolist(), 0]
    logits = model(ids(), decoder_input_ids=shifted).logits
    wanted = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    same(model(ids(), labels=labels).loss, wanted)


def reversals(rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of 3 to 8 letters, their masks, and the same rows from the end."""
    source, labels = torch.zeros(rows, 8, dtype=torch.long), torch.full((rows, 9), -100)
    for row, length in enumerate(torch.randint(3, 9, (rows,), generator=generator).tolist()):
        source[row, :length] = torch.randint(3, 16, (length,), generator=generator)
        labels[row, : length + 1] = torch.cat((source[row, :length].flip(0), torch.tensor([2])))
    return source, (source != 0).long(), labels


@pytest.mark.slow
@every_attention
def test_it_learns_to_reverse(attention: str) -> None:
    torch.manual_seed(0)
    keys = {"vocab_size": 16, "embedding_size": 32, "hidden_size": 64, "encoder_layers": 1, "decoder_layers": 1}
    model = Seq2SeqLstmForConditionalGeneration(Seq2SeqLstmConfig(**keys, dropout=0.0, attention=attention)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(300):
        source, mask, labels = reversals(64, generator)
        optimizer.zero_grad()
        model(source, mask, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()
    source, mask, labels = reversals(200, generator)
    past, token, written = None, torch.full((200, 1), 1), []
    with torch.no_grad():
        read = model.get_encoder()(source, mask)
        for _ in range(9):
            out = model(attention_mask=mask, encoder_outputs=read, decoder_input_ids=token, past_key_values=past)
            past, token = out.past_key_values, out.logits.argmax(-1)
            written.append(token)
    right = (torch.cat(written, dim=1) == labels) | (labels == -100)
    assert right.all(dim=1).float().mean() > 0.9


# --- files, sizes, names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys", [{}, {"decoder_vocab_size": 40}, {"tie_word_embeddings": True, "embedding_size": 8}], ids=str
)
def test_a_saved_model_is_loaded_exactly(keys: dict[str, Any], tmp_path: Path, caplog: Any) -> None:
    model = make(**keys)
    model.save_pretrained(tmp_path)
    loaded, info = AutoModelForSeq2SeqLM.from_pretrained(tmp_path, output_loading_info=True)
    assert type(loaded) is type(model) and not any(info.values()) and not warnings(caplog)
    with torch.no_grad():
        same(loaded(ids(), decoder_input_ids=ids()).logits, model(ids(), decoder_input_ids=ids()).logits)
    assert loaded.config == model.config or loaded.config._name_or_path
    tied = loaded.lm_head.weight is loaded.model.decoder.embed_tokens.weight
    assert tied == model.config.tie_word_embeddings
    assert loaded.lm_head.out_features == model.config.target_vocab_size
    body = Seq2SeqLstmModel.from_pretrained(tmp_path)
    same(
        body(ids(), decoder_input_ids=ids()).last_hidden_state,
        loaded.model(ids(), decoder_input_ids=ids()).last_hidden_state,
    )
    assert AutoConfig.from_pretrained(tmp_path).model_type == "seq2seq-lstm"


def test_weights_that_a_file_lacks_are_made_and_used(tmp_path: Path) -> None:
    make().model.save_pretrained(tmp_path)
    model, info = Seq2SeqLstmForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)
    assert info["missing_keys"] == ["lm_head.weight"]
    out = model.train()(ids(), labels=ids(length=4))
    out.loss.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_initial_weights_are_uniform_and_gates_begin_open() -> None:
    model = Seq2SeqLstmForConditionalGeneration(Seq2SeqLstmConfig(vocab_size=300, hidden_size=64, embedding_size=32))
    layer = model.model.decoder.layers[0]
    assert layer.weight_hh_l0.abs().max() <= 0.1 and layer.weight_hh_l0.std().item() == pytest.approx(0.0577, rel=0.05)
    assert (layer.bias_hh_l0 == 0).all() and layer.bias_ih_l0.sum() == 64 and (layer.bias_ih_l0[64:128] == 1).all()
    assert (model.get_input_embeddings().weight[0] == 0).all()


@pytest.mark.parametrize("count", [37, 20])
def test_a_resized_model_agrees_on_old_tokens(count: int, tmp_path: Path) -> None:
    model = make()
    given = ids() % 15 + 3
    with torch.no_grad():
        before = model(given, decoder_input_ids=given).logits
        model.resize_token_embeddings(count)
        after = model(given, decoder_input_ids=given).logits
    assert after.shape[-1] == count and model.get_decoder().embed_tokens.num_embeddings == count
    same(after[..., : min(count, 30)], before[..., :count])
    model.save_pretrained(tmp_path)
    same(type(model).from_pretrained(tmp_path)(given, decoder_input_ids=given).logits, after)
    with pytest.raises(ValueError, match="vocabularies of their own"):
        make(decoder_vocab_size=40).resize_token_embeddings(50)


def test_half_precision_runs() -> None:
    model = make().to(torch.bfloat16)
    with torch.no_grad():
        out = model(ids(), decoder_input_ids=ids())
    assert out.logits.dtype == torch.bfloat16 and torch.isfinite(out.logits).all()


def test_what_was_asked_for_is_returned() -> None:
    model = make(output_hidden_states=True, output_attentions=True)
    with torch.no_grad():
        out = model(ids(), decoder_input_ids=ids(length=4))
        plain = model(ids(), decoder_input_ids=ids(length=4), return_dict=False)
    assert [x.shape[-1] for x in out.encoder_hidden_states] == [6, 8, 8]
    assert [x.shape[-1] for x in out.decoder_hidden_states] == [6, 8, 8, 8]
    assert len(out.cross_attentions) == 1 and torch.equal(plain[0], out.logits)
    assert torch.equal(out.encoder_hidden_states[-1], out.encoder_last_hidden_state)


# --- keys and refusals -----------------------------------------------------------------------------------------------

CASE = Case(
    "seq2seq-lstm",
    "seq2seq_lstm",
    KEYS,
    kind="seq2seq",
    others={"attention": "dot", "decoder_vocab_size": 70, "hidden_size": 12, "embedding_size": 8},
    given={"tie_word_embeddings": {"embedding_size": 8}},
)
UNREAD = ("bos_token_id", "eos_token_id")  # for tokenizers and generation


@pytest.mark.parametrize(
    "key",
    [key for key in vars(Seq2SeqLstmConfig)["__annotations__"] if key not in UNREAD and key != "is_encoder_decoder"],
)
def test_a_key_changes_what_the_model_is_or_does(key: str) -> None:
    case = Case(**{**vars(CASE), "keys": {**KEYS, "vocab_size": 60}})
    given = CASE.given.get(key, {})
    value = other_value(case, key, given)
    assert any(shows(case, head, given, key, value) for head in case.heads)
    assert config_class(case) is Seq2SeqLstmConfig


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"attention": "local"}, "'attention' is 'local'.*'general' or 'dot' or 'additive'"),
        ({"hidden_size": 7}, "hidden_size is 7.*even"),
        ({"decoder_layers": 0}, "decoder_layers 0"),
        ({"tie_word_embeddings": True}, "embedding_size is 6 and hidden_size 8"),
        ({"bidirectional": False}, "does not know the key 'bidirectional'"),
    ],
)
def test_settings_that_make_no_model_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Seq2SeqLstmConfig(**{**KEYS, **keys})


def test_wrong_calls_are_refused() -> None:
    model, source = make(), ids()
    past = model(source, decoder_input_ids=source).past_key_values
    with pytest.raises(ValueError, match="past_key_values is of 3 texts, but the batch has 2"):
        model(source[:2], decoder_input_ids=source[:2], past_key_values=past)
    with pytest.raises(TypeError, match="past_key_values is a tuple; expected the LstmState"):
        model(source, decoder_input_ids=source, past_key_values=())
    with pytest.raises(ValueError, match="after 7 tokens cannot be cut to 3"):
        past.crop(3)
    with pytest.raises(ValueError, match="a text has no real token"):
        model(source, torch.tensor([[1] * 7, [0] * 7, [1] * 7]), source)
    with pytest.raises(ValueError, match=r"attention_mask has shape .3, 1, 7, 7., .*one number for each token"):
        model(source, torch.ones(3, 1, 7, 7), source)
    with pytest.raises(ValueError, match="writes a target: pass decoder_input_ids"):
        model(source)
    with pytest.raises(ValueError, match="input_ids holds the id 30, but the model knows 0 to 29"):
        model(source * 0 + 30, decoder_input_ids=source)
    with pytest.raises(ValueError, match="reads an encoder's output"):
        model.get_decoder()(source)
