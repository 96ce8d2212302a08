"""Every family that writes texts writes the same ones with drafts, or says why it cannot."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ..parity.cases import Case
from ..parity.pairs import pair
from ..parity.test_generation import WRITERS, prompt
from .test_assisted import LOOKUP, almost

CANNOT_GO_BACK = ("xlm", "xlm-causal", "xlnet")


@pytest.mark.parametrize("help", ["assistant", "lookup"])
@pytest.mark.parametrize(("case", "head"), WRITERS, ids=[f"{case.name}-{head}" for case, head in WRITERS])
def test_a_family_writes_the_same_with_drafts(case: Case, head: str, help: str) -> None:
    model = pair(case, head)[1]
    inputs: dict[str, Any] = {
        name: value[:1] if isinstance(value, torch.Tensor) else value for name, value in prompt(case, head).items()
    }
    inputs["max_new_tokens"] = 8
    if model.config.is_encoder_decoder:
        inputs["decoder_start_token_id"] = 2
    if getattr(model.config, "output_router_logits", False):
        inputs["output_router_logits"] = False
    given = {"assistant_model": almost(model)} if help == "assistant" else LOOKUP
    both_ways = case.kind == "encoder" and not case.keys.get("is_decoder")
    if case.name in CANNOT_GO_BACK or both_ways:
        with pytest.raises(ValueError, match=r"cannot go back|in both directions"):
            model.generate(**inputs, **given)
    else:
        assert model.generate(**inputs, **given).tolist() == model.generate(**inputs).tolist()
