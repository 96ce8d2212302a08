"""conversational: the task and the class of version 4; answers are those of the incumbent's `generate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import nabi
from nabi import pipeline
from nabi.pipelines.conversational import Conversation
from nabi.tokenization import train

CORPUS = ["나비가 꽃에 앉았다. 안녕? 어디 가니?", "Hello! Where does the butterfly go? It flew away."]
POSITIONS = 64
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}bot: {% endif %}"
)
SAID = ["안녕?", "Hello! Where does the butterfly go?", "어디 가니?"]
CALL = {"max_new_tokens": 6}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are quicker so."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model as DialoGPT, with its old settings in config.json."""
    folder = tmp_path_factory.mktemp("model")
    tokenizer = train("bpe", CORPUS * 20, vocab_size=380, show_progress=False)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=POSITIONS,
        eos_token_id=tokenizer.eos_token_id, bos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    model = transformers.GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def pipe(folder: Path) -> Any:
    return pipeline("conversational", model=folder, device="cpu", **CALL)


def expected(folder: Path, ids: list[int]) -> list[int]:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    written: list[int] = model.generate(torch.tensor([ids]), do_sample=False, pad_token_id=1, **CALL)[0].tolist()
    return written[len(ids) :]


# ---------------------------------------------------------------- the pipeline


def test_a_history_is_joined_by_the_end_token_where_there_is_no_template(pipe: Any, folder: Path) -> None:
    conversation = Conversation(SAID[0])
    end = pipe.tokenizer.eos_token_id
    for text in SAID[:2]:
        if len(conversation) > 1:
            conversation.add_user_input(text)
        assert pipe(conversation, min_length_for_response=6) is conversation
        said = [pipe.tokenizer(message["content"])["input_ids"] for message in conversation.messages[:-1]]
        answer = expected(folder, [token for ids in said for token in (*ids, end)])
        assert conversation.generated_responses[-1] == pipe.tokenizer.decode(answer, skip_special_tokens=True)
    assert conversation.past_user_inputs == SAID[:2]


def test_a_template_writes_the_history_where_there_is_one(pipe: Any, folder: Path) -> None:
    pipe.tokenizer.chat_template = TEMPLATE
    messages = [{"role": "system", "content": "Hi."}, {"role": "user", "content": SAID[1]}]
    result = pipe(messages)
    ids = pipe.tokenizer.apply_chat_template(messages, add_generation_prompt=True)
    assert isinstance(result, Conversation)
    assert result.messages[:-1] == messages
    assert result.generated_responses == [pipe.tokenizer.decode(expected(folder, ids), skip_special_tokens=True)]


def test_several_conversations_answer_as_each_alone(pipe: Any) -> None:
    alone = [pipe(Conversation(text))[-1] for text in SAID]
    together = pipe([Conversation(text) for text in SAID])
    assert [each[-1] for each in together] == alone
    assert [each[-1] for each in pipe(Conversation(text) for text in SAID)] == alone
    assert [each[-1] for each in pipe([[{"role": "user", "content": text}] for text in SAID])] == alone
    assert pipe([Conversation(SAID[0])])[-1] == alone[0]


def test_the_lengths_of_an_old_config_hold(folder: Path) -> None:
    pipe = pipeline("conversational", model=folder, device="cpu")
    pipe.model.config.task_specific_params = {"conversational": {"max_length": 20}}
    pipe.model.generation_config.eos_token_id = []
    ids = len(pipe.tokenizer(SAID[0])["input_ids"]) + 1
    inputs = pipe.preprocess(Conversation(SAID[0]))
    assert inputs["alike"][0] == {"max_new_tokens": 20 - ids}


def test_a_history_too_long_loses_its_oldest_messages(pipe: Any, caplog: pytest.LogCaptureFixture) -> None:
    conversation = Conversation([{"role": "system", "content": "Hi."}])
    for number in range(12):
        conversation.add_user_input(f"Where {number}?")
        if number < 11:
            conversation.append_response("It flew.")
    inputs = pipe.preprocess(conversation, min_length_for_response=30)
    text = pipe.tokenizer.decode(inputs["input_ids"][0])
    assert text.startswith("Hi.") and "Where 11?" in text and "Where 0?" not in text
    assert inputs["input_ids"].shape[1] <= POSITIONS - 30
    assert "its oldest message is left out" in caplog.text
    assert len(pipe(conversation)) == 25
    with pytest.raises(ValueError, match=r"the last message has \d+ tokens.* 64 positions.*shorten it"):
        pipe(Conversation("나비가 꽃에 " * 50))


def test_a_model_with_an_encoder_reads_the_messages_apart(tmp_path: Path) -> None:
    tokenizer = train("unigram", CORPUS * 20, vocab_size=120, show_progress=False)
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(1)
    config = transformers.BlenderbotConfig(
        vocab_size=len(tokenizer), d_model=16, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, encoder_attention_heads=2, decoder_attention_heads=2, max_position_embeddings=POSITIONS,
        pad_token_id=0, eos_token_id=1, bos_token_id=1, decoder_start_token_id=1, forced_eos_token_id=None,
    )  # fmt: skip
    theirs = transformers.BlenderbotForConditionalGeneration(config).eval()
    theirs.save_pretrained(tmp_path)
    pipe = pipeline("conversational", model=tmp_path, device="cpu", num_beams=2, **CALL)
    conversation = Conversation(SAID[2], past_user_inputs=[SAID[0]], generated_responses=["Hello!"])
    pipe(conversation)
    inputs = tokenizer(f" {SAID[0]}  Hello!   {SAID[2]}", return_tensors="pt")
    ids = theirs.generate(input_ids=inputs["input_ids"], num_beams=2, **CALL)[0]
    assert conversation[-1]["content"] == tokenizer.decode(ids, skip_special_tokens=True)


@pytest.mark.parametrize("bad", ["안녕", None, 3, {"role": "user", "content": "Hi"}], ids=repr)
def test_what_is_no_conversation_is_one_clear_error(pipe: Any, bad: Any) -> None:
    with pytest.raises(TypeError, match=r"is no conversation: pass a nabi\.pipelines\.conversational"):
        pipe(bad)


def test_other_bad_input_is_named(pipe: Any) -> None:
    with pytest.raises(ValueError, match="the chat has no messages"):
        pipe(Conversation())
    with pytest.raises(TypeError, match=r"no argument 'max_new_token': did you mean 'max_new_tokens'"):
        pipe(Conversation("Hi"), max_new_token=3)
    pipe.tokenizer.eos_token = None
    with pytest.raises(ValueError, match="neither a chat template nor an eos_token"):
        pipe(Conversation("Hi"))


# ---------------------------------------------------------------- Conversation


def test_a_conversation_is_built_in_the_old_ways_and_the_new() -> None:
    old = Conversation("세 번째", None, ["하나", "둘"], ["one", "two"])
    new = Conversation(old.messages, conversation_id=old.uuid)
    assert [message["content"] for message in old] == ["하나", "one", "둘", "two", "세 번째"]
    assert old.past_user_inputs == ["하나", "둘"]
    assert old.generated_responses == ["one", "two"]
    assert old.new_user_input == "세 번째"
    assert (
        new == old == Conversation(text="세 번째", past_user_inputs=["하나", "둘"], generated_responses=["one", "two"])
    )
    assert new != Conversation("세 번째")
    assert list(old.iter_texts())[1:3] == [(False, "one"), (True, "둘")]
    assert Conversation().new_user_input is None
    assert repr(old) == f"Conversation id: {old.uuid}\n" + "".join(
        f"{who}: {text}\n" for who, text in zip(["user", "assistant"] * 3, [m["content"] for m in old], strict=False)
    )


def test_the_methods_of_old_days_work(caplog: pytest.LogCaptureFixture) -> None:
    conversation = Conversation("Hi")
    conversation.add_user_input("And?")
    assert "'And?' is left out: overwrite=True" in caplog.text
    assert conversation.new_user_input == "Hi"
    conversation.add_user_input("And?", overwrite=True)
    conversation.append_response("So.")
    conversation.mark_processed()
    conversation.add_message({"role": "user", "content": "Well"})
    assert conversation.past_user_inputs == ["And?"]
    assert [conversation[0]["content"], len(conversation)] == ["And?", 3]
    conversation[0] = {"role": "user", "content": "Oh"}
    assert conversation.past_user_inputs == ["Oh"]


def test_what_cannot_be_said_is_named() -> None:
    with pytest.raises(ValueError, match="the role is 'me'; expected 'user', 'assistant' or 'system'"):
        Conversation().add_message({"role": "me", "content": "Hi"})
    with pytest.raises(TypeError, match="3 of the type int is nothing that a user says"):
        Conversation().add_user_input(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="message 0 of the chat has no 'content'"):
        Conversation([{"role": "user"}])
    assert nabi.pipelines.conversational.Conversation is Conversation
