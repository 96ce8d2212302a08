"""An assistant with other tokens helps through the text."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import nabi
from nabi.generation.generate import prepare
from nabi.generation.translated import Translator

from ..tokenization.small_tokenizers import CORPUS

TEXTS = [
    "이 영화는 정말 최고예요",
    "The butterfly rests on a flower, 나비가 꽃밭 위를",
    "A quick train ride",
    "뷁쀍 漢字",
]


@cache
def tokenizer(kind: str) -> Any:
    """bytes: as GPT-2's; marked: as SentencePiece's, with a mark at each word; lower: without capital letters."""
    special = ["<pad>", "<s>", "</s>", "<unk>"]
    options: dict[str, Any] = {"special_tokens": special, "show_progress": False}
    if kind == "bytes":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        trainer: Any = trainers.BpeTrainer(
            vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **options
        )
    elif kind == "marked":
        made = Tokenizer(models.Unigram())
        made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=400, unk_token="<unk>", **options)
    else:
        made = Tokenizer(models.WordPiece(unk_token="<unk>"))
        made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
        made.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=380, **options)
    made.train_from_iterator(CORPUS, trainer)
    names = dict(zip(("pad_token", "bos_token", "eos_token", "unk_token"), special, strict=True))
    return nabi.PreTrainedTokenizerFast(tokenizer_object=made, **names)


@cache
def model_for(kind: str, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    size = len(tokenizer(kind))
    config = nabi.GPT2Config(vocab_size=size, n_embd=16, n_layer=2, n_head=2, initializer_range=0.4)
    return nabi.GPT2LMHeadModel(config).eval()


def given(ours: str, theirs: str) -> dict[str, Any]:
    return {
        "assistant_model": model_for(theirs),
        "tokenizer": tokenizer(ours),
        "assistant_tokenizer": tokenizer(theirs),
        "assistant_confidence_threshold": 0.0,
    }


PAIRS = [("bytes", "marked"), ("bytes", "lower"), ("marked", "bytes"), ("lower", "bytes"), ("lower", "marked")]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_tokens_are_those_of_the_model_alone(ours: str, theirs: str, text: str) -> None:
    model = model_for(ours, seed=1)
    ids = torch.tensor([tokenizer(ours).encode(text)])
    alone = model.generate(ids, max_new_tokens=16)
    assert model.generate(ids, max_new_tokens=16, **given(ours, theirs)).tolist() == alone.tolist()
    torch.manual_seed(0)
    drawn = model.generate(ids, max_new_tokens=16, do_sample=True, top_k=5, **given(ours, theirs))
    assert drawn.shape == alone.shape


def translator(ours: str, theirs: str, ids: torch.Tensor, lookbehind: int = 10) -> Translator:
    behind = {"target_lookbehind": lookbehind, "assistant_lookbehind": lookbehind}
    return Translator(prepare(model_for(ours), ids, max_new_tokens=40, **behind, **given(ours, theirs)))


@pytest.mark.parametrize("lookbehind", [2, 10])
@pytest.mark.parametrize("text", TEXTS[:3])
@pytest.mark.parametrize(("ours", "theirs"), [("bytes", "marked"), ("marked", "bytes")])
def test_a_text_that_the_assistant_went_on_with_comes_back_in_the_models_tokens(
    ours: str, theirs: str, text: str, lookbehind: int
) -> None:
    """Cut a text at each token: the rest is what the assistant would say."""
    whole = tokenizer(ours).encode(text, add_special_tokens=False)
    made = translator(ours, theirs, torch.tensor([whole]), lookbehind)
    back = 0
    for cut in range(1, len(whole)):
        begun = tokenizer(ours).decode(whole[:cut])
        if begun.endswith("\ufffd") or not text.startswith(begun):
            continue
        drafted = made._spell_back(whole[:cut], begun, text[len(begun) :])
        assert tokenizer(ours).decode(whole[:cut] + drafted) == text
        back += drafted == whole[cut:]
        spelled = made.spelled = made._spell(begun)
        assert tokenizer(theirs).decode(spelled, skip_special_tokens=True) == begun
    assert back >= len(whole) / 3  # the more of them are the model's own tokens, the more may stay


def test_an_assistant_that_says_the_same_in_other_tokens_saves_passes() -> None:
    """Letters as tokens for both, numbered otherwise: what the one writes is what the other would."""
    names = {"pad_token": "<pad>", "unk_token": "<unk>"}
    letters = "abcdefghijklmnop"
    orders = [letters, letters[::-1]]
    tokenizers = []
    for order in orders:
        made = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1, **{c: i + 2 for i, c in enumerate(order)}}, "<unk>"))
        made.pre_tokenizer, made.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
        tokenizers.append(nabi.PreTrainedTokenizerFast(tokenizer_object=made, **names))
    torch.manual_seed(0)
    config = nabi.GPT2Config(vocab_size=18, n_embd=16, n_layer=2, n_head=2, initializer_range=0.4)
    model = nabi.GPT2LMHeadModel(config).eval()
    other = nabi.GPT2LMHeadModel(config).eval()
    other.load_state_dict(model.state_dict())
    words = other.get_input_embeddings().weight
    with torch.no_grad():
        words[2:] = words[2:].flip(0).clone()
        model.get_input_embeddings().weight[:2] = 0.0  # so that only letters are written
        words[:2] = 0.0
    ids = torch.tensor([tokenizers[0].encode("abcab")])
    alone = model.generate(ids, max_new_tokens=20)
    counted: list[int] = []
    hook = model.register_forward_hook(lambda *_: counted.append(1))
    written = model.generate(
        ids, max_new_tokens=20, assistant_model=other, tokenizer=tokenizers[0], assistant_tokenizer=tokenizers[1],
        num_assistant_tokens=5, assistant_confidence_threshold=0.0,
    )  # fmt: skip
    hook.remove()
    assert written.tolist() == alone.tolist()
    assert len(counted) <= 5


def test_encoder_decoders_with_different_tokens_are_refused() -> None:
    config = nabi.T5Config(vocab_size=420, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    model = nabi.T5ForConditionalGeneration(config).eval()
    with pytest.raises(ValueError, match="another tokenizer can help decoders only"):
        model.generate(torch.tensor([[5, 6]]), decoder_start_token_id=0, **given("bytes", "marked"))
