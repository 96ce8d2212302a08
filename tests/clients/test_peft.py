"""peft: LoRA on encoders and decoders (GPT-2's Conv1D among them), prompts, prefixes, IA3; by hand and by Trainer.

Where layers stand in another order in the tree, as Llama's up and gate do, the first half of a fresh adapter is drawn
with other numbers than there, whatever the seed. Its internals for tensor parallel models and for the weight
conversion of transformers 5 are not used: nabi says that it is version 4.
"""

from __future__ import annotations

import pytest

from .conftest import Both
from .same import assert_same

PROGRAMS = ["peft_decoder", "peft_encoder"]
pytestmark = [pytest.mark.clients, pytest.mark.slow, pytest.mark.xdist_group("clients")]


def test_an_encoders_adapter_is_trained_saved_loaded_and_merged(both: Both) -> None:
    found, expected = both("peft_encoder")
    assert_same(found, expected)
    assert found["losses"][-1] < found["losses"][0] / 2
    assert found["trained"] != found["switched_off"]
    for name in ("loaded", "merged", "again"):
        assert_same(found[name], found["trained"])
    assert found["checkpoint"] and not found["whole_model_in_checkpoint"]


def test_decoders_learn_and_write_the_same_with_adapters_of_each_kind(both: Both) -> None:
    found, expected = both("peft_decoder")
    assert_same(found, expected)
    assert found["gpt2 layer"] == "Conv1D"
    assert found["gpt2 writes"] == found["gpt2 reloaded writes"] == found["gpt2 merged writes"]
    assert found["t5 writes"] == found["t5 reloaded writes"]
    assert all(found[name][-1] < found[name][0] for name in found if name.endswith("losses"))
