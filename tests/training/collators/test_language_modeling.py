"""Masking: with the same seed the same batches as the incumbent's, and the shares that are asked for."""

from __future__ import annotations

import json
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch.utils.data import DataLoader

import nabi
from nabi.training.collators import (
    DataCollatorForLanguageModeling,
    DataCollatorForPermutationLanguageModeling,
    DataCollatorForSOP,
    DataCollatorForWholeWordMask,
)
from nabi.training.collators.words import WordMarks, word_numbers

from .test_padding import assert_same
from .tokenizers import examples, pair

KOREAN = "이 영화는 정말 최고예요! 배우들의 연기가 훌륭했습니다."


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mlm_probability": 0.5, "pad_to_multiple_of": 8},
        {"mask_replace_prob": 0.3, "random_replace_prob": 0.7},
        {"mask_replace_prob": 1.0, "random_replace_prob": 0.0},
        {"mask_replace_prob": 0.0, "random_replace_prob": 1.0},
        {"mlm": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
@pytest.mark.parametrize("marked", [True, False], ids=["special_tokens_mask", "ids"])
def test_the_same_seed_masks_what_the_incumbent_masks(kind: str, marked: bool, settings: dict[str, Any]) -> None:
    mine, its = pair(kind)
    rows = examples(kind, return_special_tokens_mask=marked)
    for seed in (None, 3):
        ours = DataCollatorForLanguageModeling(mine, seed=seed, **settings)
        theirs = transformers.DataCollatorForLanguageModeling(its, seed=seed, **settings)
        torch.manual_seed(5)
        made = [ours(rows), ours(rows)]
        torch.manual_seed(5)
        for batch in made:
            assert_same(batch, theirs(rows))


def test_bare_rows_of_ids_make_a_batch_and_arrays_come_on_demand() -> None:
    mine, its = pair("wordpiece")
    rows = [row["input_ids"] for row in examples("wordpiece")]
    ours = DataCollatorForLanguageModeling(mine, seed=1)(rows)
    assert_same(ours, transformers.DataCollatorForLanguageModeling(its, seed=1)(rows))
    arrays = DataCollatorForLanguageModeling(mine, seed=1, return_tensors="np")([torch.tensor(row) for row in rows])
    assert all(arrays[key].tolist() == ours[key].tolist() for key in ours)
    assert ours["attention_mask"].sum(1).tolist() == [len(row) for row in rows]


def test_of_the_chosen_tokens_80_are_masked_10_changed_and_10_kept() -> None:
    tokenizer, _ = pair("wordpiece")
    ids = torch.randint(10, 500, (200, 100), generator=torch.Generator().manual_seed(0))
    ids[:, 0], ids[:, -1] = tokenizer.cls_token_id, tokenizer.sep_token_id
    batch = DataCollatorForLanguageModeling(tokenizer, seed=0)(list(ids))
    chosen = batch["labels"] != -100
    assert chosen[:, 1:-1].float().mean().item() == pytest.approx(0.15, abs=0.01)
    assert not chosen[:, 0].any() and not chosen[:, -1].any()
    assert torch.equal(batch["labels"][chosen], ids[chosen]) and torch.equal(batch["input_ids"][~chosen], ids[~chosen])
    given, was = batch["input_ids"][chosen], ids[chosen]
    masked = given == tokenizer.mask_token_id
    assert masked.float().mean().item() == pytest.approx(0.8, abs=0.03)
    assert (~masked & (given != was)).float().mean().item() == pytest.approx(0.1, abs=0.03)
    assert given.max() > 550  # any token of the vocabulary


# --- whole words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("probability", [0.15, 0.5])
def test_whole_words_by_offsets_are_the_incumbents(probability: float) -> None:
    mine, its = pair("wordpiece")
    rows = examples("wordpiece", return_offsets_mapping=True, return_special_tokens_mask=True)
    settings: dict[str, Any] = dict(whole_word_mask=True, mask_replace_prob=1.0, random_replace_prob=0.0, seed=2)
    ours = DataCollatorForLanguageModeling(mine, mlm_probability=probability, **settings)
    theirs = transformers.DataCollatorForLanguageModeling(its, mlm_probability=probability, **settings)
    width = max(len(row["input_ids"]) for row in rows)
    padded = [
        {**row, "offset_mapping": row["offset_mapping"] + [(0, 0)] * (width - len(row["input_ids"]))} for row in rows
    ]
    for _ in range(5):
        assert_same(ours(rows), theirs(padded))


def words_of(kind: str, text: str, by: str) -> list[str]:
    """The pieces of each word, joined, as the collator sees them."""
    tokenizer, _ = pair(kind)
    encoded = tokenizer(text, return_offsets_mapping=True)
    ids = torch.tensor([encoded["input_ids"]])
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    beside: dict[str, Any] = {}
    if by == "offsets":
        beside["offsets"] = torch.tensor([encoded["offset_mapping"]])
    if by == "word_ids":
        beside["word_ids"] = torch.tensor([[-1 if word is None else word for word in encoded.word_ids()]])
    numbers = word_numbers(ids, special, WordMarks(tokenizer), **beside)[0]
    return [tokenizer.decode(ids[0][numbers == n]).strip() for n in range(1, int(numbers.max()) + 1)]


@pytest.mark.parametrize("by", ["offsets", "marks"])
@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
def test_eojeol_are_words_for_every_kind_of_vocabulary(kind: str, by: str) -> None:
    text = KOREAN.replace("!", "").replace(".", "")
    assert words_of(kind, text, by) == text.split()


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
def test_punctuation_is_of_its_eojeol_where_spaces_divide(kind: str) -> None:
    expected = [word.replace("!", " !").replace(".", " .") for word in KOREAN.split()]
    found = words_of(kind, KOREAN, "offsets")
    assert [word.replace(" ", "") for word in found] == [word.replace(" ", "") for word in expected]


def test_words_of_the_tokenizer_go_before_all_else() -> None:
    assert words_of("wordpiece", "최고예요! 나비", "word_ids") == ["최고예요", "!", "나비"]


RECORDED = json.loads((Path(__file__).parent / "recorded_whole_words.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", RECORDED["recorded"], ids=lambda case: f"seed{case['settings']['seed']}")
def test_the_whole_word_collator_of_v4_masks_what_it_masked(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(RECORDED["vocabulary"]) + "\n", encoding="utf-8")
    tokenizer = nabi.BertTokenizer(str(tmp_path / "vocab.txt"), do_lower_case=False, strip_accents=False)
    collate = DataCollatorForWholeWordMask(tokenizer, **case["settings"])
    rows = [dict(tokenizer(text)) for text in RECORDED["texts"]]
    for expected in case["batches"]:
        batch = collate(rows)
        assert {key: batch[key].tolist() for key in expected} == expected


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_whole_words_stay_whole_and_within_the_budget(kind: str) -> None:
    tokenizer, _ = pair(kind)
    rows = examples(kind)
    collate = DataCollatorForWholeWordMask(tokenizer, mlm_probability=0.4, seed=0)
    marks = WordMarks(tokenizer)
    for _ in range(20):
        batch = collate(rows)
        chosen = batch["labels"] != -100
        ids = torch.where(chosen, batch["labels"], batch["input_ids"])
        words = word_numbers(ids, torch.isin(ids, torch.tensor(tokenizer.all_special_ids)), marks)
        for row, one in enumerate(rows):
            assert 0 < chosen[row].sum() <= max(1, round(0.4 * len(one["input_ids"])))
            taken = set(words[row][chosen[row]].tolist())
            assert -1 not in taken and chosen[row].equal(torch.isin(words[row], torch.tensor(sorted(taken))))


def test_a_vocabulary_without_marks_needs_offsets() -> None:
    class Letters:
        mask_token, mask_token_id, pad_token_id, all_special_ids = "[MASK]", 0, None, (0,)

        def get_vocab(self) -> dict[str, int]:
            return {"[MASK]": 0, "가": 1, "나": 2}

        def pad(self, rows: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
            return {"input_ids": torch.tensor([row["input_ids"] for row in rows])}

    with pytest.raises(ValueError, match="return_offsets_mapping=True"):
        DataCollatorForWholeWordMask(Letters())([[1, 2]])


# --- the others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"plm_probability": 0.5, "max_span_length": 2}], ids=str)
def test_permutations_are_the_incumbents(settings: dict[str, Any]) -> None:
    mine, its = pair("unigram")
    rows = [
        {"input_ids": row["input_ids"]}
        for row in examples("unigram", padding="max_length", truncation=True, max_length=40)
    ]
    rows.append({"input_ids": rows[0]["input_ids"][:30]})
    torch.manual_seed(1)
    ours = DataCollatorForPermutationLanguageModeling(mine, **settings)(rows)
    torch.manual_seed(1)
    assert_same(ours, transformers.DataCollatorForPermutationLanguageModeling(its, **settings)(rows))
    odd = DataCollatorForPermutationLanguageModeling(mine)([{"input_ids": rows[0]["input_ids"][:39]}])
    assert odd["input_ids"].shape == (1, 40) and odd["attention_mask"].sum() == 39


def test_sentence_order_keeps_its_label_beside_masked_tokens() -> None:
    tokenizer, _ = pair("wordpiece")
    rows = [{**row, "sentence_order_label": torch.tensor(index % 2)} for index, row in enumerate(examples("wordpiece"))]
    batch = DataCollatorForSOP(tokenizer, seed=0)(rows)
    assert batch["sentence_order_label"].tolist() == [0, 1, 0, 1, 0]
    assert batch["attention_mask"].sum(1).tolist() == [len(row["input_ids"]) for row in rows]
    assert batch["labels"].shape == batch["token_type_ids"].shape and (batch["labels"] != -100).any()
    with pytest.raises(ValueError, match="'sentence_order_label' in every example"):
        DataCollatorForSOP(tokenizer)(examples("wordpiece"))


def test_each_worker_draws_its_own_masks_from_a_seed() -> None:
    tokenizer, _ = pair("wordpiece")
    rows = [row["input_ids"] for row in examples("wordpiece")][:1] * 16

    def masks() -> list[list[bool]]:
        collate = DataCollatorForLanguageModeling(tokenizer, seed=4)
        loader = DataLoader(rows, 4, collate_fn=collate, num_workers=2)  # type: ignore[arg-type]
        return [(batch["labels"] != -100).flatten().tolist() for batch in loader]

    first = masks()
    assert first == masks() and len({tuple(mask) for mask in first}) == 4


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"mlm_probability": 1.5}, "mlm_probability is 1.5"),
        ({"mlm_probability": None}, "mlm_probability is None"),
        ({"mask_replace_prob": -1}, "mask_replace_prob is -1"),
        ({"mask_replace_prob": 0.9, "random_replace_prob": 0.2}, "is 1.1"),
        ({"mlm": False, "whole_word_mask": True}, "set mlm=True"),
    ],
    ids=str,
)
def test_impossible_settings_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DataCollatorForLanguageModeling(pair("wordpiece")[0], **settings)


def test_a_tokenizer_without_a_mask_token_is_told_about_mlm() -> None:
    with pytest.raises(ValueError, match="mlm=False"):
        DataCollatorForLanguageModeling(pair("bpe")[0])


def test_older_scripts_pass_the_probability_third() -> None:
    collate = DataCollatorForLanguageModeling(pair("wordpiece")[0], True, 0.3)  # type: ignore[arg-type]
    assert collate.mlm_probability == 0.3 and collate.whole_word_mask is False


def test_labels_that_are_replaced_are_said_unless_they_are_copies(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"input_ids": [5, 6, 7], "labels": [5, 6, 7]}, {"input_ids": [5, 6], "labels": [5, 6]}]
    collate = DataCollatorForLanguageModeling(pair("bpe")[0], mlm=False)
    with caplog.at_level(logging.WARNING, "nabi"):
        assert collate(rows)["labels"].tolist() == [[5, 6, 7], [5, 6, -100]] and not caplog.text
        collate([{"input_ids": [5, 6, 7], "labels": [-100, 6, 7]}])
    assert "labels are replaced" in caplog.text


def test_a_collator_can_be_sent_to_a_worker_after_use() -> None:
    collate = DataCollatorForLanguageModeling(pair("wordpiece")[0], seed=1)
    collate(examples("wordpiece"))
    sent = pickle.loads(pickle.dumps(collate))
    assert_same(sent(examples("wordpiece")), collate(examples("wordpiece")))


def test_ends_that_no_label_teaches_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = nabi.PreTrainedTokenizerFast(
        tokenizer_object=pair("bpe")[0].backend_tokenizer, eos_token="<|endoftext|>"
    )
    tokenizer.pad_token = tokenizer.eos_token
    rows = [[5, 6, tokenizer.eos_token_id], [7, tokenizer.eos_token_id]]
    collate = DataCollatorForLanguageModeling(tokenizer, mlm=False)
    with caplog.at_level(logging.WARNING, "nabi"):
        assert collate(rows)["labels"].tolist() == [[5, 6, -100], [7, -100, -100]]
        collate(rows)
    assert caplog.text.count("will not learn to stop") == 1
