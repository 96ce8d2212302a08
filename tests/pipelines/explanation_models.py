"""Tiny random models for every kind of head, and tokenizers that learned a little Korean and English."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import torch

from nabi import pipeline
from nabi.tokenization import train

CORPUS = [
    "나비가 꽃에 앉았다. 나비가 훨훨 날아갔다. 한국어 문장을 배웁니다. 이 영화는 정말 최고예요!",
    "The butterfly sat on a flower and flew away. It did not say where to. 0123456789",
]
TEXT = "이 영화는 정말 최고예요! 나비가 꽃에 앉았다."
SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
HALVES = {
    **{"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4},
    **{"decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 128},
}


@functools.cache
def tokenizer(kind: str = "wordpiece") -> Any:
    return train(kind, CORPUS * 20, vocab_size=400, show_progress=False)


def of_halves() -> Any:
    """A tokenizer for models that take no segments."""
    made = train("wordpiece", CORPUS * 20, vocab_size=400, show_progress=False)
    made.model_input_names = ["input_ids", "attention_mask"]
    return made


def made(family: str, head: str, words: Any, **config: Any) -> Any:
    """A model whose every parameter is off its initial value."""
    module = importlib.import_module(f"nabi.models.{family}")
    kind = next(name for name in vars(module) if name.lower() == f"{family}config")
    ends = {"pad_token_id": words.pad_token_id, "eos_token_id": words.eos_token_id or words.sep_token_id}
    torch.manual_seed(5)
    model = getattr(module, head)(getattr(module, kind)(**{"vocab_size": len(words), **ends, **config}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model.eval()


def bert(head: str, task: str, **config: Any) -> Any:
    words = tokenizer()
    return pipeline(task, model=made("bert", f"BertFor{head}", words, **SIZES, **config), tokenizer=words)


def decoder(family: str, head: str, task: str, **config: Any) -> Any:
    words = tokenizer("bpe")
    sizes: dict[str, Any] = {
        "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 256},
        "opt": {**SIZES, "word_embed_proj_dim": 24, "ffn_dim": 48},
    }
    return pipeline(task, model=made(family, head, words, **sizes.get(family, SIZES), **config), tokenizer=words)


def bart(head: str, task: str, **config: Any) -> Any:
    words = of_halves()
    model = made("bart", head, words, **HALVES, decoder_start_token_id=3, forced_eos_token_id=None, **config)
    return pipeline(task, model=model, tokenizer=words)


def t5(task: str, **config: Any) -> Any:
    words = of_halves()
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 4}
    return pipeline(
        task,
        model=made("t5", "T5ForConditionalGeneration", words, **sizes, decoder_start_token_id=0, **config),
        tokenizer=words,
    )


LABELS = {"id2label": {0: "bad", 1: "so-so", 2: "good"}}
ENTITIES = {"id2label": {0: "O", 1: "B-PER", 2: "I-PER"}}
NLI = {"id2label": {0: "contradiction", 1: "neutral", 2: "entailment"}}
QUESTION = {"question": "나비가 어디에 앉았다?", "context": TEXT}
GREEDY = {"do_sample": False, "max_new_tokens": 7}
# name: (pipeline, inputs, settings), what reads texts
READERS: dict[str, Any] = {
    "bert classifies": (lambda: bert("SequenceClassification", "text-classification", **LABELS), TEXT, {}),
    "bert classifies a pair": (
        lambda: bert("SequenceClassification", "text-classification", **LABELS),
        {"text": TEXT, "text_pair": "나비가 앉았다."},
        {},
    ),
    "gpt2 classifies": (
        lambda: decoder("gpt2", "GPT2ForSequenceClassification", "text-classification", **LABELS),
        TEXT,
        {},
    ),
    "bart classifies": (lambda: bart("BartForSequenceClassification", "text-classification", **LABELS), TEXT, {}),
    "bert labels tokens": (lambda: bert("TokenClassification", "token-classification", **ENTITIES), TEXT, {}),
    "bert answers": (lambda: bert("QuestionAnswering", "question-answering"), QUESTION, {}),
    "bert fills in": (lambda: bert("MaskedLM", "fill-mask"), "나비가 [MASK] 앉았다.", {}),
    "bert weighs hypotheses": (
        lambda: bert("SequenceClassification", "zero-shot-classification", **NLI),
        TEXT,
        {"candidate_labels": ["영화", "나비"]},
    ),
}
WRITERS: dict[str, Any] = {
    "gpt2": (lambda: decoder("gpt2", "GPT2LMHeadModel", "text-generation"), "나비가 훨훨", GREEDY),
    "llama": (lambda: decoder("llama", "LlamaForCausalLM", "text-generation"), "나비가 훨훨", GREEDY),
    "opt": (lambda: decoder("opt", "OPTForCausalLM", "text-generation"), "나비가 훨훨", GREEDY),
    "bart": (lambda: bart("BartForConditionalGeneration", "summarization"), TEXT, {**GREEDY, "num_beams": 1}),
    "t5": (lambda: t5("text2text-generation"), TEXT, {**GREEDY, "num_beams": 1}),
}


def assert_alike(ours: Any, theirs: Any) -> None:
    """Equal, but for the last digits of scores: attention that is shown is computed in another order."""
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs)
        for key in theirs:
            assert_alike(ours[key], theirs[key])
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), (ours, theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_alike(one, other)
    elif isinstance(theirs, float):
        assert abs(ours - theirs) < 1e-5
    else:
        assert ours == theirs
