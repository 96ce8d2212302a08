"""The parity table: every family beside transformers, on the tiny random models of the parity suite.

    python -m benchmarks.parity                          # print it
    python -m benchmarks.parity --write docs/parity.md   # and put it into the docs
    python -m benchmarks.parity bert llama               # these families only

Run it at the root of the repository, with the test extra installed. A model has every parameter moved off its initial
value. The difference is the largest one between any two numbers of the first output (logits, scores, hidden states) at
real tokens, over all heads and configurations of a family; in bfloat16 both sides compute with rounded weights, so that
it says how far two orders of the same sums drift apart. Greedy tokens: texts are continued step by step with the cache.
"""

from __future__ import annotations

import argparse
import ast
import copy
import statistics
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nabi.models import FAMILIES
from tests.parity.cases import CASES, Case
from tests.parity.pairs import pair, real_positions

ROOT = Path(__file__).resolve().parent.parent
MODELS, ENGINE = ROOT / "src/nabi/models", ROOT / "src/nabi/nn"
NEW_TOKENS = 20
JOINED = ("encoder_decoder", "vision_encoder_decoder")  # whose Model has a vocabulary
HIDDEN = 1e5  # what some heads put where no answer may be; a rounded one is far from another

NOT_COVERED = """
Not covered by this table: published checkpoints (no network where it was made; their names, old layouts and
configurations are tested from what is known of them), GPUs, float16, long texts, and families whose numbers come from a
random choice in training. Tiny models round less than large ones. A family without a row of its own has no counterpart
in transformers.
"""


def lines_of(place: Path) -> tuple[int, int]:
    """All lines of a file or folder, and those that hold code: no blank ones, comments and docstrings."""
    lines = code = 0
    for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
        text = file.read_text(encoding="utf-8").splitlines()
        lines += len(text)
        prose = {number for node in ast.walk(ast.parse("\n".join(text))) for number in docstring_lines(node)}
        code += sum(
            number not in prose and bool(line.strip()) and not line.lstrip().startswith("#")
            for number, line in enumerate(text, start=1)
        )
    return lines, code


def docstring_lines(node: ast.AST) -> range:
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(node):
        first = node.body[0]
        return range(first.lineno, (first.end_lineno or first.lineno) + 1)
    return range(0)


def family_lines(family: str) -> tuple[int, int]:
    return lines_of(MODELS / f"{family}.py")


def first_tensor(value: Any) -> Tensor:
    return first_tensor(value[0]) if isinstance(value, (tuple, list)) else value


def difference(case: Case, head: str, dtype: torch.dtype) -> float | None:
    """The largest difference of the first output, on the batch that the suite reads."""
    oracle, model, _ = pair(case, head)
    if dtype != torch.float32:
        oracle, model = copy.deepcopy(oracle).to(dtype), copy.deepcopy(model).to(dtype)
    inputs = case.inputs(head)
    cast = {k: v.to(dtype) if torch.is_tensor(v) and v.is_floating_point() else v for k, v in inputs.items()}
    with torch.no_grad():
        ours = first_tensor(model(**cast)[0])
        try:
            theirs = first_tensor(oracle(**cast)[0])
        except RuntimeError:
            if dtype == torch.float32:
                raise
            return None  # some of the incumbent's models mix dtypes, and do not run
    a, b = (real_positions(case, inputs, value).double() for value in (ours, theirs))
    told = b.abs() < HIDDEN
    return (a - b)[told].abs().max().item() if told.any() else 0.0


def continued(model: Any, inputs: dict[str, Any], key: str) -> Tensor:
    """The most likely next tokens, one after another: (batch, NEW_TOKENS)."""
    inputs, tokens = {**inputs}, list[Tensor]()
    if hasattr(model.config, "output_router_logits"):
        inputs["output_router_logits"] = False  # the incumbent cannot balance a second step
    for _ in range(NEW_TOKENS):
        with torch.no_grad():
            out = model(**inputs, use_cache=True)
        tokens.append(out.logits[:, -1].argmax(-1))
        inputs.pop("pixel_values" if key == "input_ids" else "", None)  # among the words, and read already
        inputs.update({"past_key_values": out.past_key_values, key: tokens[-1][:, None]})
        if key == "input_ids" and "attention_mask" in inputs:
            mask = inputs["attention_mask"]
            inputs["attention_mask"] = torch.cat((mask, torch.ones_like(mask[:, :1])), dim=1)
    return torch.stack(tokens, dim=1)


def equal_tokens(case: Case, head: str) -> tuple[int, int]:
    """How many greedy tokens agree, of how many. Short texts, so that none runs into the end of the positions."""
    oracle, model, _ = pair(case, head)
    inputs = case.inputs(head, "left" if "left" in case.sides else "right")
    key = "decoder_input_ids" if "decoder_input_ids" in inputs else "input_ids"
    keep = 2 if case.longest is None or case.longest > NEW_TOKENS + 2 else 1
    pictures_inside = key == "input_ids" and "pixel_values" in inputs
    inputs[key] = inputs[key] if pictures_inside else inputs[key][:, -keep:]
    if key == "input_ids" and "attention_mask" in inputs:
        inputs["attention_mask"] = torch.ones_like(inputs[key])
    theirs, ours = continued(oracle, inputs, key), continued(model, inputs, key)
    return int((theirs == ours).sum()), theirs.numel()


def writes(case: Case, head: str) -> bool:
    """Whether this head continues a text, and has a cache for it. (XLNet's is of another kind.)"""
    names = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "MTModel", "Model")
    growing = (case.keys.get("rope_scaling") or {}).get("rope_type") in ("dynamic", "longrope")
    cached = case.decodes(head) or case.family == "llava"  # whose cached steps have a test of their own
    return head in names and cached and not growing and (head != "Model" or case.family in JOINED)


def row(family: str) -> str:
    cases = [case for case in CASES if case.family == family]
    pairs = [(case, head) for case in cases for head in case.heads]
    exact, rounded = (
        [found for each in pairs if (found := difference(*each, dtype)) is not None]
        for dtype in (torch.float32, torch.bfloat16)
    )
    counts = [equal_tokens(*each) for each in pairs if writes(*each)]
    greedy = f"{sum(same for same, _ in counts)} of {sum(total for _, total in counts)}" if counts else "–"
    drift = f"{max(rounded):.0e}" if rounded else "–"
    heads = len({head for _, head in pairs})
    lines, code = family_lines(family)
    return f"| `{family}` | {heads} | {len(cases)} | {max(exact):.0e} | {drift} | {greedy} | {lines} | {code} |"


def table(families: list[str]) -> str:
    lines = [
        "| family | heads | configurations | max difference, float32 | bfloat16 | greedy tokens equal | lines | code |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for family in families:
        lines.append(row(family))
        print(lines[-1], flush=True)
    medians = [statistics.median_high(sizes) for sizes in zip(*map(family_lines, FAMILIES), strict=True)]
    counts = (lines_of(ENGINE), lines_of(MODELS / "parts"), medians)
    engine, parts, family = (f"{total:,} lines, {code:,} of them code" for total, code in counts)
    lines += [
        "",
        f"The engine (`nn/`) has {engine}; what a few families share (`models/parts/`) {parts}; a family's file "
        f"{family} (median). The other lines are blank, comments or docstrings. A dash: the family writes no text, or "
        "the incumbent's model does not run in bfloat16.",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("families", nargs="*", help="model types; all that have a counterpart if left out")
    parser.add_argument("--write", type=Path, help="a Markdown file for the table")
    args = parser.parse_args()
    known = {case.family for case in CASES}
    unknown = set(args.families) - known
    if unknown:
        parser.error(f"no cases of {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    made = table(args.families or sorted(known))
    if args.write:
        intro = (
            "# Parity\n\nMade by `python -m benchmarks.parity --write docs/parity.md`.\n\n"
            + (__doc__ or "").split("\n\n", 2)[2]
        )
        args.write.write_text(f"{intro}\n{made}\n{NOT_COVERED}", encoding="utf-8")
    else:
        print("\n".join(made.splitlines()[-2:]))


if __name__ == "__main__":
    main()
