"""Whisper: prefixes for languages and tasks, and texts with their times."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from awkward import LINES
from small_tokenizers import write_json
from test_byte_bpe import END, train

from nabi.tokenization import AutoTokenizer, WhisperTokenizer
from nabi.tokenization.families.whisper import LANGUAGES, TO_LANGUAGE_CODE

STEERING = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
SPECIAL = ["<|startoftranscript|>", *(f"<|{code}|>" for code in LANGUAGES), *STEERING]
FIRST = 601 + len(SPECIAL)  # the id of <|0.00|>


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As openai/whisper-tiny is published: vocabulary files, and the rest of the tokens as added ones."""
    path = tmp_path_factory.mktemp("whisper")
    train([]).model.save(str(path))
    vocab = json.loads((path / "vocab.json").read_text(encoding="utf-8"))
    kept = {piece: token_id for piece, token_id in vocab.items() if token_id < 600}
    write_json(path / "vocab.json", {**kept, END: 600})
    merges = (path / "merges.txt").read_text(encoding="utf-8").splitlines()
    fitting = [merge for merge in merges if merge.startswith("#version") or merge.replace(" ", "") in kept]
    (path / "merges.txt").write_text("\n".join(fitting) + "\n", encoding="utf-8")
    times = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
    flags = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    added = [{"content": token, **flags, "special": True} for token in SPECIAL]
    added += [{"content": token, **flags, "special": False} for token in times]
    write_json(
        path / "tokenizer_config.json",
        {
            "tokenizer_class": "WhisperTokenizer",
            "pad_token": END,
            "additional_special_tokens": [END, *SPECIAL],
            "added_tokens_decoder": {str(601 + number): token for number, token in enumerate(added)},
        },
    )
    return path


@pytest.fixture(scope="module")
def both(folder: Path, incumbent: ModuleType) -> tuple[Any, Any]:
    return AutoTokenizer.from_pretrained(folder), incumbent.AutoTokenizer.from_pretrained(str(folder))


NAMES: list[dict[str, Any]] = [
    {},
    {"language": "ko", "task": "transcribe"},
    {"language": "Korean", "task": "translate", "predict_timestamps": True},
    {"language": "mandarin"},
    {"language": "haitian creole", "task": "transcribe"},
    {"language": "yue", "predict_timestamps": True},
]


@pytest.mark.parametrize("names", NAMES)
def test_texts_begin_with_what_is_to_be_done(
    folder: Path, incumbent: ModuleType, tmp_path: Path, names: dict[str, Any]
) -> None:
    ours = AutoTokenizer.from_pretrained(folder, **names)
    theirs = incumbent.AutoTokenizer.from_pretrained(str(folder), **names)
    ours.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    as_theirs = incumbent.AutoTokenizer.from_pretrained(str(tmp_path))
    assert type(ours) is WhisperTokenizer and type(as_theirs).__name__ == "WhisperTokenizer"
    lines = LINES[::4]
    for other in (theirs, again, as_theirs):
        assert ours.prefix_tokens == other.prefix_tokens
        assert ours(lines)["input_ids"] == other(lines)["input_ids"]
        pair, expected = (tokenizer("하나", "둘", return_token_type_ids=True) for tokenizer in (ours, other))
        assert dict(pair) == dict(expected)
    assert ours.get_decoder_prompt_ids(task="translate", language="en") == theirs.get_decoder_prompt_ids(
        task="translate", language="en"
    )
    assert ours("가")["input_ids"] == theirs("가")["input_ids"], "the names stay set"
    ids = ours("가나", add_special_tokens=False)["input_ids"]
    assert ours.build_inputs_with_special_tokens(ids) == theirs.build_inputs_with_special_tokens(ids)
    assert ours.get_special_tokens_mask(ids) == theirs.get_special_tokens_mask(ids)


def test_unknown_names_are_refused_and_change_nothing(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder, language="ko", task="transcribe")
    before = tokenizer.prefix_tokens
    for names, words in (
        ({"language": "klingon"}, "'klingon' is unknown.*korean"),
        ({"language": "xx"}, "'xx' is unknown.*, ko,"),
        ({"task": "sing"}, "'sing' is unknown: use 'transcribe' or 'translate'"),
    ):
        with pytest.raises(ValueError, match=words):
            tokenizer.set_prefix_tokens(**names)
        assert tokenizer.prefix_tokens == before
    assert set(TO_LANGUAGE_CODE.values()) == set(LANGUAGES)


def test_tokens_that_a_prefix_needs_are_not_made_up(folder: Path, tmp_path: Path) -> None:
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(ValueError, match=r"<\|startoftranscript\|>.*added_tokens\.json"):
        WhisperTokenizer.from_pretrained(tmp_path)


def _spoken(seed: int, ids: list[int]) -> list[int]:
    """Windows of speech as the model writes them: a time, a text, a time, and so on; sometimes cut short."""
    choose = random.Random(seed)
    row: list[int] = choose.choice([[], [FIRST - len(SPECIAL), FIRST - 1], [FIRST - len(SPECIAL), 606, FIRST - 5]])
    for _ in range(choose.randint(1, 3)):
        time = choose.randint(0, 40)
        for _ in range(choose.randint(1, 3)):
            end = min(1500, time + choose.randint(0, 300))
            row = [*row, FIRST + time, *choose.choices(ids, k=choose.randint(0, 4)), FIRST + end]
            time = end + choose.choice([0, 0, 25])
        if choose.random() < 0.5:
            row = row[:-1]  # a window that ends within speech
        elif choose.random() < 0.3:
            row = [*row, FIRST + min(1500, time)]
    return [*row, 600] if choose.random() < 0.7 else row


def test_times_are_decoded_as_the_incumbent_does(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    ids = ours("이 영화는 정말 최고예요!", add_special_tokens=False)["input_ids"]
    rows = [_spoken(seed, ids) for seed in range(60)]
    for row, skip in itertools.product(rows, (False, True)):
        for options in ({}, {"decode_with_timestamps": True}, {"time_precision": 0.04, "decode_with_timestamps": True}):
            assert ours.decode(row, skip, **options) == theirs.decode(row, skip_special_tokens=skip, **options)
        result = ours.decode(row, skip, output_offsets=True)
        assert result == theirs.decode(row, skip_special_tokens=skip, output_offsets=True)
    assert any(ours.decode(row, output_offsets=True)["offsets"] for row in rows)
    assert ours.decode([FIRST, *ids, FIRST + 60], decode_with_timestamps=True) == (
        "<|0.00|>이 영화는 정말 최고예요!<|1.20|>"
    )


def test_batches_are_decoded_row_by_row(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    rows = [_spoken(seed, [5, 300, 400]) for seed in range(20)]
    assert ours.batch_decode(rows, skip_special_tokens=True) == theirs.batch_decode(rows, skip_special_tokens=True)
    for options in ({"decode_with_timestamps": True}, {"output_offsets": True}, {"basic_normalize": True}):
        expected = [theirs.decode(row, **options) for row in rows]
        assert ours.batch_decode(rows, **options) == ours.decode(rows, **options) == expected
    assert ours.decode(np.array(rows[0]), output_offsets=True) == theirs.decode(rows[0], output_offsets=True)


def test_a_prompt_is_cut_off_where_special_tokens_are_skipped(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    prompt = ours.get_prompt_ids("나비 효과").tolist()
    assert prompt == theirs.get_prompt_ids("나비 효과").tolist()
    row = [*prompt, *ours("최고예요")["input_ids"]]
    assert ours.decode(row, skip_special_tokens=True) == theirs.decode(row, skip_special_tokens=True) == "최고예요"
    assert ours.decode(prompt, skip_special_tokens=True) == theirs.decode(prompt, skip_special_tokens=True) == ""
    for token in ("<|notimestamps|>", "<|0.40|>"):
        for tokenizer in both:
            with pytest.raises(ValueError) as caught:
                tokenizer.get_prompt_ids(f"끝 {token}")
            assert token in str(caught.value)


def test_transcripts_are_normalized_as_the_incumbent_does(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    for line in [*LINES, "(웃음) [음악] <노래> Straße, ŒUVRE & naïve — 3.5%!  안녕", "(()) [x>"]:
        assert ours.basic_normalize(line) == theirs.basic_normalize(line)
    for line in ("naïve Straße Œuvre łódź Þór", "(a) Ångström!"):
        assert ours.basic_normalize(line, True) == theirs.basic_normalize(line, remove_diacritics=True)
    row = ours("Hello, World!")["input_ids"]
    assert ours.decode(row, basic_normalize=True) == theirs.decode(row, basic_normalize=True)
    with pytest.raises(NotImplementedError, match="basic_normalize"):
        ours.decode(row, normalize=True)


def test_hangul_stays_whole_where_diacritics_are_removed(both: tuple[Any, Any]) -> None:
    """The incumbent, and OpenAI's code before it, leave Hangul in pieces: its syllables become jamo, and stay so."""
    ours, theirs = both
    assert theirs.basic_normalize("한글 café", remove_diacritics=True) == "\u1112\u1161\u11ab\u1100\u1173\u11af cafe"
    assert ours.basic_normalize("한글 café", remove_diacritics=True) == "한글 cafe"


def test_times_are_known_though_no_special_token_is_listed(folder: Path, incumbent: ModuleType, tmp_path: Path) -> None:
    """The incumbent takes the last special token's id for the one before <|0.00|>, whichever token that is."""
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    config = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    config["additional_special_tokens"].reverse()
    write_json(tmp_path / "tokenizer_config.json", config)
    row = [FIRST, *AutoTokenizer.from_pretrained(folder)("나비", add_special_tokens=False)["input_ids"], FIRST + 50]
    wanted = "<|0.00|>나비<|1.00|>"
    assert AutoTokenizer.from_pretrained(tmp_path).decode(row, decode_with_timestamps=True) == wanted
    assert incumbent.AutoTokenizer.from_pretrained(str(tmp_path)).decode(row, decode_with_timestamps=True) != wanted
