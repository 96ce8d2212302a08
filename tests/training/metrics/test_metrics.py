"""Metrics by name: from the outputs of a model to the numbers of scikit-learn and scipy, and errors that help."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics as sklearn_metrics
from transformers import EvalPrediction as TheirPrediction

from nabi.training.metrics import METRICS, EvalPrediction, compute, metric

CHANCE = np.random.default_rng(3)
LOGITS, LABELS = CHANCE.normal(size=(40, 3)), CHANCE.integers(0, 3, 40)
TAGS = {0: "O", 1: "B-PS", 2: "I-PS"}


class Words:
    """A tokenizer whose token n is the word wn; 0 is padding, 1 ends a text."""

    pad_token_id = 0

    def batch_decode(self, rows: Any, skip_special_tokens: bool) -> list[str]:
        assert skip_special_tokens
        return [" ".join(f"w{one}" for one in row if one > 1) for row in rows]


def test_eval_prediction_is_unpacked_and_indexed_as_the_incumbents() -> None:
    for given in ((1, 2), (1, 2, 3), (1, 2, 3, 4), (1, 2, None, 4)):
        ours, theirs = EvalPrediction(*given), TheirPrediction(*given)
        assert list(ours) == list(theirs)
        assert ours[1] == theirs[1]
        assert (ours.predictions, ours.label_ids, ours.inputs, ours.losses) == (*given, None, None)[:4]


# ---------------------------------------------------------------- classes


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_scores_of_classes_are_those_of_scikit_learn(name: str, average: str) -> None:
    score = getattr(sklearn_metrics, f"{name}_score")
    expected = score(LABELS, LOGITS.argmax(-1), average=average)
    given = EvalPrediction(LOGITS, LABELS)
    assert metric(name, average=average)(given) == pytest.approx({name: expected})
    assert metric(f"{name}_{average}")(given) == pytest.approx({f"{name}_{average}": expected})


def test_accuracy_and_matthews_correlation() -> None:
    given = EvalPrediction((LOGITS, "hidden states"), LABELS)
    assert metric(["accuracy", "matthews_correlation"])(given) == pytest.approx(
        {
            "accuracy": sklearn_metrics.accuracy_score(LABELS, LOGITS.argmax(-1)),
            "matthews_correlation": sklearn_metrics.matthews_corrcoef(LABELS, LOGITS.argmax(-1)),
        }
    )


def test_without_an_average_two_classes_are_binary_and_more_are_macro_whichever_occur() -> None:
    few = LABELS < 2
    two = sklearn_metrics.f1_score(LABELS[few], LOGITS[few, :2].argmax(-1))
    assert metric("f1")(EvalPrediction(LOGITS[few, :2], LABELS[few]))["f1"] == pytest.approx(two)
    # A model of three classes stays one where the third does not occur.
    told, gold = [0, 1, 1, 0], [0, 1, 0, 0]
    logits = np.eye(3)[told]
    macro = sklearn_metrics.f1_score(gold, told, average="macro")
    assert macro != pytest.approx(sklearn_metrics.f1_score(gold, told))
    assert metric("f1")(EvalPrediction(logits, np.array(gold)))["f1"] == pytest.approx(macro)
    assert compute("f1", told, gold, id2label={"0": "a", "1": "b", "2": "c"})["f1"] == pytest.approx(macro)
    assert compute("f1", ["n", "y"], ["y", "y"], average="binary", pos_label="y")["f1"] == pytest.approx(2 / 3)


def test_several_labels_per_item_are_counted_where_the_logit_is_above_zero() -> None:
    gold = (CHANCE.random((40, 3)) < 0.5).astype(np.float32)
    told = LOGITS > 0
    assert metric(["accuracy", "f1", "f1_macro"])(EvalPrediction(LOGITS, gold)) == pytest.approx(
        {
            "accuracy": sklearn_metrics.accuracy_score(gold, told),
            "f1": sklearn_metrics.f1_score(gold, told, average="micro"),
            "f1_macro": sklearn_metrics.f1_score(gold, told, average="macro"),
        }
    )


def test_tokens_without_a_label_are_left_out_and_a_causal_model_is_measured_one_place_on() -> None:
    logits = np.eye(4)[[[1, 2, 3, 3], [0, 2, 2, 2]]]
    labels = np.array([[1, 2, 0, -100], [0, -100, -100, -100]])
    assert metric("accuracy")(EvalPrediction(logits, labels)) == {"accuracy": 3 / 4}
    assert metric("accuracy")(EvalPrediction(logits.argmax(-1), labels)) == {"accuracy": 3 / 4}
    causal = np.array([[9, 1, 2, 0], [9, 0, 2, -100]])
    assert metric("accuracy", causal=True)(EvalPrediction(logits, np.where(causal == 9, 3, causal))) == {
        "accuracy": 4 / 5
    }


def test_entities_are_read_through_the_names_of_tags() -> None:
    logits = np.eye(3)[[[1, 2, 0], [1, 0, 0]]]
    labels = np.array([[1, 2, -100], [0, 1, -100]])
    scores = metric("seqeval", id2label=TAGS)(EvalPrediction(logits, labels))
    assert scores == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "accuracy": 0.5}


# ---------------------------------------------------------------- numbers, texts, losses


def test_scores_of_numbers_are_those_of_scipy_and_scikit_learn() -> None:
    told, gold = LOGITS[:, :1], LOGITS[:, 1]
    assert metric(["mse", "mae", "pearson", "spearmanr"])(EvalPrediction(told, gold)) == pytest.approx(
        {
            "mse": sklearn_metrics.mean_squared_error(gold, told[:, 0]),
            "mae": sklearn_metrics.mean_absolute_error(gold, told[:, 0]),
            "pearson": stats.pearsonr(gold, told[:, 0])[0],
            "spearmanr": stats.spearmanr(gold, told[:, 0])[0],
        }
    )


def test_generated_ids_are_decoded_and_minus_100_is_no_token() -> None:
    told = np.array([[5, 6, 1, 0], [7, 1, -100, -100]])
    gold = np.array([[5, 6, 1, -100], [8, 1, -100, -100]])
    scores = metric(["exact_match", "rouge", "gen_len"], tokenizer=Words())(EvalPrediction(told, gold))
    assert scores["exact_match"] == scores["rouge1"] == 0.5
    assert scores["gen_len"] == 2.5


def test_perplexity_is_made_of_losses() -> None:
    both = metric(["perplexity", "accuracy"])
    assert both.include_for_metrics == ("loss",)
    assert both(EvalPrediction(LOGITS, LABELS, losses=np.array([1.0, 3.0])))["perplexity"] == pytest.approx(np.exp(2))
    assert compute("perplexity", losses=[1000.0]) == {"perplexity": np.inf}


# ---------------------------------------------------------------- the interface


def test_batches_of_tensors_give_what_one_evaluation_gives() -> None:
    names = ["accuracy", "f1"]
    whole = metric(names)(EvalPrediction(LOGITS, LABELS))
    batchwise = metric(names)
    for _ in range(2):  # after a result it begins anew
        for start in range(0, 40, 16):
            batch = EvalPrediction(*(torch.tensor(each[start : start + 16]) for each in (LOGITS, LABELS)))
            result = batchwise(batch, compute_result=start == 32)
            assert bool(result) == (start == 32)
        assert result == pytest.approx(whole)
    half = EvalPrediction(torch.tensor(LOGITS).bfloat16(), torch.tensor(LABELS))
    assert metric("accuracy")(half)["accuracy"] == pytest.approx(whole["accuracy"], abs=0.06)


def test_a_key_that_two_metrics_share_is_told_apart() -> None:
    answers = [{"id": 1, "prediction_text": "서울은"}], [{"id": 1, "answers": {"text": ["서울"]}}]
    assert compute(["squad", "korquad"], *answers) == pytest.approx(
        {"exact_match": 0, "f1": 0, "korquad_exact_match": 0, "korquad_f1": 80}
    )


def test_naming_and_calling_a_simple_metric_loads_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys; from nabi.training.metrics import compute, metric; metric('f1'); compute('accuracy', [1], [1]); "
        "print([name for name in ('torch', 'sklearn', 'scipy') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize("name", METRICS)
def test_every_name_has_its_function(name: str) -> None:
    assert list(metric(name).scorers) == [name]


@pytest.mark.parametrize(
    ("names", "options", "error", "message"),
    [
        ("acuracy", {}, ValueError, "no metric 'acuracy'; did you mean 'accuracy'"),
        ("f1", {"averge": "macro"}, TypeError, "no option 'averge'; did you mean 'average'"),
        ("f1_macro", {"average": "micro"}, TypeError, "f1_macro takes no option 'average'"),
        ([], {}, ValueError, "no metric is named"),
        ("f1", {"id2label": TAGS}, ValueError, "tags of entities: 'f1' of whole entities is given by 'seqeval'"),
    ],
)
def test_a_wrong_request_fails_before_anything_is_computed(
    names: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        metric(names, **options)


@pytest.mark.parametrize(
    ("name", "predictions", "labels", "message"),
    [
        ("accuracy", [0, 1, 2], [0, 1], r"shape \(3,\) do not fit labels of the shape \(2,\)"),
        ("accuracy", [], [], "nothing to measure"),
        ("accuracy", [0], None, "no labels to measure by"),
        ("accuracy", [0, 1], (np.zeros(2), np.zeros(2)), "labels are 2 arrays"),
        ("accuracy", [[0.1], [0.2]], [0, 1], "one number per item, and no classes"),
        ("accuracy", [0.3, 1.0], [0, 1], "the number 0.3, and no class"),
        ("accuracy", LOGITS[:2], ["a", "b"], "'a'.* is no class number: give labels as ids 0 to 2"),
        ("accuracy", LOGITS[:2], [0, 3], "the label 3 is outside of the model's 3 classes"),
        ("accuracy", LOGITS[:2], [-100, -100], "every label is -100"),
        ("accuracy", LOGITS[:2], [[0.0, 1.0, 0.5]] * 2, "each label is 0 or 1, but one is 0.5"),
        ("accuracy", [[0, 1], [0]], [0, 1], "predictions are rows of different lengths"),
        ("mse", LOGITS, LABELS, r"the shape \(40, 3\) and labels \(40,\)"),
        ("pearson", [1.0], [1.0], "two items or more"),
        ("seqeval", LOGITS[None], LABELS[None], "give id2label"),
        ("seqeval", None, None, "no predictions or no labels"),
        ("rouge", [[1, 2]], [[1, 2]], "give tokenizer"),
        ("rouge", "a", ["a"], "a list of texts is due"),
        ("rouge", ["a"], ["a", "b"], "1 predictions, but 2 references"),
        ("perplexity", LOGITS, LABELS, r'include_for_metrics=\["loss"\]'),
    ],
)
def test_what_does_not_fit_is_one_clear_error(name: str, predictions: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metric(name)(EvalPrediction(predictions, labels))


def test_logits_in_place_of_generated_text_are_refused() -> None:
    with pytest.raises(ValueError, match="set predict_with_generate=True"):
        metric("rouge", tokenizer=Words())(EvalPrediction(LOGITS[None], LABELS[None]))


def test_average_binary_of_three_classes_names_the_other_averages() -> None:
    with pytest.raises(ValueError, match=r"for two classes, but there are 0, 1, 2 .*average='macro'"):
        compute("f1", [0, 1, 2], [0, 1, 1], average="binary")
