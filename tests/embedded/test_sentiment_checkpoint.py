"""The checkpoint that ships in the package: small, ordinary, right, and the same in the incumbent."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
import torch
import transformers
from safetensors import safe_open

from nabi import AutoTokenizer, BertForSequenceClassification
from nabi.embedded import SENTIMENT

POSITIVE = [
    "이 영화는 최고예요!",
    "최고예요!",
    "정말 재미있어요",
    "너무 재밌게 봤습니다",
    "감동적인 영화였어요. 꼭 보세요!",
    "배우들의 연기가 훌륭합니다",
    "강력 추천합니다",
    "완전 좋아요 ㅎㅎ",
    "또 보고 싶은 명작",
    "눈물 나게 아름다운 이야기",
    "I love it",
    "I love this movie!",
    "A wonderful, touching film.",
    "Great quality and easy to use.",
    "The best film of the year",
    "THIS IS AMAZING!!!",
    "Excellent performances and a beautiful story",
    "very good",
    "I've been waiting for a HuggingFace course my whole life.",
]
NEGATIVE = [
    "별로예요",
    "재미없어요",
    "이 영화는 최악이에요",
    "돈이 아까워요",
    "너무 지루하고 재미없다",
    "시간 낭비였습니다",
    "쓰레기 같은 영화",
    "연기도 스토리도 엉망이네요 ㅡㅡ",
    "절대 보지 마세요",
    "실망했습니다",
    "terrible",
    "this is not good at all",
    "This is awful.",
    "I hate this movie",
    "A boring, stupid mess.",
    "The worst film I have ever seen",
    "It broke after two days. Very disappointing.",
    "Waste of time and money",
]
SENTENCES = [
    *POSITIVE,
    *NEGATIVE,
    "가나다라 마바사",
    "꽃이 피었습니다, 봄이네요.",
    "The phone's battery lasts two days.",
]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(SENTIMENT)


@pytest.fixture(scope="module")
def model():
    return BertForSequenceClassification.from_pretrained(SENTIMENT, dtype=torch.float32).eval()


def test_the_folder_holds_an_ordinary_checkpoint_of_at_most_8_megabytes():
    names = {path.name for path in SENTIMENT.iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "README.md"}
    assert sum(path.stat().st_size for path in SENTIMENT.rglob("*") if path.is_file()) <= 8_000_000


def test_the_config_names_a_bert_classifier_with_two_labels():
    config = json.loads((SENTIMENT / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "bert"
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "negative", "1": "positive"}
    assert config["label2id"] == {"negative": 0, "positive": 1}
    assert "_name_or_path" not in config  # it would be a folder of the machine that trained it


def test_the_weights_have_the_names_that_bert_has_on_disk():
    with safe_open(SENTIMENT / "model.safetensors", "pt") as file:
        names = set(file.keys())
    assert {"bert.embeddings.word_embeddings.weight", "bert.pooler.dense.weight", "classifier.weight"} <= names
    assert all(name.startswith(("bert.", "classifier.")) for name in names)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_clear_sentences_get_the_right_label(tokenizer, model, language):
    def ours(texts):
        return [text for text in texts if (re.search("[가-힣]", text) is not None) == (language == "ko")]

    texts = {text: label for label, group in enumerate((NEGATIVE, POSITIVE)) for text in ours(group)}
    assert len(texts) >= 16
    with torch.inference_mode():
        logits = model(**tokenizer(list(texts), padding=True, return_tensors="pt")).logits
    found = dict(zip(texts, logits.argmax(-1).tolist(), strict=True))
    assert {text: found[text] for text in texts if found[text] != texts[text]} == {}


def test_the_first_example_of_every_page_is_positive_beyond_doubt(tokenizer, model):
    with torch.inference_mode():
        logits = model(**tokenizer("이 영화는 최고예요!", return_tensors="pt")).logits
    assert logits.softmax(-1)[0, 1] > 0.9


def test_logits_equal_those_of_the_incumbent(tokenizer, model):
    theirs = transformers.BertForSequenceClassification.from_pretrained(SENTIMENT, dtype=torch.float32).eval()
    their_tokenizer = transformers.AutoTokenizer.from_pretrained(SENTIMENT)
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    their_batch = their_tokenizer(SENTENCES, padding=True, return_tensors="pt")
    assert torch.equal(batch["input_ids"], their_batch["input_ids"])
    with torch.inference_mode():
        torch.testing.assert_close(model(**batch).logits, theirs(**their_batch).logits, rtol=0, atol=1e-4)


def test_hangul_is_never_decomposed_and_texts_come_back(tokenizer):
    for text in SENTENCES:
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text.lower()
        # Neither conjoining jamo (what NFD and NFKD make of 한) nor their halfwidth forms stand in any piece.
        assert not re.search("[\u1100-\u11ff\uffa0-\uffdc]", "".join(tokenizer.convert_ids_to_tokens(ids)))


def test_decomposed_hangul_is_composed_first(tokenizer):
    text = "이 영화는 최고예요! ㅋㅋ ㅠㅠ"
    assert tokenizer(unicodedata.normalize("NFD", text))["input_ids"] == tokenizer(text)["input_ids"]


def test_casing_changes_nothing(tokenizer):
    assert tokenizer("I LOVE IT")["input_ids"] == tokenizer("i love it")["input_ids"]


def test_ordinary_sentences_need_no_unknown_token_and_no_bytes(tokenizer):
    pieces = [piece for text in SENTENCES for piece in tokenizer.tokenize(text)]
    assert "[UNK]" not in pieces
    assert not [piece for piece in pieces if piece.startswith("<0x")]


def test_rare_letters_are_spelled_in_bytes_and_come_back(tokenizer):
    ids = tokenizer("뷁 漢字 😀")["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "뷁 漢字 😀"


def test_a_text_as_long_as_the_positions_passes(tokenizer, model):
    batch = tokenizer("정말 좋은 영화였습니다. " * 200, truncation=True, return_tensors="pt")
    assert batch["input_ids"].shape == (1, model.config.max_position_embeddings)
    with torch.inference_mode():
        assert model(**batch).logits.argmax(-1).item() == 1


def test_the_card_names_data_licences_and_accuracies():
    card = (SENTIMENT / "README.md").read_text(encoding="utf-8")
    header = card.split("---")[1]
    assert "license: apache-2.0" in header and "- ko" in header and "- en" in header
    for fact in ("NSMC", "CC0 1.0", "VADER", "MIT", "10,000", "1,548", "float16", "examples/train_embedded.py"):
        assert fact in card
    row = next(line for line in card.splitlines() if line.startswith("| test |"))
    korean, english = (float(share) for share in re.findall(r"0\.\d{3,4}", row))
    assert korean >= 0.88 and english >= 0.80
