"""Exact match and F1 as SQuAD's script counts them."""

from transformers.data.metrics.squad_metrics import compute_exact, compute_f1, normalize_answer

assert normalize_answer("The  King, of France!") == "king of france"
assert compute_exact("the king", "King.") == 1 and compute_exact("queen", "king") == 0
assert abs(compute_f1("the king of France", "king of Korea") - 2 / 3) < 1e-9
