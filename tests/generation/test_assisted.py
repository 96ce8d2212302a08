"""Drafts make no difference: what an assistant or the text itself proposes, the model writes what it writes alone."""

from __future__ import annotations

import copy
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import nabi
from nabi.generation.assisted import choose
from nabi.generation.drafts import Writer
from nabi.generation.generate import generate, prepare

from ..parity.cases import CASES
from ..parity.pairs import pair
from .record_expectations import MODELS, load, prompt

ENDS = [2, 11, 17, 23, 31, 40]
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {"max_new_tokens": 12},
    "ends": {"max_new_tokens": 12, "eos_token_id": ENDS, "min_new_tokens": 2},
    "changed scores": {"max_new_tokens": 12, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2},
    "one token": {"max_new_tokens": 1},
}
LOOKUP = {"prompt_lookup_num_tokens": 4, "max_matching_ngram_size": 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@cache
def model_of(name: str, folders: Path) -> Any:
    torch.set_num_threads(1)
    return load(nabi, name, str(folders / name))


def almost(model: Any, noise: float = 0.15) -> Any:
    """A model that often writes the same, and not always."""
    generator = torch.Generator().manual_seed(3)
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * noise * parameter.std())
    return other


def one_text(name: str) -> dict[str, Tensor]:
    """The padded one of the prompts that the searches share."""
    return {key: value[1:2] for key, value in prompt(name).items()}


def passes(model: Any) -> list[int]:
    """A list that gets an entry for each pass of the model."""
    counted: list[int] = []
    model.register_forward_hook(lambda *_: counted.append(1))
    return counted


# --- the same tokens ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("help", ["assistant", "lookup"])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("name", MODELS)
def test_greedy_tokens_and_scores_are_those_of_the_model_alone(
    name: str, settings: dict[str, Any], help: str, folders: Path
) -> None:
    model = model_of(name, folders)
    wanted = {"return_dict_in_generate": True, "output_scores": True, "output_logits": True}
    inputs = {**one_text(name), **settings, **wanted}
    alone = model.generate(**inputs)
    helped = model.generate(**inputs, **({"assistant_model": almost(model)} if help == "assistant" else LOOKUP))
    assert helped.sequences.tolist() == alone.sequences.tolist()
    for what in ("scores", "logits"):
        for ours, theirs in zip(helped[what], alone[what], strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert helped.past_key_values.get_seq_length() == alone.past_key_values.get_seq_length()


@pytest.mark.parametrize(
    "name", ["gpt2", "llama", "mistral-window", "gemma2", "bloom", "gpt-neo", "bart", "t5", "marian"]
)
def test_the_incumbent_writes_the_same_with_its_assistant(name: str) -> None:
    case = next(each for each in CASES if each.name == name or each.name == name.replace("-", "_"))
    head = next(
        each for each in ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "MTModel") if each in case.heads
    )
    oracle, model, _ = pair(case, head)
    inputs = {key: value[:1] for key, value in case.inputs(head).items() if not key.startswith("decoder_")}
    settings: dict[str, Any] = {"max_new_tokens": 10, "eos_token_id": ENDS[:2], "pad_token_id": 0}
    if model.config.is_encoder_decoder:
        settings["decoder_start_token_id"] = 2
    theirs = oracle.generate(**inputs, **settings, assistant_model=copy.deepcopy(oracle))
    ours = model.generate(**inputs, **settings, assistant_model=almost(model))
    assert ours.tolist() == theirs.tolist()
    theirs = oracle.generate(**inputs, **settings, **LOOKUP)
    assert model.generate(**inputs, **settings, **LOOKUP).tolist() == theirs.tolist()


@pytest.mark.parametrize("name", ["gpt2", "mistral", "bart", "t5"])
def test_what_is_shown_of_each_token_is_what_the_model_shows_alone(name: str, folders: Path) -> None:
    model = model_of(name, folders)
    wanted: dict[str, Any] = {name: True for name in ("return_dict_in_generate", "output_hidden_states")}
    wanted["output_attentions"] = True
    wanted["cache_implementation"] = "dynamic_full"
    inputs = {"input_ids": prompt(name)["input_ids"][:1], **wanted, "max_new_tokens": 8}  # nothing is shown of padding
    alone, helped = model.generate(**inputs), model.generate(**inputs, assistant_model=almost(model))
    side = "decoder_" if model.config.is_encoder_decoder else ""
    for what in (f"{side}hidden_states", f"{side}attentions", *(("cross_attentions",) if side else ())):
        for ours, theirs in zip(helped[what], alone[what], strict=True):
            for layer, expected in zip(ours, theirs, strict=True):
                torch.testing.assert_close(layer, expected, atol=1e-4, rtol=1e-4)


def test_a_good_assistant_saves_passes(folders: Path) -> None:
    model = copy.deepcopy(model_of("llama", folders))
    assistant = copy.deepcopy(model)
    counted = passes(model)
    model.generate(**one_text("llama"), max_new_tokens=20, assistant_model=assistant, assistant_confidence_threshold=0)
    assert len(counted) == 1  # 19 tokens are drafted, and all stay


def test_a_text_that_repeats_itself_saves_passes(folders: Path) -> None:
    model = copy.deepcopy(model_of("gpt2", folders))
    alone = model.generate(torch.tensor([[7, 8, 9]]), max_new_tokens=30)
    counted = passes(model)
    written = model.generate(torch.tensor([[7, 8, 9]]), max_new_tokens=30, prompt_lookup_num_tokens=5)
    assert written.tolist() == alone.tolist() and len(counted) < 30


# --- encoders -----------------------------------------------------------------------------------------------


def half(kind: Any, model: Any, folder: Path) -> Any:
    """The decoder of an encoder-decoder, as a model of its own."""
    model.save_pretrained(folder)
    return kind.from_pretrained(folder, is_encoder_decoder=False).eval()


def test_a_decoder_as_assistant_reads_what_the_models_encoder_says(folders: Path, tmp_path: Path) -> None:
    model = copy.deepcopy(model_of("bart", folders))
    model.final_logits_bias.zero_()  # which a decoder has not
    inputs = {**one_text("bart"), "max_new_tokens": 12}
    alone = model.generate(**inputs)
    assistant = half(nabi.BartForCausalLM, model, tmp_path)
    counted = passes(model)
    written = model.generate(**inputs, assistant_model=assistant, assistant_confidence_threshold=0)
    assert written.tolist() == alone.tolist()
    assert len(counted) <= 2


@pytest.mark.parametrize("kind", ["whole", "half"])
def test_whisper_is_helped_by_a_smaller_one_and_by_a_decoder(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = nabi.WhisperConfig(
        **sizes, d_model=16, encoder_ffn_dim=16, decoder_ffn_dim=16, vocab_size=60, max_source_positions=20,
        max_target_positions=30, num_mel_bins=8, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        decoder_start_token_id=3, init_std=0.4,
    )  # fmt: skip
    model = nabi.WhisperForConditionalGeneration(config).eval()
    inputs = {"input_features": torch.randn(1, 8, 40), "max_new_tokens": 12, "min_new_tokens": 10}
    alone = generate(model, **inputs)
    assistant = almost(model) if kind == "whole" else half(nabi.WhisperForCausalLM, model, tmp_path)
    counted = passes(model)
    written = generate(model, **inputs, assistant_model=assistant, assistant_confidence_threshold=0)
    assert written.tolist() == alone.tolist()
    assert len(counted) < 12


# --- sampling -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drawn", [True, False], ids=["by a distribution", "a guess"])
def test_a_drafted_token_stays_so_often_that_the_models_distribution_comes_out(drawn: bool) -> None:
    torch.manual_seed(5)
    scores = torch.tensor([1.0, 0.2, -torch.inf, 2.0, -0.7])
    likely = torch.tensor([0.5, 0.0, 0.2, 0.1, 0.2])
    times = 20_000
    found: Counter[int] = Counter()
    for token in torch.multinomial(likely, times, replacement=True):
        found[int(choose(scores, token, likely if drawn else None, sampling=True))] += 1
    for token, share in enumerate(torch.softmax(scores, dim=0).tolist()):
        deviation = (share * (1 - share) / times) ** 0.5
        assert abs(found[token] / times - share) <= 4 * deviation, token


@pytest.mark.parametrize("help", ["assistant", "lookup"])
def test_sampled_texts_have_the_models_distribution(help: str, folders: Path) -> None:
    model = model_of("gpt2", folders)
    ids = torch.tensor([[5, 9, 5, 9, 5]])
    settings: dict[str, Any] = {"do_sample": True, "top_k": 3, "temperature": 3.0, "max_new_tokens": 2}
    expected: dict[tuple[int, int], float] = {}
    first = model(ids).logits[0, -1].div(3).topk(3)
    for token, share in zip(first.indices.tolist(), first.values.softmax(0).tolist(), strict=True):
        second = model(torch.cat((ids, torch.tensor([[token]])), 1)).logits[0, -1].div(3).topk(3)
        for other, part in zip(second.indices.tolist(), second.values.softmax(0).tolist(), strict=True):
            expected[token, other] = share * part
    torch.manual_seed(1)
    given = (
        {"assistant_model": almost(model, 0.4), "assistant_confidence_threshold": 0.0}
        if help == "assistant"
        else LOOKUP
    )
    times = 600
    found = Counter(tuple(model.generate(ids, **settings, **given)[0, -2:].tolist()) for _ in range(times))
    assert set(found) <= set(expected)
    chi = sum((found[text] - times * share) ** 2 / (times * share) for text, share in expected.items())
    assert chi < 27.9  # of 8 degrees of freedom one in 2,000 is greater


# --- how much is drafted ------------------------------------------------------------------------------------


def drafts(assistant: Any, **settings: Any) -> list[int]:
    """How many tokens the assistant reads in each of its passes."""
    for name, value in settings.items():
        setattr(assistant.generation_config, name, value)
    return passes(assistant)


@pytest.mark.parametrize(
    ("schedule", "after"), [("constant", 3), ("heuristic", 5), ("heuristic_transient", 3)], ids=lambda each: str(each)
)
def test_a_schedule_changes_how_much_is_drafted_and_heuristic_for_good(
    schedule: str, after: int, folders: Path
) -> None:
    model = model_of("llama", folders)
    assistant = copy.deepcopy(model)
    drafts(
        assistant, num_assistant_tokens=3, num_assistant_tokens_schedule=schedule, assistant_confidence_threshold=0.0
    )
    model.generate(**one_text("llama"), max_new_tokens=4, assistant_model=assistant)  # one draft, which stays
    assert assistant.generation_config.num_assistant_tokens == after


@pytest.mark.parametrize(("threshold", "drafted"), [(0.0, 4), (1.0, 1)])
def test_a_draft_ends_where_the_assistant_is_in_doubt(threshold: float, drafted: int, folders: Path) -> None:
    model = model_of("llama", folders)
    assistant = copy.deepcopy(model)
    counted = drafts(assistant, num_assistant_tokens=4, assistant_confidence_threshold=threshold)
    model.generate(**one_text("llama"), max_new_tokens=drafted + 1, assistant_model=assistant)
    assert len(counted) == drafted


def test_the_threshold_of_confidence_follows_what_stayed(folders: Path) -> None:
    model = model_of("llama", folders)
    run = prepare(model, **one_text("llama"), assistant_model=model, assistant_confidence_threshold=0.4)
    writer = Writer(run, {})
    for confidence, kept in (([0.9, 0.8, 0.3], 2), ([0.7, 0.2], 1), ([0.95], 1)):  # the last of a draft was rejected
        writer.confidence = confidence
        writer.trust(kept)
    assert writer.threshold == pytest.approx(0.7)  # which all pass that stayed, and none else
    writer.confidence = [0.75, 0.5]
    writer.trust(0)
    assert writer.threshold == pytest.approx(0.7)  # one in three that pass needlessly is cheaper than to lose any


def test_settings_of_the_call_come_before_those_of_the_assistant(folders: Path) -> None:
    model = model_of("llama", folders)
    assistant = copy.deepcopy(model)
    counted = drafts(assistant, num_assistant_tokens=9)
    given = {"num_assistant_tokens": 2, "assistant_confidence_threshold": 0.0}
    model.generate(**one_text("llama"), max_new_tokens=3, assistant_model=assistant, **given)
    assert len(counted) == 2


# --- company ------------------------------------------------------------------------------------------------


class Kept:
    """A streamer that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[list[int]] = []
        self.ended = False

    def put(self, value: Tensor) -> None:
        self.got.append(value.flatten().tolist())

    def end(self) -> None:
        self.ended = True


def test_a_streamer_gets_the_tokens_of_a_round_at_once(folders: Path) -> None:
    model = copy.deepcopy(model_of("llama", folders))
    assistant, streamer, counted = almost(model), Kept(), passes(model)
    written = model.generate(
        **one_text("llama"), max_new_tokens=12, assistant_model=assistant, streamer=streamer,
        assistant_confidence_threshold=0.0,
    )  # fmt: skip
    assert [token for each in streamer.got for token in each] == written[0].tolist()
    assert len(streamer.got) == 1 + len(counted) < 13 and streamer.ended


def test_own_criteria_and_processors_see_every_text_once_in_order(folders: Path) -> None:
    model = model_of("gpt2", folders)
    seen: dict[str, list[int]] = {"criterion": [], "processor": []}

    def stop(ids: Tensor, scores: Any, **_: Any) -> bool:
        seen["criterion"].append(ids.shape[1])
        return ids.shape[1] == 17

    def change(ids: Tensor, scores: Tensor) -> Tensor:
        seen["processor"].append(ids.shape[1])
        return scores

    given = {"stopping_criteria": [stop], "logits_processor": [change], "max_new_tokens": 20}
    written = model.generate(torch.tensor([[7, 8, 9]]), prompt_lookup_num_tokens=5, **given)
    assert written.shape[1] == 17
    assert seen == {"criterion": list(range(4, 18)), "processor": list(range(3, 17))}


def test_an_end_within_a_draft_ends_the_text(folders: Path) -> None:
    model = model_of("llama", folders)
    free = model.generate(**one_text("llama"), max_new_tokens=12)[0, 8:].tolist()
    end = free[4]
    written = model.generate(
        **one_text("llama"), max_new_tokens=12, eos_token_id=end, assistant_model=copy.deepcopy(model)
    )
    assert written[0, 8:].tolist() == free[: free.index(end) + 1]


def test_an_assistant_knows_fewer_positions_than_the_model(folders: Path) -> None:
    model = model_of("llama", folders)
    torch.manual_seed(0)
    small = nabi.GPT2LMHeadModel(nabi.GPT2Config(vocab_size=48, n_embd=16, n_layer=1, n_head=2, n_positions=12)).eval()
    inputs = {"input_ids": one_text("llama")["input_ids"], "max_new_tokens": 16}
    assert model.generate(**inputs, assistant_model=small).tolist() == model.generate(**inputs).tolist()


# --- what cannot be -----------------------------------------------------------------------------------------


def refused(model: Any, match: str, **given: Any) -> None:
    with pytest.raises(ValueError, match=match):
        model.generate(**{"max_new_tokens": 4, **given})


def test_what_cannot_be_assisted_is_refused_by_name(folders: Path) -> None:
    model = model_of("gpt2", folders)
    one = torch.tensor([[5, 6, 7, 5, 6]])
    refused(model, "one text at a time, but the batch holds 2", inputs=one.repeat(2, 1), assistant_model=model)
    refused(model, "needs the cache", inputs=one, **LOOKUP, use_cache=False)
    refused(model, "num_return_sequences 2", inputs=one, **LOOKUP, num_return_sequences=2, do_sample=True)
    other = nabi.GPT2LMHeadModel(nabi.GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2)).eval()
    refused(model, "knows 48 tokens and the assistant_model 50", inputs=one, assistant_model=other)
    refused(model, "assistant_tokenizer was given", inputs=one, assistant_model=model, assistant_tokenizer=object())
    refused(model, "reads no source", inputs=one, assistant_model=model_of("bart", folders))
    vectors = model.get_input_embeddings()(one)
    refused(model, "5 positions that have no ids", inputs_embeds=vectors, assistant_model=model)
    bart = model_of("bart", folders)
    refused(bart, "no cross attention", **one_text("bart"), assistant_model=model_of("llama", folders))


def test_a_model_that_reads_in_both_directions_is_refused_and_as_a_decoder_is_not() -> None:
    sizes = {"vocab_size": 48, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = nabi.BertConfig(**sizes, intermediate_size=16)
    ids = torch.tensor([[5, 6, 5]])
    refused(nabi.BertLMHeadModel(config).eval(), "BertLMHeadModel reads in both directions", inputs=ids, **LOOKUP)
    config.is_decoder = True
    decoder = nabi.BertLMHeadModel(config).eval()
    alone = decoder.generate(ids, max_new_tokens=10)
    assert decoder.generate(ids, max_new_tokens=10, assistant_model=almost(decoder)).tolist() == alone.tolist()


def test_models_that_cannot_go_back_are_refused() -> None:
    sizes = {"vocab_size": 48, "d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 16}
    xlnet = nabi.XLNetLMHeadModel(nabi.XLNetConfig(**sizes)).eval()
    refused(xlnet, "XLNetLMHeadModel cannot go back", inputs=torch.tensor([[5, 6, 5]]), **LOOKUP)
    gpt2 = nabi.GPT2LMHeadModel(nabi.GPT2Config(vocab_size=48, n_embd=16, n_layer=1, n_head=2)).eval()
    refused(gpt2, "XLNetLMHeadModel cannot go back", inputs=torch.tensor([[5, 6, 5]]), assistant_model=xlnet)
    sizes = {"vocab_size": 48, "hidden_size": 16, "embedding_size": 16, "encoder_layers": 1, "decoder_layers": 1}
    lstm = nabi.Seq2SeqLstmForConditionalGeneration(nabi.Seq2SeqLstmConfig(**sizes)).eval()
    settings = {"decoder_start_token_id": 2, "max_new_tokens": 20}
    assistant = almost(lstm, 2.0)
    refused(lstm, "cannot go back", inputs=torch.tensor([[5, 6, 5]]), assistant_model=assistant, **settings)


@pytest.mark.parametrize("help", ["assistant", "lookup"])
def test_guidance_goes_on_token_by_token_beside_drafts(help: str, folders: Path) -> None:
    model = model_of("llama", folders)
    inputs = {**one_text("llama"), "max_new_tokens": 10, "guidance_scale": 1.5}
    given = {"assistant_model": almost(model)} if help == "assistant" else LOOKUP
    assert model.generate(**inputs, **given).tolist() == model.generate(**inputs).tolist()


def test_vectors_as_a_prompt_go_with_lookup(folders: Path) -> None:
    model = model_of("gpt2", folders)
    vectors = model.get_input_embeddings()(torch.tensor([[5, 6, 7, 5, 6]]))
    alone = model.generate(inputs_embeds=vectors, max_new_tokens=14)
    assert model.generate(inputs_embeds=vectors, max_new_tokens=14, **LOOKUP).tolist() == alone.tolist()
