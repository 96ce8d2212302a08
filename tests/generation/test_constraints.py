"""Constraints of one's own, what cannot be met, and what the old searches promise beside their texts."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

import nabi
from nabi.generation.constraints import Constraint, ConstraintListState, DisjunctiveConstraint, PhrasalConstraint

from .record_expectations import load, prompt


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@cache
def model_of(name: str, folders: Path) -> Any:
    torch.set_num_threads(1)
    return load(nabi, name, str(folders / name))


class Twice(Constraint):
    """A token that must come twice, with anything between."""

    seqlen = 2

    def __init__(self, token: int) -> None:
        self.token, self.left = token, 2
        super().__init__()
        self.reset()

    def advance(self) -> int | None:
        return self.token if self.left else None

    def does_advance(self, token_id: int) -> bool:
        return token_id == self.token and self.left > 0

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        helps = self.does_advance(token_id)
        self.left -= helps
        return helps, self.left == 0, False

    def reset(self) -> None:
        self.left = 2

    def remaining(self) -> int:
        return self.left

    def copy(self, stateful: bool = False) -> Twice:
        made = Twice(self.token)
        made.left = self.left if stateful else 2
        return made


def holds(text: list[int], phrase: list[int]) -> bool:
    return any(text[place : place + len(phrase)] == phrase for place in range(len(text)))


def test_a_constraint_of_ones_own_is_met_beside_phrases(folders: Path) -> None:
    model = model_of("gpt2", folders)
    settings = {"num_beams": 8, "max_new_tokens": 9, "constraints": [Twice(19)], "force_words_ids": [[9, 21]]}
    for text in model.generate(**prompt("gpt2"), **settings).tolist():  # what the prompt holds is there already
        assert text.count(19) >= 2 and holds(text, [9, 21])


def test_the_given_constraints_are_as_they_were_after_a_search(folders: Path) -> None:
    constraints = [PhrasalConstraint([9, 21]), DisjunctiveConstraint([[5, 6], [7]])]
    model_of("gpt2", folders).generate(**prompt("gpt2"), num_beams=3, max_new_tokens=6, constraints=constraints)
    assert len(constraints) == 2 and [each.remaining() for each in constraints] == [2, 2]


def test_a_phrase_goes_forward_and_begins_anew_when_broken() -> None:
    phrase = PhrasalConstraint([4, 5, 6])
    assert phrase.advance() == 4 and phrase.does_advance(4) and not phrase.does_advance(5)
    assert phrase.update(4) == (True, False, False) and phrase.remaining() == 2
    assert phrase.copy(stateful=True).advance() == 5 and phrase.copy().advance() == 4
    assert phrase.update(9) == (False, False, True) and phrase.advance() == 4
    assert [phrase.update(token) for token in (4, 5, 6)][-1] == (True, True, False)
    assert phrase.completed and phrase.advance() is None and phrase.remaining() == 0


def test_one_alternative_is_enough() -> None:
    either = DisjunctiveConstraint([[4, 5], [4, 6, 7], [8]])
    assert either.advance() == [4, 8] and either.remaining() == 3
    assert either.update(4) == (True, False, False) and either.advance() == [5, 6]
    assert either.update(5) == (True, True, False) and either.remaining() == 0 and either.advance() is None


def test_several_constraints_are_met_one_after_another() -> None:
    state = ConstraintListState([PhrasalConstraint([4, 5]), PhrasalConstraint([6])])
    assert state.advance() == [4, 6] and state.get_bank() == 0
    state.reset([4])
    assert state.advance() == [5] and state.get_bank() == 1
    state.reset([4, 5])
    assert state.advance() == [6] and state.get_bank() == 2 and not state.completed
    further = state.copy(stateful=True)
    assert further.add(6) == (True, True) and further.completed and not state.completed
    state.reset([4, 9, 4, 5, 6, 6])
    assert state.completed and state.advance() is None


def test_a_constraint_that_cannot_be_met_is_refused_when_made() -> None:
    class Stuck(Twice):
        def update(self, token_id: int) -> tuple[bool, bool, bool]:
            return True, False, False

    class Unhelped(Twice):
        def does_advance(self, token_id: int) -> bool:
            return False

    class Unfinished(Twice):
        def remaining(self) -> int:
            return 1

    for kind, why in ((Stuck, "still not completed"), (Unhelped, "it is no help"), (Unfinished, "remaining")):
        with pytest.raises(ValueError, match=f"{kind.__name__}.*{why}"):
            kind(4)
    with pytest.raises(TypeError, match="abstract"):
        Constraint()  # type: ignore[abstract]
    with pytest.raises(TypeError, match="token_id is '4'"):
        PhrasalConstraint([4]).update("4")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"force_words_ids": 5}, "force_words_ids is 5; expected a list of phrases"),
        ({"force_words_ids": [[]]}, r"force_words_ids\[0\] is \[\]; expected a list of at least one"),
        ({"force_words_ids": [[5], [[]]]}, r"force_words_ids\[1\]\[0\] is \[\]"),
        ({"force_words_ids": [[5], "six"]}, r"force_words_ids\[1\] is 'six'"),
        ({"force_words_ids": [[5, -1]]}, r"force_words_ids\[0\] is \[5, -1\]"),
        ({"force_words_ids": [[5, 48]]}, "the id 48 is forced .* the model knows 0 to 47"),
        ({"force_words_ids": [[[5, 6], [7, 99]]]}, "the id 99"),
        ({"force_words_ids": [[[5, 6], [5]]]}, r"the alternatives \[5, 6\] and \[5\]|\[5\] and \[5, 6\]"),
        ({"force_words_ids": [[[5, 6], [5, 6]]]}, "the one begins the other"),
        ({"force_words_ids": [[5, 6, 7], [8, 9]]}, "come to 5 tokens, but max_new_tokens is 4: pass max_new_tokens=5"),
        ({"constraints": [PhrasalConstraint([48])]}, "the id 48"),
        ({"constraints": [[5, 6]]}, r"constraints\[0\] is a list; expected a Constraint"),
        ({"force_words_ids": [[5]], "num_beams": 1}, "num_beams=2 or more"),
    ],
    ids=lambda each: str(each)[:50],
)
def test_what_cannot_be_forced_is_refused_by_name(given: dict[str, Any], message: str, folders: Path) -> None:
    with pytest.raises(ValueError, match=message):
        model_of("gpt2", folders).generate(**{**prompt("gpt2"), "num_beams": 3, "max_new_tokens": 4, **given})


def test_alternatives_need_only_the_room_of_the_shortest(folders: Path) -> None:
    settings = {"num_beams": 3, "max_new_tokens": 3, "force_words_ids": [[[5, 6, 7, 8], [9]], [21, 22]]}
    for text in model_of("gpt2", folders).generate(**prompt("gpt2"), **settings).tolist():
        assert 9 in text and holds(text, [21, 22])


@pytest.mark.parametrize("end", [11, 31, 40])
@pytest.mark.parametrize("name", ["gpt2", "mistral", "bart", "t5"])
def test_rows_and_scores_of_groups_make_up_the_score_of_a_text(name: str, end: int, folders: Path) -> None:
    model = model_of(name, folders)
    settings = {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.7, "num_return_sequences": 4}
    settings.update(eos_token_id=end, max_new_tokens=8, length_penalty=1.4, min_new_tokens=3)
    out = model.generate(**prompt(name), **settings, return_dict_in_generate=True, output_scores=True)
    start = 1 if model.config.is_encoder_decoder else 8
    assert out.beam_indices.shape == (12, out.sequences.shape[1] - start)
    parts = model.compute_transition_scores(out.sequences, out.scores, out.beam_indices)
    sums = parts.sum(1) / (out.beam_indices >= 0).sum(1) ** 1.4
    torch.testing.assert_close(sums, out.sequences_scores, atol=1e-4, rtol=0)


def test_a_text_that_is_cut_off_gets_no_end(folders: Path) -> None:
    """By a criterion of one's own, before any has ended."""
    settings = {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.7, "min_new_tokens": 5}
    written = model_of("gpt2", folders).generate(
        **prompt("gpt2"), **settings, max_new_tokens=9, stopping_criteria=[lambda ids, scores: ids.shape[1] == 11]
    )
    assert written.shape == (3, 11) and not (written[:, 8:] == 2).any()


def test_groups_keep_count_of_padding_with_a_repetition_penalty_and_allowed_tokens(folders: Path) -> None:
    model = model_of("gpt2", folders)
    settings = {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.7, "repetition_penalty": 1.3}
    allowed = {0: [5, 6, 7, 8], 1: [9, 10, 11, 12], 2: [13, 14, 15, 16]}
    written = model.generate(
        **prompt("gpt2"), **settings, max_new_tokens=5, prefix_allowed_tokens_fn=lambda text, ids: allowed[text]
    )
    for text, ids in enumerate(written[:, 8:].tolist()):
        assert set(ids) <= set(allowed[text])


@pytest.mark.parametrize("settings", [
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.7},
    {"num_beams": 3, "force_words_ids": [[9, 21]]},
    {"penalty_alpha": 0.5, "top_k": 3},
], ids=["groups", "phrases", "contrastive"])  # fmt: skip
@pytest.mark.parametrize("name", ["gpt2", "bart"])
def test_a_text_does_not_depend_on_its_neighbours(name: str, settings: dict[str, Any], folders: Path) -> None:
    model = model_of(name, folders)
    inputs = prompt(name)
    settings = {**settings, "max_new_tokens": 6}
    together = model.generate(**inputs, **settings)
    for row in range(3):
        alone = model.generate(**{key: value[row : row + 1] for key, value in inputs.items()}, **settings)
        assert alone.tolist() == together[row : row + 1].tolist()


@pytest.mark.parametrize("name", ["gpt2", "mistral", "bart"])
def test_contrastive_search_shows_what_the_chosen_tokens_gave(name: str, folders: Path) -> None:
    model = model_of(name, folders)
    wanted: dict[str, Any] = {key: True for key in ("return_dict_in_generate", "output_hidden_states", "output_logits")}
    out = model.generate(**prompt(name), penalty_alpha=0.5, top_k=3, max_new_tokens=5, **wanted)
    decodes = model.config.is_encoder_decoder
    inputs = (
        {**prompt(name), "decoder_input_ids": out.sequences[:, :-1]}
        if decodes
        else {"input_ids": out.sequences[:, :-1]}
    )
    if not decodes:
        mask = torch.cat((prompt(name)["attention_mask"], torch.ones(3, 4, dtype=torch.long)), 1)
        inputs.update(attention_mask=mask)
        if name == "gpt2":
            inputs["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
    whole = model(**inputs, output_hidden_states=True)
    side = "decoder_hidden_states" if decodes else "hidden_states"
    torch.testing.assert_close(torch.stack(out.logits, 1), whole.logits[:, -5:], atol=1e-4, rtol=1e-4)
    for step in range(1, 5):
        torch.testing.assert_close(out[side][step][-1][:, 0], whole[side][-1][:, step - 5], atol=1e-4, rtol=1e-4)
    cache = out.past_key_values
    assert cache.get_seq_length() == out.sequences.shape[1] - 1 and len(cache[0][0]) == 3


def test_contrastive_search_takes_any_top_k_and_refuses_a_model_without_a_cache(folders: Path) -> None:
    model = model_of("gpt2", folders)
    assert model.generate(**prompt("gpt2"), penalty_alpha=0.5, top_k=500, max_new_tokens=3).shape == (3, 11)
    sizes = {"vocab_size": 48, "d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 16}
    xlnet = nabi.XLNetLMHeadModel(nabi.XLNetConfig(**sizes)).eval()
    with pytest.raises(ValueError, match="XLNetLMHeadModel keeps no keys and values by position"):
        xlnet.generate(torch.tensor([[5, 6]]), penalty_alpha=0.5, top_k=3, max_new_tokens=3)
