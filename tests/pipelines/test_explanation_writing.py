"""A look inside what writes: alternatives, the logit lens and the beam tree are what the model and generate say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from nabi import pipeline

from .explanation_models import GREEDY, SIZES, TEXT, WRITERS, bart, decoder, made, tokenizer

BEAMS = {"do_sample": False, "max_new_tokens": 6, "num_beams": 3}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=WRITERS)
def told(request: pytest.FixtureRequest) -> Any:
    """A pipeline that writes greedily, what it explains, and what the model says of source and target together."""
    make, item, settings = WRITERS[request.param]
    pipe = make()
    explanation = pipe.explain(item, **settings)
    ids = [torch.tensor([[piece.id for piece in each.pieces]]) for each in explanation.parts[0].sequences]
    with torch.no_grad():
        inputs = dict(zip(("input_ids", "decoder_input_ids"), ids, strict=False))
        out = pipe.model(**inputs, output_hidden_states=True)
    return pipe, item, settings, explanation, out


def test_the_written_tokens_are_those_of_generate(told: Any) -> None:
    pipe, item, settings, explanation, _ = told
    written = explanation.parts[0].sequences[-1]
    ids = pipe.model.generate(**pipe.tokenizer(item, return_tensors="pt"), **settings)[0]
    assert [piece.id for piece in written.pieces] == ids.tolist()
    assert sum(piece.written for piece in written.pieces) == settings["max_new_tokens"]


def test_each_step_lists_the_likeliest_tokens_and_the_chosen_one(told: Any) -> None:
    _, _, _, explanation, out = told
    part = explanation.parts[0]
    pieces = part.sequences[-1].pieces
    for group in part.outputs.groups:
        chances = out.logits[0, group.place - 1].softmax(-1)
        assert [score.id for score in group.scores] == chances.topk(5).indices.tolist()
        assert [score.probability for score in group.scores] == pytest.approx(chances.topk(5).values.tolist(), abs=1e-5)
        assert [score.id for score in group.scores if score.chosen] == [pieces[group.place].id]
        assert all(score.drawn_from == pytest.approx(score.probability, abs=1e-4) for score in group.scores)
    assert [group.place for group in part.outputs.groups] == [i for i, piece in enumerate(pieces) if piece.written]


def test_the_last_layer_of_the_lens_is_the_model_itself_and_the_first_ones_go_through_norm_and_head(told: Any) -> None:
    pipe, _, _, explanation, out = told
    lens = explanation.parts[0].lens
    hidden = out.get("decoder_hidden_states") or out.get("hidden_states")
    assert len(lens.layers) == len(lens.rows) == len(hidden) and lens.layers[0] == "embeddings"
    for place, row in zip(lens.places, lens.rows[-1], strict=True):
        best = out.logits[0, place].softmax(-1).topk(5)
        assert [score.id for score in row] == best.indices.tolist()
        assert [score.probability for score in row] == pytest.approx(best.values.tolist(), abs=1e-5)
    body = pipe.model.base_model
    body = getattr(body, "decoder", body)
    with torch.no_grad():
        early = pipe.model.score_tokens(body.finish(hidden[1]))[0]
    for place, row in zip(lens.places, lens.rows[1], strict=True):
        assert [score.id for score in row] == early[place].topk(5).indices.tolist()


def test_attribution_is_of_the_first_written_token_or_of_the_one_that_is_asked_for(told: Any) -> None:
    pipe, item, settings, explanation, out = told
    part = explanation.parts[0]
    start = part.outputs.groups[0].place
    pieces = part.sequences[-1].pieces
    assert part.attribution.value == pytest.approx(out.logits[0, start - 1, pieces[start].id].item(), abs=1e-4)
    third = pipe.explain(item, position=2, method="input_x_gradient", **settings).parts[0].attribution
    assert third.value == pytest.approx(out.logits[0, start + 1, pieces[start + 2].id].item(), abs=1e-4)
    assert third.target.endswith("as token 3") and len(third.scores[part.sequences[-1].name]) == start + 2
    other = pipe.explain(item, target=7, method="input_x_gradient", **settings).parts[0].attribution
    assert other.value == pytest.approx(out.logits[0, start - 1, 7].item(), abs=1e-4)
    with pytest.raises(ValueError, match="position is 99; expected a whole number from 0 to 6"):
        pipe.explain(item, position=99, **settings)


# ---------------------------------------------------------------- sampling


def test_sampled_tokens_are_the_ones_of_the_result_with_the_probability_they_were_drawn_by() -> None:
    pipe = decoder("gpt2", "GPT2LMHeadModel", "text-generation")
    settings = {"do_sample": True, "temperature": 0.5, "top_k": 4, "max_new_tokens": 8, "return_tensors": True}
    torch.manual_seed(3)
    explanation = pipe.explain("나비가", **settings)
    torch.manual_seed(3)
    assert explanation.result == pipe("나비가", **settings)
    ids = [piece.id for piece in explanation.parts[0].sequences[0].pieces]
    assert ids == explanation.result[0]["generated_token_ids"]
    for group in explanation.parts[0].outputs.groups:
        first = group.scores[:4]
        expected = torch.tensor([score.logit / 0.5 for score in first]).softmax(0).tolist()
        assert [score.drawn_from for score in first] == pytest.approx(expected, abs=1e-4)
        assert all(score.drawn_from == 0 for score in group.scores[4:])


# ---------------------------------------------------------------- beams


@pytest.mark.parametrize(
    "settings", [{}, {"length_penalty": -1.0}, {"early_stopping": True}, {"num_beams": 5}], ids=str
)
@pytest.mark.parametrize("kind", ["gpt2", "bart"])
def test_the_best_leaf_of_the_tree_is_the_text_that_beam_search_returns(kind: str, settings: dict[str, Any]) -> None:
    if kind == "gpt2":
        pipe, item = decoder("gpt2", "GPT2LMHeadModel", "text-generation"), "나비가 훨훨"
    else:
        pipe, item = bart("BartForConditionalGeneration", "summarization"), TEXT
    ends = {"eos_token_id": [*range(20, 200, 9)]}  # so that texts end early, and at different lengths
    options = {**BEAMS, **settings, **ends}
    out = pipe.model.generate(
        **pipe.tokenizer(item, return_tensors="pt"), **options, return_dict_in_generate=True, output_scores=True
    )
    part = pipe.explain(item, method=None, **options).parts[0]
    tree = {branch.number: branch for branch in part.beams.branches}
    assert part.beams.width == options["num_beams"]
    ended = [branch for branch in tree.values() if branch.fate == "ended"]
    best = max(ended, key=lambda branch: branch.score)
    path: list[int] = []
    branch: Any = best
    while branch is not None:
        assert branch.best
        path.insert(0, branch.id)
        branch = tree.get(branch.parent)
    written = [piece.id for piece in part.sequences[-1].pieces if piece.written]
    assert path == written == out.sequences[0, len(out.sequences[0]) - len(written) :].tolist()
    assert best.score == pytest.approx(out.sequences_scores[0].item(), abs=1e-4)
    assert sum(branch.best for branch in tree.values()) == len(path)


def test_the_tree_has_what_was_dropped_and_never_more_running_texts_than_beams() -> None:
    pipe = decoder("gpt2", "GPT2LMHeadModel", "text-generation")
    branches = pipe.explain("나비가", method=None, **BEAMS).parts[0].beams.branches
    for step in range(BEAMS["max_new_tokens"] - 1):
        kept = [branch for branch in branches if branch.step == step and branch.fate == "kept"]
        assert len(kept) == BEAMS["num_beams"]
        dropped = [branch.total for branch in branches if branch.step == step and branch.fate == "dropped"]
        assert dropped and max(dropped) <= min(branch.total for branch in kept)
    known = {branch.number: branch for branch in branches}
    assert all(branch.parent is None or known[branch.parent].fate == "kept" for branch in branches)


def test_groups_of_beams_have_no_tree_and_it_is_said() -> None:
    pipe = decoder("gpt2", "GPT2LMHeadModel", "text-generation")
    part = pipe.explain(
        "나비가", method=None, num_beams=4, num_beam_groups=2, diversity_penalty=0.5, do_sample=False, max_new_tokens=4
    ).parts[0]
    assert part.beams is None and any(missing.startswith("beam tree") for missing in part.missing)


def test_a_source_and_its_target_have_attention_of_three_kinds() -> None:
    make, item, settings = WRITERS["bart"]
    part = make().explain(item, **settings).parts[0]
    names = [(each.name, each.rows, each.columns) for each in part.attentions]
    assert names == [
        ("the source's attention", "source", "source"),
        ("the target's attention", "written", "written"),
        ("attention to the source", "written", "source"),
    ]
    assert set(part.attribution.scores) == {"source", "written"}


def test_a_model_that_looks_ahead_is_not_shown_as_if_it_wrote_step_by_step() -> None:
    words = tokenizer()
    model = made("bert", "BertLMHeadModel", words, **SIZES)  # with is_decoder=False, as old checkpoints have it
    explanation = pipeline("text-generation", model=model, tokenizer=words).explain("나비가", **GREEDY)
    (part,) = explanation.parts
    assert part.outputs is None and not part.attentions and part.attribution is None and part.lens is None
    assert part.missing == ["scores, attention, attribution: one pass over this model's text is not what each step saw"]
    assert part.stages and sum(piece.written for piece in part.sequences[0].pieces) == GREEDY["max_new_tokens"]


def test_ids_that_the_tokenizer_does_not_know_have_a_name() -> None:
    words = tokenizer("bpe")
    sizes: dict[str, Any] = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "vocab_size": 500}
    pipe = pipeline("text-generation", model=made("gpt2", "GPT2LMHeadModel", words, **sizes), tokenizer=words)
    part = pipe.explain("나비가", suppress_tokens=list(range(450)), **GREEDY).parts[0]
    written = [piece for piece in part.sequences[0].pieces if piece.written]
    assert written and all(piece.token == f"‹id {piece.id}›" for piece in written)


def test_a_chat_is_explained_as_the_model_reads_it() -> None:
    pipe = decoder("llama", "LlamaForCausalLM", "text-generation")
    pipe.tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    chat = [{"role": "user", "content": "나비가 훨훨"}]
    try:
        explanation = pipe.explain(chat, **GREEDY)
    finally:
        pipe.tokenizer.chat_template = None
    (part,) = explanation.parts
    assert part.sequences[0].texts == ["user: 나비가 훨훨\n"]
    assert explanation.result[0]["generated_text"][0] == chat[0]


def test_whisper_shows_what_it_wrote_in_the_first_window(tmp_path: Path) -> None:
    from .speech_models import noise, save_whisper

    pipe = pipeline("automatic-speech-recognition", model=save_whisper(tmp_path))
    explanation = pipe.explain(noise(8000), max_new_tokens=6, num_beams=1)
    assert explanation.result == pipe(noise(8000), max_new_tokens=6, num_beams=1)
    (part,) = explanation.parts
    written = [piece for piece in part.sequences[0].pieces if piece.written]
    assert (
        pipe.tokenizer.decode([piece.id for piece in written], skip_special_tokens=True) == explanation.result["text"]
    )
    assert [group.place for group in part.outputs.groups] == list(range(3, 3 + len(written))) and part.lens
    long = pipe.explain(noise(40000), return_timestamps=True, method=None).parts[0]
    assert long.inputs["input_features"] == [1, 8, 100] and "later windows" in long.missing[0]


def test_a_caption_has_its_tokens_and_nothing_is_said_of_pieces_of_the_picture(tmp_path: Path) -> None:
    import nabi

    from .record_images import CAPTIONERS, PICTURES, write_captioner

    pipe = pipeline("image-to-text", model=write_captioner(nabi, next(iter(CAPTIONERS)), tmp_path))
    explanation = pipe.explain(PICTURES[0], max_new_tokens=5, position=2)
    assert explanation.result == pipe(PICTURES[0], max_new_tokens=5)
    (part,) = explanation.parts
    assert [each.name for each in part.attentions] == ["the target's attention"]
    assert "attention to what the encoder reads: it has no pieces" in part.missing
    assert part.attribution.target.endswith("as token 3") and len(part.outputs.groups) == 5
    chosen = [row[0].id for row in part.lens.rows[-1]]
    assert chosen[:5] == [group.scores[0].id for group in part.outputs.groups]
