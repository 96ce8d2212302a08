"""Exact match and F1 of SQuAD's official script (arXiv:1606.05250, arXiv:1806.03822), piece by piece."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ...training.metrics.answers import f1_or_both_empty
from ...training.metrics.answers import plain as normalize_answer


def get_tokens(s: str) -> list[str]:
    return normalize_answer(s).split() if s else []


def compute_exact(a_gold: str, a_pred: str) -> int:
    return int(normalize_answer(a_gold) == normalize_answer(a_pred))


def compute_f1(a_gold: str, a_pred: str) -> float:
    return f1_or_both_empty(get_tokens(a_gold), get_tokens(a_pred))


def get_raw_scores(examples: list[Any], preds: dict[str, str]) -> tuple[dict[str, int], dict[str, float]]:
    """Exact match and F1 of each question (SquadExample) that is in preds, id -> text; against its best answer."""
    exact, f1 = {}, {}
    for example in examples:
        if example.qas_id not in preds:
            continue
        golds = [answer["text"] for answer in example.answers if normalize_answer(answer["text"])] or [""]
        text = preds[example.qas_id]
        exact[example.qas_id] = max(compute_exact(gold, text) for gold in golds)
        f1[example.qas_id] = max(compute_f1(gold, text) for gold in golds)
    return exact, f1


def apply_no_ans_threshold(
    scores: dict[str, Any], na_probs: dict[str, float], qid_to_has_ans: dict[str, bool], na_prob_thresh: float
) -> dict[str, float]:
    """Scores if questions above the threshold count as left without an answer."""
    return {
        qid: float(not qid_to_has_ans[qid]) if na_probs[qid] > na_prob_thresh else score
        for qid, score in scores.items()
    }


def make_eval_dict(
    exact_scores: dict[str, Any], f1_scores: dict[str, Any], qid_list: Any = None
) -> OrderedDict[str, Any]:
    """Percentages over all questions, or over those listed."""
    chosen = list(exact_scores if qid_list is None else qid_list)
    sums = [100.0 * sum(scores[qid] for qid in chosen) / len(chosen) for scores in (exact_scores, f1_scores)]
    return OrderedDict(exact=sums[0], f1=sums[1], total=len(chosen))


def merge_eval(main_eval: dict[str, Any], new_eval: dict[str, Any], prefix: str) -> None:
    main_eval.update({f"{prefix}_{name}": value for name, value in new_eval.items()})


def find_best_thresh(
    preds: dict[str, str], scores: dict[str, float], na_probs: dict[str, float], qid_to_has_ans: dict[str, bool]
) -> tuple[float, float]:
    """The best percentage that a threshold gives, and the threshold."""
    score = best = float(sum(not has for has in qid_to_has_ans.values()))
    threshold = 0.0
    for qid in sorted(na_probs, key=lambda qid: na_probs[qid]):
        if qid not in scores:
            continue
        score += scores[qid] if qid_to_has_ans[qid] else -1 if preds[qid] else 0
        if score > best:
            best, threshold = score, na_probs[qid]
    return 100.0 * best / len(scores), threshold


def find_all_best_thresh(
    main_eval: dict[str, Any],
    preds: dict[str, str],
    exact_raw: dict[str, Any],
    f1_raw: dict[str, Any],
    na_probs: dict[str, float],
    qid_to_has_ans: dict[str, bool],
) -> None:
    for name, raw in (("exact", exact_raw), ("f1", f1_raw)):
        best, threshold = find_best_thresh(preds, raw, na_probs, qid_to_has_ans)
        main_eval.update({f"best_{name}": best, f"best_{name}_thresh": threshold})


def squad_evaluate(
    examples: list[Any],
    preds: dict[str, str],
    no_answer_probs: dict[str, float] | None = None,
    no_answer_probability_threshold: float = 1.0,
) -> OrderedDict[str, Any]:
    """Exact match and F1 in percent, for questions with and without answer too; with probabilities, best thresholds."""
    answerable = {example.qas_id: bool(example.answers) for example in examples}
    probabilities = no_answer_probs if no_answer_probs is not None else dict.fromkeys(preds, 0.0)
    exact, f1 = get_raw_scores(examples, preds)
    threshold = no_answer_probability_threshold
    exact_cut = apply_no_ans_threshold(exact, probabilities, answerable, threshold)
    f1_cut = apply_no_ans_threshold(f1, probabilities, answerable, threshold)
    found = make_eval_dict(exact_cut, f1_cut)
    for prefix, wanted in (("HasAns", True), ("NoAns", False)):
        if chosen := [qid for qid, has in answerable.items() if has is wanted]:
            merge_eval(found, make_eval_dict(exact_cut, f1_cut, chosen), prefix)
    if no_answer_probs is not None:
        find_all_best_thresh(found, preds, exact, f1, no_answer_probs, answerable)
    return found
