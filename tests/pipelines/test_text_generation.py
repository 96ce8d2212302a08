"""text-generation: equal to the incumbent's pipeline in every input form and argument, and independent of batches."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import nabi
from nabi import pipeline
from nabi.pipelines.text_generation import ReturnType
from nabi.tokenization import train

CORPUS = [
    "나비가 꽃에 앉았다. 나비가 훨훨 날아갔다. 한국어 문장을 배웁니다.",
    "The butterfly sat on a flower and flew away. It did not say where to. 0123456789",
]
TEMPLATE = (
    "{% for d in documents or [] %}<{{ d['title'] }}>{% endfor %}"
    "{% for t in tools or [] %}[{{ t['function']['name'] }}]{% endfor %}"
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
POSITIONS = 64
TEXTS = ["나비가", "The butterfly sat on a flower", "It", "나비가 꽃에 앉았다. 나비가", "fl"]
CHAT = [{"role": "user", "content": "나비는 어디에?"}]
CHATS = [
    CHAT,
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": "On a"},
    ],
]
MODELS: dict[str, Any] = {
    "gpt2": lambda words, ends: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=words, n_embd=32, n_layer=2, n_head=2, n_positions=POSITIONS, **ends)
    ),
    "llama": lambda words, ends: transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            **{"vocab_size": words, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
            **{"intermediate_size": 48, "max_position_embeddings": POSITIONS, **ends},
        )
    ),
}


def save_model(folder: Path, kind: str) -> Path:
    """A tiny random model with every parameter moved, of which texts end early, and its tokenizer."""
    tokenizer = train("bpe", CORPUS * 20, vocab_size=420, show_progress=False)
    tokenizer.chat_template = TEMPLATE
    tokenizer.model_max_length = POSITIONS
    tokenizer.save_pretrained(folder)
    torch.manual_seed(11)
    ends = {"eos_token_id": tokenizer.eos_token_id, "bos_token_id": tokenizer.eos_token_id}
    model = MODELS[kind](len(tokenizer), {**ends, "pad_token_id": None})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    # Many ids end a text, so that texts of one batch end at different lengths.
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, *range(30, 130, 5)]
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are quicker so."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=MODELS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = save_model(tmp_path_factory.mktemp("model"), request.param)
    theirs = transformers.pipeline("text-generation", model=str(folder), device="cpu")
    return pipeline("text-generation", model=folder, device="cpu"), theirs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"), "gpt2")


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("text-generation", model=folder, device="cpu", do_sample=False, max_new_tokens=8)


GREEDY: dict[str, Any] = {"do_sample": False, "max_new_tokens": 9}
INPUTS: dict[str, Any] = {
    "one text": "나비가 꽃에",
    "an empty text": "",
    "texts": TEXTS,
    "a list of one": ["fl"],
    "a chat": CHAT,
    "chats": CHATS,
    "a chat that goes on": CHATS[1],
}
CALLS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "new text": {"return_full_text": False},
    "full text": {"return_full_text": True},
    "ids": {"return_tensors": True},
    "by type": {"return_type": 1},
    "special tokens shown": {"skip_special_tokens": False},
    "spaces as they come": {"clean_up_tokenization_spaces": False},
    "beams": {"num_beams": 3, "num_return_sequences": 2},
    "beams, long ones": {"num_beams": 3, "length_penalty": 2.0, "early_stopping": True, "return_tensors": True},
    "a total length": {"max_length": 60, "max_new_tokens": None},
    "a least length": {"max_length": 60, "min_length": 45, "max_new_tokens": None},
    "a least number": {"min_new_tokens": 6},
    "repetition": {"repetition_penalty": 1.7, "no_repeat_ngram_size": 2},
    "no special tokens": {"add_special_tokens": False},
    "stop": {"stop_sequence": "다"},
    "stops": {"stop_strings": ["다", "e"]},
    "bad words": {"bad_words_ids": [[65], [258]]},
}


def without_filling(result: Any, filling: int) -> Any:
    """Ids of a beam search without what the incumbent puts behind the end, as much as its search went on."""
    if isinstance(result, list):
        return [without_filling(each, filling) for each in result]
    ids = result["generated_token_ids"]
    while ids[-1] == filling:
        ids = ids[:-1]
    return {"generated_token_ids": ids}


@pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_input_form_and_argument_gives_what_the_incumbent_gives(
    both: Any, inputs: Any, call: dict[str, Any]
) -> None:
    ours, theirs = both
    call = {**GREEDY, **call}
    their_call = {**call, "tokenizer": theirs.tokenizer} if "stop_strings" in call else dict(call)
    if "return_type" in call:
        their_call["return_type"] = transformers.pipelines.text_generation.ReturnType(call["return_type"])
    expected = theirs(inputs, **their_call)
    if "num_beams" in call and call.get("return_tensors"):
        expected = without_filling(expected, ours.tokenizer.pad_token_id)
    assert ours(inputs, **call) == expected


@pytest.mark.parametrize("call", [{}, {"num_return_sequences": 3}, {"top_k": 5, "temperature": 1.5}, {"top_p": 0.5}])
def test_a_seed_draws_what_it_draws_for_the_incumbent(both: Any, call: dict[str, Any]) -> None:
    ours, theirs = both
    for inputs in TEXTS, CHATS:
        torch.manual_seed(4)
        expected = [theirs(each, max_new_tokens=7, **call) for each in inputs]
        torch.manual_seed(4)
        assert ours(inputs, max_new_tokens=7, batch_size=1, **call) == expected


def test_without_settings_256_tokens_are_drawn_at_most(both: Any, caplog: pytest.LogCaptureFixture) -> None:
    ours, _ = both
    options = ours.options({})
    assert (options["max_new_tokens"], options["do_sample"], options["temperature"]) == (256, True, 0.7)
    assert ours.options({"max_length": 9}).get("max_new_tokens") is None
    assert "do_sample" not in ours.options({"penalty_alpha": 0.6})


def test_settings_of_the_constructor_hold_in_every_call_and_give_way_to_it(folder: Path) -> None:
    init = {"do_sample": False, "max_new_tokens": 4, "return_full_text": False, "num_beams": 2}
    ours = pipeline("text-generation", model=folder, device="cpu", **init)
    theirs = transformers.pipeline("text-generation", model=str(folder), device="cpu", **init)
    for call in ({}, {"max_new_tokens": 7}, {"num_beams": 1}, {"return_full_text": True}, {"return_tensors": True}):
        assert ours(TEXTS, **call) == theirs(TEXTS, **call)


@pytest.mark.parametrize("at_call", [False, True])
def test_a_generation_config_stands_in_for_other_settings(folder: Path, at_call: bool) -> None:
    keys = {"max_new_tokens": 6, "do_sample": False, "repetition_penalty": 1.5}
    results = []
    for library, source in ((nabi, folder), (transformers, str(folder))):
        config = library.GenerationConfig(**keys)
        init = {"num_beams": 3, "max_new_tokens": 3} if at_call else {"generation_config": config}
        pipe = library.pipeline("text-generation", model=source, device="cpu", **init)
        results.append(pipe(TEXTS, **({"generation_config": config} if at_call else {"max_new_tokens": 5})))
    assert results[0] == results[1]


def test_the_checkpoints_settings_win_over_the_usual_ones(folder: Path) -> None:
    ours, theirs = (library.pipeline("text-generation", model=str(folder)) for library in (nabi, transformers))
    for each in (ours, theirs):
        each.model.generation_config.max_length = 30
        each.model.generation_config.do_sample = False
    assert ours(TEXTS) == theirs(TEXTS)
    assert ours(TEXTS, max_new_tokens=3) == theirs(TEXTS, max_new_tokens=3)


@pytest.mark.parametrize("lengths", [{"max_new_tokens": 5}, {"max_length": 30}, {"max_length": 30, "min_length": 28}])
def test_a_prefix_stands_before_a_text_and_does_not_come_back(both: Any, lengths: dict[str, int]) -> None:
    ours, theirs = both
    for call in ({}, {"return_tensors": True}, {"add_special_tokens": True}):
        call = {"do_sample": False, "prefix": "The flower. ", **lengths, **call}
        assert ours(TEXTS, **call) == theirs(TEXTS, **call)
    assert ours("It", **call) != ours("It", **{**call, "prefix": ""})


def test_of_a_prompt_too_long_the_end_is_read(both: Any) -> None:
    ours, theirs = both
    long = "나비가 꽃에 앉았다. " * 20
    for call in ({"max_new_tokens": 5}, {"max_new_tokens": 60, "return_tensors": True}):
        call = {"do_sample": False, "handle_long_generation": "hole", **call}
        assert ours([long, "It"], **call) == theirs([long, "It"], **call)
    with pytest.raises(ValueError, match=r"64 new tokens are asked for.*64 positions.*max_new_tokens=63"):
        ours(long, handle_long_generation="hole", max_new_tokens=64)
    with pytest.raises(ValueError, match=r"handle_long_generation is 'cut'; expected None or 'hole'"):
        ours(long, handle_long_generation="cut")


def test_what_goes_to_the_tokenizer_reaches_it(both: Any) -> None:
    ours, theirs = both
    for call in (
        {"truncation": True, "max_length": 12, "max_new_tokens": 4},
        {"tokenizer_encode_kwargs": {"truncation": True, "max_length": 3}, "max_new_tokens": 4},
        {"padding": "max_length", "truncation": True, "max_length": 20, "max_new_tokens": 4},
    ):
        for inputs in (TEXTS, CHATS):
            assert ours(inputs, do_sample=False, **call) == theirs(inputs, do_sample=False, **call)


def test_tools_documents_and_the_last_message_reach_the_template(both: Any) -> None:
    ours, theirs = both

    def weather(place: str) -> str:
        """The weather.

        Args:
            place: where
        """
        return place

    for call in (
        {"tools": [weather]},
        {"documents": [{"title": "꽃", "text": "…"}]},
        {"continue_final_message": False},
        {"continue_final_message": True},
        {"continue_final_message": True, "return_full_text": False},
    ):
        for inputs in (CHATS, CHATS[0], CHATS[1]):
            expected = theirs(inputs, **GREEDY, **call)
            assert ours(inputs, **GREEDY, **call) == expected


def test_a_message_in_parts_is_gone_on_with_as_a_further_part(pipe: Any) -> None:
    part = {"type": "text", "text": "It is"}
    (answer,) = pipe([{"role": "assistant", "content": [part]}], continue_final_message=False)
    assert answer["generated_text"][-1]["role"] == "assistant"
    pipe.tokenizer.chat_template, before = "{{ messages[0].content[0].text }}", pipe.tokenizer.chat_template
    try:
        (answer,) = pipe([{"role": "assistant", "content": [part]}])
    finally:
        pipe.tokenizer.chat_template = before
    new = pipe("It is", return_full_text=False)[0]["generated_text"]
    assert answer["generated_text"] == [{"role": "assistant", "content": [part, {"type": "text", "text": new}]}]


def test_scores_come_back_with_the_texts_if_they_are_asked_for(both: Any) -> None:
    ours, theirs = both
    call = {"return_dict_in_generate": True, "output_scores": True, "do_sample": False, "max_new_tokens": 3}
    for extra in ({}, {"num_beams": 2, "num_return_sequences": 2}):
        for one, other in zip(ours(TEXTS, **call, **extra), theirs(TEXTS, **call, **extra), strict=True):
            for text, their in zip(one, other, strict=True):
                assert text["generated_text"] == their["generated_text"]
                assert set(text) == set(their)
                for name in set(text) - {"generated_text"}:
                    torch.testing.assert_close(torch.tensor(text[name]), torch.tensor(their[name]), atol=1e-4, rtol=0)


# ---------------------------------------------------------------- batches


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.text("나비가꽃에 앉 flower.", max_size=20), min_size=1, max_size=6),
    size=st.integers(2, 5),
    call=st.sampled_from(
        [
            *({}, {"return_tensors": True}, {"num_beams": 2, "return_tensors": True}, {"max_length": 50}),
            *({"min_length": 40, "max_length": 50}, {"no_repeat_ngram_size": 2}, {"encoder_repetition_penalty": 1.4}),
            *({"repetition_penalty": 1.5}, {"stop_strings": ["나", "o"]}),
        ]
    ),
)
def test_what_a_text_becomes_depends_on_no_neighbour(
    pipe: Any, texts: list[str], size: int, call: dict[str, Any]
) -> None:
    if "max_length" in call:
        call = {**call, "max_new_tokens": None}
    alone = [pipe(text, **call) for text in texts]
    assert pipe(texts, batch_size=size, **call) == alone


def test_a_batch_is_padded_on_the_left_whatever_the_tokenizer_says(folder: Path, pipe: Any) -> None:
    for side in ("left", "right"):
        other = pipeline("text-generation", model=folder, device="cpu", do_sample=False, max_new_tokens=8)
        other.tokenizer.padding_side = side
        assert other(TEXTS, batch_size=5) == [pipe(text) for text in TEXTS]
        assert other.tokenizer.padding_side == side


def test_texts_run_together_without_a_padding_token(folder: Path, pipe: Any) -> None:
    other = pipeline("text-generation", model=folder, device="cpu", do_sample=False, max_new_tokens=8)
    other.tokenizer.pad_token = None
    shapes = watch_shapes(other)
    assert other(TEXTS) == [pipe(text) for text in TEXTS]
    assert [shape[0] for shape in shapes] == [5]


def watch_shapes(pipe: Any) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    inner = pipe._forward

    def watched(model_inputs: dict[str, Any], **kwargs: Any) -> Any:
        shapes.append(tuple(model_inputs["input_ids"].shape))
        return inner(model_inputs, **kwargs)

    pipe._forward = watched
    return shapes


def test_a_total_length_lets_only_prompts_of_one_length_run_together(folder: Path) -> None:
    other = pipeline("text-generation", model=folder, device="cpu", do_sample=False, max_length=20)
    shapes = watch_shapes(other)
    other(["It", "나비가 꽃에 앉았다.", "It", "The flower sat"])
    assert sorted(rows for rows, _ in shapes) == [1, 1, 2]


def test_generators_of_texts_and_chats_give_iterators(pipe: Any) -> None:
    for inputs in (TEXTS, CHATS):
        results = pipe(each for each in inputs)
        assert isinstance(results, Iterator)
        assert list(results) == pipe(inputs)
    assert pipe(message for message in CHATS[1]) == pipe(CHATS[1])
    assert list(pipe(each for each in ())) == pipe([]) == []


class Collected(nabi.TextStreamer):
    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        self.written = getattr(self, "written", "") + text


def test_a_streamer_gets_the_texts_of_a_list_in_their_order(pipe: Any) -> None:
    streamer = Collected(pipe.tokenizer, skip_special_tokens=True)
    results = pipe(TEXTS, streamer=streamer, batch_size=4)
    assert results == pipe(TEXTS)
    assert streamer.written == "".join(result[0]["generated_text"] for result in results)


def test_the_form_of_a_text_can_be_prescribed(pipe: Any) -> None:
    pytest.importorskip("llguidance")
    call = {"max_new_tokens": 12, "return_full_text": False, "eos_token_id": pipe.tokenizer.eos_token_id}
    for text in pipe(["나비가", "The"], regex=r"20[0-9]{2}년", **call):
        assert re.fullmatch(r"20[0-9]{2}년", text[0]["generated_text"])


def test_an_assistant_model_by_name_or_object_changes_no_token(folder: Path, pipe: Any) -> None:
    helper = nabi.AutoModelForCausalLM.from_pretrained(folder)
    for assistant in (helper, str(folder)):
        assert pipe(TEXTS, assistant_model=assistant) == pipe(TEXTS)


# ---------------------------------------------------------------- what cannot be done


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "None is no text: pass a string, or a chat"),
        (3, "3 of the type int is no text"),
        (float("nan"), "nan .*pandas"),
        (b"good", "bytes object .decode it first"),
        (CHAT[0], "is no chat: expected a list of messages"),
        ([{"role": "user"}], "message 0 of the chat has no 'content', only .'role'"),
        ([CHAT[0], "And?"], "message 1 of the chat is 'And.' of the type str"),
    ],
    ids=repr,
)
def test_what_is_no_text_and_no_chat_is_one_clear_error(pipe: Any, bad: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        pipe(bad)
    with pytest.raises((TypeError, ValueError), match=f"input 1: .*{message}"):
        pipe(["good", bad, "film"])
    results = pipe(["good", bad], on_error="return")
    assert results[0] == pipe("good")
    assert isinstance(results[1], (TypeError, ValueError))


def test_a_prompt_too_long_is_named_before_anything_is_computed(pipe: Any) -> None:
    long = "나비가 " * 100
    texts = ["It"] * 20 + [long]
    with pytest.raises(ValueError, match=r"input 20: the prompt has \d+ tokens.* 64 positions.*'hole'"):
        pipe(texts)
    with pytest.raises(ValueError, match=r"has \d+ tokens already, and max_length is 4: pass max_new_tokens"):
        pipe(CHAT, max_length=4, max_new_tokens=None)
    with pytest.raises(ValueError, match=r"pass max_new_tokens=\d+ or less"):
        pipe("나비가", max_new_tokens=100)


def test_nobodys_default_asks_for_more_than_the_model_has_positions(folder: Path) -> None:
    other = pipeline("text-generation", model=folder, device="cpu", do_sample=False, eos_token_id=[])
    (ids,) = (each["generated_token_ids"] for each in other("나비가 꽃에", return_tensors=True))
    assert len(ids) == POSITIONS


def test_arguments_that_nobody_knows_or_that_contradict_are_named(folder: Path, pipe: Any) -> None:
    with pytest.raises(TypeError, match=r"no argument 'max_new_token': did you mean 'max_new_tokens'"):
        pipe("It", max_new_token=3)
    with pytest.raises(TypeError, match=r"no argument 'return_full_txt': did you mean 'return_full_text'"):
        pipeline("text-generation", model=folder, return_full_txt=True)
    for call, message in (
        ({"return_tensors": True, "return_full_text": True}, "leave return_full_text out"),
        ({"return_tensors": True, "return_text": True}, "leave return_text out"),
        ({"return_text": True, "return_full_text": True}, "leave one of them out"),
        ({"num_return_sequences": 2}, "num_return_sequences is 2, but num_beams is 1"),
        ({"do_sample": True, "temperature": 0.0}, "temperature is 0"),
        ({"return_type": 7}, "7 is not a valid ReturnType"),
    ):
        with pytest.raises(ValueError, match=message):
            pipe("It", **call)
    assert pipe("It", return_tensors=False) == pipe("It", return_type=ReturnType.FULL_TEXT) == pipe("It")


def test_a_chat_without_a_template_and_an_empty_text_without_a_beginning_say_so(folder: Path) -> None:
    other = pipeline("text-generation", model=folder, device="cpu", max_new_tokens=3)
    other.tokenizer.chat_template = None
    with pytest.raises(ValueError, match="no chat template"):
        other(CHAT)
    other.model.generation_config.bos_token_id = None
    with pytest.raises(ValueError, match="no tokens, and the model no bos_token_id"):
        other("")


def test_models_that_do_not_write_on_are_refused(tmp_path: Path, pipe: Any) -> None:
    body = nabi.GPT2Model(pipe.model.config)
    with pytest.raises(TypeError, match=r"GPT2Model scores no next token.*AutoModelForCausalLM"):
        nabi.TextGenerationPipeline(body, pipe.tokenizer, device="cpu")
    config = nabi.T5Config(vocab_size=50, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    with pytest.raises(TypeError, match=r"T5ForConditionalGeneration.*text2text-generation"):
        nabi.TextGenerationPipeline(nabi.T5ForConditionalGeneration(config), pipe.tokenizer, device="cpu")


def test_a_saved_pipeline_loads_and_writes_the_same(tmp_path: Path, pipe: Any) -> None:
    pipe.save_pretrained(tmp_path)
    again = pipeline("text-generation", model=tmp_path, device="cpu", do_sample=False, max_new_tokens=8)
    assert again(TEXTS) == pipe(TEXTS)


def test_the_task_of_a_model_that_writes_on_is_known(folder: Path) -> None:
    assert type(pipeline(model=folder, device="cpu")) is nabi.TextGenerationPipeline


def test_nothing_is_logged_where_nothing_is_odd(pipe: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        pipe(TEXTS)
    assert not caplog.records
