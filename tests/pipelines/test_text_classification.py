"""Text classification beside the incumbent's, on tiny random models."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import nabi
from nabi import pipeline
from nabi.embedded import SENTIMENT

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] good bad film movie the is very not I like it 영화 최고 지루 했어요 !".split()
TEXTS = [
    "good film",
    "the bad movie is very very not good",
    "I like it",
    "",
    "영화 최고 !",
    "good " * 20,
    "지루 했어요",
]
POSITIONS = 40


def save_tokenizer(folder: Path, **options: Any) -> None:
    words = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, **names, **options).save_pretrained(folder)


def save_model(folder: Path, **config: Any) -> Path:
    """A tiny random BERT classifier with every parameter moved, and its tokenizer."""
    torch.manual_seed(7)
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=POSITIONS,
            **config,
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    model.save_pretrained(folder)
    save_tokenizer(folder, model_max_length=POSITIONS)
    return folder


KINDS: dict[str, dict[str, Any]] = {
    "single label": {"num_labels": 3, "id2label": {0: "bad", 1: "so-so", 2: "good"}},
    "multi label": {"num_labels": 4, "problem_type": "multi_label_classification"},
    "one label": {"num_labels": 1},
    "regression": {"num_labels": 1, "problem_type": "regression"},
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are quicker so."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=KINDS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = save_model(tmp_path_factory.mktemp("model"), **KINDS[request.param])
    theirs = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    return pipeline("text-classification", model=folder, device="cpu"), theirs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"), **KINDS["single label"])


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return pipeline("sentiment-analysis", model=folder, device="cpu")


def assert_same(ours: Any, theirs: Any) -> None:
    """Equal shapes, labels and order; scores to 1e-5."""
    assert type(ours) is type(theirs)
    if isinstance(ours, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert list(ours) == ["label", "score"]
        assert ours["label"] == theirs["label"]
        assert ours["score"] == pytest.approx(theirs["score"], abs=1e-5)


INPUTS: dict[str, Any] = {
    "one string": "good film",
    "the empty string": "",
    "a list": TEXTS,
    "a list of one": ["bad movie"],
    "a pair": {"text": "good film", "text_pair": "bad movie"},
    "pairs": [{"text": "good", "text_pair": "bad film"}, {"text": "I like it", "text_pair": "the movie"}],
    "a mapping with a text": {"text": "good"},
    "the old nested pair": [[["good film", "bad movie"]]],
}


@pytest.mark.parametrize("given_inputs", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("call", [{}, {"top_k": None}, {"top_k": 1}, {"top_k": 2}, {"top_k": 99}], ids=str)
def test_every_input_form_gives_what_the_incumbent_gives(both: Any, given_inputs: Any, call: dict[str, Any]) -> None:
    ours, theirs = both
    assert_same(ours(given_inputs, **call), theirs(given_inputs, **call))


@pytest.mark.parametrize("function", ["sigmoid", "softmax", "none", "SoftMax"])
def test_function_to_apply_is_obeyed(both: Any, function: str) -> None:
    ours, theirs = both
    call = {"top_k": None, "function_to_apply": function}
    assert_same(ours(TEXTS, **call), theirs(TEXTS, **call))


@pytest.mark.parametrize("settings_", [{"top_k": None}, {"top_k": 1}, {"top_k": 2, "function_to_apply": "sigmoid"}])
def test_settings_of_the_constructor_shape_every_call(folder: Path, settings_: dict[str, Any]) -> None:
    ours = pipeline("text-classification", model=folder, device="cpu", **settings_)
    theirs = transformers.pipeline("text-classification", model=str(folder), device="cpu", **settings_)
    for inputs in ("good film", TEXTS, {"text": "good"}):
        assert_same(ours(inputs), theirs(inputs))
        assert_same(ours(inputs, top_k=1), theirs(inputs, top_k=1))


def test_the_old_return_all_scores_gives_v4s_shapes(pipe: Any) -> None:
    # v4: all labels in their own order, and one string still in a list of its own.
    everything = pipe("good film", return_all_scores=True)
    assert [one["label"] for one in everything[0]] == ["bad", "so-so", "good"]
    assert sum(one["score"] for one in everything[0]) == pytest.approx(1)
    assert len(pipe(TEXTS, return_all_scores=True)) == len(TEXTS)
    assert pipe("good film", return_all_scores=False) == pipe("good film")


@pytest.mark.parametrize(
    "tokenizer_settings", [{"truncation": True, "max_length": 4}, {"padding": "max_length"}], ids=str
)
def test_settings_of_the_tokenizer_reach_it(both: Any, tokenizer_settings: dict[str, Any]) -> None:
    ours, theirs = both
    assert_same(ours(TEXTS, **tokenizer_settings), theirs(TEXTS, **tokenizer_settings))


# ---------------------------------------------------------------- batches


@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS[5:]), max_size=30).map(" ".join), min_size=1, max_size=12),
    batch_size=st.integers(1, 9),
)
@settings(max_examples=25, deadline=None)
def test_a_result_depends_on_neither_neighbours_nor_batch_size(pipe: Any, texts: list[str], batch_size: int) -> None:
    together = pipe(texts, batch_size=batch_size, top_k=None)
    for text, result in zip(texts, together, strict=True):
        for one, other in zip(result, pipe(text, top_k=None), strict=True):
            assert one["label"] == other["label"]
            assert one["score"] == pytest.approx(other["score"], abs=1e-6)


def test_batches_are_formed_by_length_and_results_keep_their_order(folder: Path) -> None:
    pipe = pipeline("sentiment-analysis", model=folder, device="cpu", batch_size=8)
    shapes: list[tuple[int, ...]] = []
    inner = pipe._forward

    def watched(model_inputs: dict[str, Any], **kwargs: Any) -> Any:
        shapes.append(tuple(model_inputs["input_ids"].shape))
        return inner(model_inputs, **kwargs)

    pipe._forward = watched
    texts = ["good " * n for n in range(1, 33)]
    random.Random(3).shuffle(texts)
    results = pipe(texts)
    assert shapes == [(8, 34), (8, 26), (8, 18), (8, 10)]  # longest first, each batch as wide as its longest
    assert [one["score"] for one in results] == pytest.approx([pipe(text)[0]["score"] for text in texts], abs=1e-6)


def test_a_tokenizer_that_pads_before_the_text_changes_no_result() -> None:
    left = pipeline("sentiment-analysis", model=SENTIMENT, device="cpu")
    left.tokenizer.padding_side = "left"
    texts = ["good", "이 영화는 정말 최고예요! 배우들의 연기도 음악도 훌륭했습니다.", "지루했다"]
    for text, together in zip(texts, left(texts, batch_size=3), strict=True):
        assert together["score"] == pytest.approx(left(text)[0]["score"], abs=1e-5)


def test_without_a_padding_token_texts_run_one_by_one(folder: Path, pipe: Any) -> None:
    bare = pipeline("sentiment-analysis", model=folder, device="cpu", batch_size=4)
    bare.tokenizer.pad_token = None
    assert_same(bare(TEXTS), [pipe(text)[0] for text in TEXTS])


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, "8"])
def test_an_impossible_batch_size_is_refused(folder: Path, pipe: Any, batch_size: Any) -> None:
    with pytest.raises(ValueError, match=f"batch_size is {batch_size!r}"):
        pipe(TEXTS, batch_size=batch_size)


# ---------------------------------------------------------------- sources of many


class Rows:
    """A map-style dataset: a length, and items by number."""

    def __len__(self) -> int:
        return len(TEXTS)

    def __getitem__(self, i: int) -> str:
        return TEXTS[i]


def test_generators_and_datasets_give_iterators_with_equal_results(pipe: Any) -> None:
    expected = pipe(TEXTS)
    for inputs in ((text for text in TEXTS), iter(TEXTS), Rows(), dict.fromkeys(TEXTS).keys()):
        results = pipe(inputs)
        assert isinstance(results, Iterator)
        assert_same(list(results), expected)
    assert len(pipe(Rows())) == len(TEXTS)


def test_an_endless_source_is_read_only_as_far_as_needed(pipe: Any) -> None:
    read = itertools.count()
    results = pipe("good film" if next(read) % 2 else "bad movie" for _ in itertools.count())
    first = [next(results) for _ in range(3)]
    assert next(read) <= 2 * 3 + 2
    assert_same([first[0]], [first[2]])
    assert first[0]["score"] != pytest.approx(first[1]["score"])


def test_batch_size_one_reads_one_at_a_time(pipe: Any) -> None:
    read: list[str] = []
    results = pipe((read.append(text) or text for text in TEXTS * 5), batch_size=1)
    for count in range(1, 20):
        next(results)
        assert len(read) == count


def test_a_column_of_numpy_or_pandas_is_a_list(pipe: Any) -> None:
    import numpy

    for column in (numpy.array(TEXTS), tuple(TEXTS)):
        assert_same(pipe(column), pipe(TEXTS))


def test_a_source_that_fails_gives_first_what_it_had(pipe: Any) -> None:
    def source() -> Iterator[str]:
        yield from TEXTS
        raise RuntimeError("the disk is gone")

    results = pipe(source())
    assert [next(results)["label"] for _ in TEXTS] == [one["label"] for one in pipe(TEXTS)]
    with pytest.raises(RuntimeError, match=r"the disk is gone"):
        next(results)


def test_an_empty_list_and_an_empty_source_give_nothing(pipe: Any) -> None:
    assert pipe([]) == []
    assert list(pipe(iter([]))) == []


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "None is no text"),
        (3, "3 of the type int is no text"),
        (float("nan"), "nan .*pandas"),
        (b"good", "bytes object .decode it first"),
        ({"text_pair": "good"}, "'text' and perhaps 'text_pair'.*this one has .'text_pair'"),
        ({"text": "good", "label": 1}, "this one has .'text', 'label'"),
        ({"text": None}, "'text' is None"),
    ],
    ids=repr,
)
def test_what_is_no_text_is_one_clear_error(pipe: Any, bad: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        pipe(bad)
    with pytest.raises((TypeError, ValueError), match=f"input 1: .*{message}"):
        pipe(["good", bad, "film"])


def test_a_list_in_place_of_a_text_tells_how_to_write_a_pair(pipe: Any) -> None:
    with pytest.raises(ValueError, match=r'input 0: .*\{"text": …, "text_pair": …\}'):
        pipe([["good film", "bad movie"]])


def test_a_text_longer_than_the_positions_is_named_before_any_other_is_computed(pipe: Any) -> None:
    long = "good " * 50
    with pytest.raises(ValueError, match=r"the text has 52 tokens.* 40 positions.*truncation=True"):
        pipe(long)
    texts = ["good"] * 40 + [long] + ["bad"] * 40
    with pytest.raises(ValueError, match=r"input 40: the text has 52 tokens"):
        pipe(texts)
    assert len(pipe(texts, truncation=True)) == 81
    assert_same(pipe(long, truncation=True), pipe("good " * 38))


def test_truncation_falls_back_on_the_models_limit(folder: Path, pipe: Any) -> None:
    limitless = pipeline("sentiment-analysis", model=folder, device="cpu")
    limitless.tokenizer.model_max_length = 10**30
    assert_same(limitless("good " * 50, truncation=True), pipe("good " * 38))


@pytest.mark.parametrize("lazily", [False, True])
def test_on_error_return_puts_the_error_in_the_place_of_the_result(pipe: Any, lazily: bool) -> None:
    texts = ["good", None, "good " * 50, "bad movie", ""]
    results = list(pipe(iter(texts) if lazily else texts, on_error="return"))
    assert [type(one) for one in results] == [dict, TypeError, ValueError, dict, dict]
    assert str(results[1]).startswith("input 1: None is no text")
    assert str(results[2]).startswith("input 2: the text has 52 tokens")
    assert_same(results[3:], pipe(["bad movie", ""]))


def test_a_source_raises_at_the_bad_item_and_not_before(pipe: Any) -> None:
    results = pipe(iter(["good", "bad", None, "film"]))
    assert [next(results)["label"], next(results)["label"]] == [one["label"] for one in pipe(["good", "bad"])]
    with pytest.raises(TypeError, match=r"input 2: None"):
        next(results)


def test_a_misspelt_argument_is_named_with_the_right_one(folder: Path, pipe: Any) -> None:
    with pytest.raises(TypeError, match=r"no argument 'topk'.*'top_k'"):
        pipe("good", topk=2)
    with pytest.raises(TypeError, match=r"no argument 'truncate'.*'truncation'"):
        pipeline("text-classification", model=folder, truncate=True)
    with pytest.raises(ValueError, match=r"function_to_apply is 'relu'.*'sigmoid', 'softmax', 'none'"):
        pipe("good", function_to_apply="relu")
    for top_k in (0, -1, "all", True):
        with pytest.raises(ValueError, match=r"top_k is"):
            pipe("good", top_k=top_k)


# ---------------------------------------------------------------- the model


def test_dropout_is_off_while_it_runs_and_the_models_mode_is_kept(folder: Path, pipe: Any) -> None:
    model = nabi.AutoModelForSequenceClassification.from_pretrained(folder).train()
    training = nabi.TextClassificationPipeline(model=model, tokenizer=pipe.tokenizer, device="cpu")
    assert_same(training(TEXTS), pipe(TEXTS))
    assert model.training


def test_segment_ids_are_left_out_for_a_model_without_segments(tmp_path: Path) -> None:
    torch.manual_seed(1)
    sizes = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": POSITIONS}
    config = transformers.DistilBertConfig(vocab_size=len(WORDS), **sizes)
    model = transformers.DistilBertForSequenceClassification(config).eval()
    model.save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    pipe = pipeline("text-classification", model=tmp_path, device="cpu")
    inputs = pipe.tokenizer("good film", return_tensors="pt", return_token_type_ids=True)
    assert "token_type_ids" in inputs
    expected = model(inputs["input_ids"], inputs["attention_mask"]).logits.softmax(-1).max().item()
    assert pipe("good film", return_token_type_ids=True)[0]["score"] == pytest.approx(expected, abs=1e-5)


def test_a_model_without_a_classifier_is_refused_by_name(folder: Path, pipe: Any) -> None:
    for kind in (nabi.BertModel, nabi.BertForMaskedLM):
        body = kind.from_pretrained(folder)
        with pytest.raises(TypeError, match=f"{kind.__name__} gives no logits .*AutoModelForSequenceClassification"):
            nabi.TextClassificationPipeline(model=body, tokenizer=pipe.tokenizer, device="cpu")("good")


def test_a_saved_pipeline_loads_and_answers_the_same(tmp_path: Path, pipe: Any) -> None:
    pipe.save_pretrained(tmp_path)
    assert_same(pipeline("text-classification", model=tmp_path, device="cpu")(TEXTS), pipe(TEXTS))
