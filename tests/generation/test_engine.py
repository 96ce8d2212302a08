"""The engine: requests join and leave a running batch, and each gets what it would have got alone."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest
import torch
from torch import Tensor

from nabi import TextIteratorStreamer
from nabi.generation.engine import Engine, Request
from nabi.generation.running_cache import RunningCache
from nabi.nn.cache import Cache

from ..nn.tiny import ids, make
from .test_grammar import bpe, end_of

FAMILIES = {
    **{"gpt2": "LMHeadModel", "llama": "ForCausalLM", "mistral": "ForCausalLM", "gemma2": "ForCausalLM"},
    **{"bloom": "ForCausalLM", "opt": "ForCausalLM", "falcon": "ForCausalLM", "gpt-oss": "ForCausalLM"},
}


def requests_of(seed: int, count: int) -> list[tuple[Tensor, dict[str, Any]]]:
    """Prompts and settings of every length; some sample, each in its own way."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        prompt = torch.tensor([[chance.randint(5, 59) for _ in range(chance.randint(1, 11))]])
        settings: dict[str, Any] = {"max_new_tokens": chance.randint(1, 12), "eos_token_id": [9, 12, 40]}
        if chance.random() < 0.5:
            settings.update(do_sample=True, temperature=chance.choice([0.7, 1.5]), top_k=chance.choice([5, 50]))
        if chance.random() < 0.5:
            settings.update(repetition_penalty=1.5)
        made.append((prompt, settings))
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_each_request_gets_what_it_would_have_got_alone(family: str) -> None:
    model = make(family, FAMILIES[family])
    engine = Engine(model, rows=4)
    given = requests_of(3, 14)
    requests = [engine.submit(prompt, seed=place, **settings) for place, (prompt, settings) in enumerate(given)]
    engine.run()
    for place, (request, (prompt, settings)) in enumerate(zip(requests, given, strict=True)):
        torch.manual_seed(place)
        assert request.result().tolist() == model.generate(prompt, **settings).tolist()
        assert request.finish_reason == ("stop" if request.new_tokens[-1] in (9, 12, 40) else "length")


def test_requests_that_come_while_others_run_join_them() -> None:
    model = make("gpt2", "LMHeadModel")
    engine = Engine(model, rows=3)
    given = requests_of(5, 9)
    requests: list[Request] = []
    for place, (prompt, settings) in enumerate(given):
        requests.append(engine.submit(prompt, seed=place, **settings))
        engine.step()
        engine.step()
    engine.run()
    for place, (request, (prompt, settings)) in enumerate(zip(requests, given, strict=True)):
        torch.manual_seed(place)
        assert request.ids.tolist() == model.generate(prompt, **settings).tolist()


def test_one_pass_serves_all_texts_that_run() -> None:
    model = make("gpt2", "LMHeadModel")
    engine = Engine(model, rows=8)
    passes: list[int] = []
    model.transformer.wte.register_forward_hook(lambda module, given, out: passes.append(len(given[0])))
    for row in range(6):
        engine.submit(ids(1, 3 + row), max_new_tokens=4, eos_token_id=None)
    engine.run()
    assert passes == [1] * 6 + [6] * 3


def test_a_thread_of_its_own_serves_many_callers_and_streams() -> None:
    model, tokenizer = make("gpt2", "LMHeadModel"), bpe()
    model.resize_token_embeddings(len(tokenizer))
    prompt = tokenizer("안녕", return_tensors="pt")
    want = tokenizer.decode(model.generate(**prompt, max_new_tokens=9, eos_token_id=None)[0])
    with Engine(model, rows=4) as engine:
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=False, timeout=20)
        streamer.put(prompt["input_ids"])
        engine.submit(prompt, max_new_tokens=9, eos_token_id=None, streamer=streamer)
        found: list[list[int]] = [[] for _ in range(6)]

        def ask(place: int) -> None:
            found[place] = list(engine.submit(ids(1), max_new_tokens=5, eos_token_id=None))

        callers = [threading.Thread(target=ask, args=(place,)) for place in range(6)]
        for caller in callers:
            caller.start()
        assert "".join(streamer) == want
        for caller in callers:
            caller.join(20)
    alone = model.generate(ids(1), max_new_tokens=5, eos_token_id=None)[0, 7:].tolist()
    assert found == [alone] * 6


def test_a_cancelled_request_leaves_and_keeps_what_it_has() -> None:
    model = make("gpt2", "LMHeadModel")
    engine = Engine(model, rows=2)
    first, second = (engine.submit(ids(1), max_new_tokens=10, eos_token_id=None) for _ in range(2))
    waiting = engine.submit(ids(1), max_new_tokens=3, eos_token_id=None)
    for _ in range(3):
        engine.step()
    first.cancel()
    engine.run()
    assert first.finish_reason == "cancelled" and 0 < len(first.new_tokens) < 10
    assert len(second.new_tokens) == 10 and len(waiting.new_tokens) == 3


def test_one_requests_error_is_its_own() -> None:
    def broken(input_ids: Tensor, scores: Tensor) -> Tensor:
        raise KeyError("mine")

    model = make("gpt2", "LMHeadModel")
    engine = Engine(model)
    bad = engine.submit(ids(1), max_new_tokens=4, logits_processor=[broken])
    good = engine.submit(ids(1), max_new_tokens=4, eos_token_id=None)
    engine.run()
    assert bad.finish_reason == "error" and len(good.new_tokens) == 4
    with pytest.raises(KeyError, match="mine"):
        bad.result()
    with pytest.raises(KeyError, match="mine"):
        list(bad)


def test_the_models_error_reaches_everybody_who_waits() -> None:
    model = make("gpt2", "LMHeadModel")
    with Engine(model) as engine:
        model.lm_head.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(MemoryError("full")))
        request = engine.submit(ids(1), max_new_tokens=4)
        with pytest.raises(MemoryError, match="full"):
            request.result(20)


def test_stopping_ends_all_and_takes_no_more() -> None:
    engine = Engine(make("gpt2", "LMHeadModel")).start()
    engine.stop()
    with pytest.raises(RuntimeError, match="has been stopped"):
        engine.submit(ids(1), max_new_tokens=4)
    idle = Engine(make("gpt2", "LMHeadModel"))
    request = idle.submit(ids(1), max_new_tokens=4)
    with pytest.raises(TimeoutError, match=r"within 0.01 s"):
        request.result(0.01)
    idle.stop()
    assert request.finish_reason == "cancelled" and request.done


def test_forms_and_stop_strings_hold_in_a_batch_too() -> None:
    tokenizer = bpe()
    model = make("gpt2", "LMHeadModel", vocab_size=len(tokenizer))
    with Engine(model, tokenizer=tokenizer) as engine:
        end = {"eos_token_id": end_of(tokenizer), "do_sample": True, "max_new_tokens": 12}
        requests = [engine.submit(ids(1), seed=seed, regex="[0-9]{3}", **end) for seed in range(3)]
        for request in requests:
            written = tokenizer.decode(request.result(20)[0, 7:], skip_special_tokens=True)
            assert len(written) == 3 and written.isdigit() and request.finish_reason == "stop"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_beams": 2}, "a request is one text"),
        ({"do_sample": True, "num_return_sequences": 2}, "submit one request for each"),
        ({"use_cache": False}, "the engine writes token by token with a cache"),
        ({"max_new_tokens": 40}, "the model knows 24 positions"),
        ({"temperature": -1.0}, "temperature is -1.0"),
    ],
    ids=str,
)
def test_a_request_that_it_cannot_serve_is_refused_at_once(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Engine(make("gpt2", "LMHeadModel")).submit(ids(1), **settings)


@pytest.mark.parametrize(
    ("case", "head"), [("bart", "ForConditionalGeneration"), ("xlnet", "LMHeadModel"), ("gpt2", "Model")]
)
def test_only_decoders_with_a_cache_are_run(case: str, head: str) -> None:
    with pytest.raises(ValueError, match=r"call its generate"):
        Engine(make(case, head))


@torch.no_grad()
def test_a_running_cache_keeps_each_text_where_it_belongs() -> None:
    """Against lists: texts of random lengths join, grow and leave, and the columns move when they reach the edge."""
    chance, cache, texts = random.Random(1), RunningCache(3), list[list[float]]()
    number = 0.0
    for _ in range(400):
        if len(texts) < 3 and chance.random() < 0.3:
            length, one = chance.randint(1, 40), Cache()
            new = [number + place for place in range(length)]
            one.update(*(torch.tensor(new)[None, None, :, None].expand(1, 2, length, 4) for _ in "kv"), layer=0)
            cache.join(one, length, most=80)
            texts.append(new)
            number += length
        if texts:
            column = torch.arange(len(texts)) + number
            keys, _ = cache.update(*(column[:, None, None, None].expand(len(texts), 2, 1, 4) for _ in "kv"), layer=0)
            mask = cache.inputs("cpu")["attention_mask"].bool()
            cache.advance()
            for place, text in enumerate(texts):
                text.append(number + place)
                assert keys[place, 1, :, 0][mask[place]].tolist() == text
            number += len(texts)
        for place in reversed(range(len(texts))):
            if len(texts[place]) > 70 or chance.random() < 0.05:
                cache.leave(place)
                texts[place] = texts[-1]
                texts.pop()


def test_how_long_a_request_waited_and_took_is_known() -> None:
    engine = Engine(make("gpt2", "LMHeadModel"))
    request = engine.submit(ids(1), max_new_tokens=2)
    time.sleep(0.01)
    engine.run()
    assert request.waited >= 0.01 and request.took > 0
