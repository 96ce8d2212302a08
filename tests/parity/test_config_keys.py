"""Every key of every configuration does something that can be seen, is refused, or stands below with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

import nabi
from nabi.config import NO_EFFECT, Config

from .cases import CASES, Case

# Read by others than the model, or by the caller.
NOT_OF_THE_MODEL = {
    "architectures": "names the class that saved the file",
    "torch_dtype": "read by from_pretrained(dtype='auto')",
    "bos_token_id": "for generation and tokenizers",
    "eos_token_id": "for generation and tokenizers; T5 and BART read it too",
    "sep_token_id": "for tokenizers",
    "decoder_start_token_id": "for generation; T5 and BART read it too",
    "label2id": "names for callers; id2label says how many there are",
    "is_encoder_decoder": "says to generation what the family is anyway",
    "num_negatives": "for whoever draws the negatives: they come as sampled_negative_indices",
    "quantization_config": "refused when weights are loaded",
}
# Fields that all configurations have, in kinds of families that have not the thing.
NOT_OF_THE_KIND = {
    "encoder": (),
    "decoder": ("is_decoder",),
    "seq2seq": ("is_decoder", "add_cross_attention"),
    "speech": ("is_decoder", "add_cross_attention", "use_cache", "tie_word_embeddings", "problem_type"),
    "image": ("is_decoder", "add_cross_attention", "use_cache", "tie_word_embeddings"),
}
# Another value for a key where the next number or the other truth value is none.
VALUES: dict[str, Any] = {
    "id2label": {0: "a", 1: "b", 2: "c", 3: "d"},
    "num_labels": 4,
    "label2id": {"a": 0, "b": 1},
    "architectures": ["BertModel"],
    "torch_dtype": "float16",
    "problem_type": "multi_label_classification",
    "return_dict": False,
    "pruned_heads": {"0": [1]},
    "tie_encoder_decoder": True,
    "quantization_config": {"quant_method": "gptq"},
    "hidden_act": "relu",
    "activation": "relu",
    "activation_function": "tanh",
    "conv_act": "relu",
    "pooler_hidden_act": "tanh",
    "feat_extract_activation": "relu",
    "position_embedding_type": "relative_key",
    "hidden_size": 32,
    "d_model": 32,
    "n_embd": 32,
    "dim": 32,
    "num_attention_heads": 2,
    "num_heads": 2,
    "n_head": 2,
    "n_heads": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 4,
    "attention_head_size": 8,
    "head_dim": 8,
    "num_key_value_heads": 4,
    "summary_type": "mean",
    "summary_activation": "tanh",
    "feed_forward_proj": "gated-gelu",
    "rope_scaling": {"rope_type": "linear", "factor": 4.0},
    "rope_theta": 100.0,
    "norm_rel_ebd": "layer_norm",
    "pos_att_type": ["c2p"],
    "feat_extract_norm": "layer",
    "conv_dim": [8, 8, 16],
    "conv_stride": [5, 2, 1],
    "conv_kernel": [10, 3, 2],
    "tdnn_dim": [8, 12],
    "tdnn_kernel": [3, 3],
    "tdnn_dilation": [1, 1],
    "ctc_loss_reduction": "mean",
    "num_conv_pos_embedding_groups": 2,
    "num_codevector_groups": 4,
    "codevector_dim": 12,
    "output_hidden_size": 12,
    "adapter_attn_dim": 16,
    "sliding_window": 3,
    "max_window_layers": 2,
    "layer_types": ["sliding_attention", "full_attention"],
    "layer_norm_eps": 0.5,
    "layer_norm_epsilon": 0.5,
    "rms_norm_eps": 0.5,
    "conv_kernel_size": 3,
    "conv_groups": 2,
    "position_buckets": 4,
    "embedding_size": 8,
    "pad_token_id": 6,
    "n_inner": 20,
    "pooler_hidden_size": 8,
    "max_position_embeddings": 4,
    "relative_attention_max_distance": 5,
    "max_relative_positions": 5,
    "inner_group_num": 2,
    "mask_time_min_masks": 6,
    "mask_feature_min_masks": 6,
    "mask_time_length": 4,
    "mask_feature_length": 4,
    "eos_token_id": 9,
    "decoder_start_token_id": 9,
    "num_local_experts": 5,
    "num_experts_per_tok": 1,
}
# What else must be set for a key to matter.
RELATIVE = {
    "relative_attention": True,
    "pos_att_type": ["c2p", "p2c"],
    "position_buckets": 4,
    "max_relative_positions": 6,
}
MASKED = {"mask_feature_prob": 0.5, "mask_feature_length": 2, "mask_time_prob": 0.3, "mask_time_length": 2}
SLIDES = {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1}
ADAPTED = {"add_adapter": True, "num_adapter_layers": 2}
GIVEN: dict[str, dict[str, Any]] = {
    **dict.fromkeys(["pos_att_type", "share_att_key", "max_relative_positions", "position_buckets"], RELATIVE),
    "conv_groups": {"conv_kernel_size": 3},
    "conv_act": {"conv_kernel_size": 3},
    **dict.fromkeys(["mask_time_length", "mask_feature_length", "apply_spec_augment"], MASKED),
    **dict.fromkeys(["adapter_kernel_size", "adapter_stride", "num_adapter_layers", "output_hidden_size"], ADAPTED),
    **dict.fromkeys(["sliding_window", "max_window_layers", "layer_types"], SLIDES),
    "use_sliding_window": {**SLIDES, "use_sliding_window": False},
    "mask_feature_prob": {"mask_feature_length": 2},
    "max_position_embeddings": {"rope_scaling": {"rope_type": "dynamic", "factor": 4.0}},
    "router_aux_loss_coef": {"output_router_logits": True},
    "num_hidden_groups": {"num_hidden_layers": 4},
    "mask_time_min_masks": {**MASKED, "mask_time_prob": 0.01},
    "mask_feature_min_masks": {**MASKED, "mask_feature_prob": 0.01},
    "ctc_zero_infinity": {"conv_stride": [5, 4, 8]},  # fewer frames than characters: an infinite loss
    "use_cache": {"is_decoder": True},
    "add_cross_attention": {"is_decoder": True},
    "summary_activation": {"summary_use_proj": True},
}
HARMLESS = sorted(NO_EFFECT)[::7]


def config_class(case: Case) -> type[Config]:
    return type(case.config(nabi))


# A family's first case with all heads; further configurations of a family (a tower's) by their prefix.
BASES = {f"{case.family}-{case.prefix}": case for case in reversed(CASES) if not case.only}
KEYS = [
    (family, key)
    for family, case in BASES.items()
    for key in config_class(case).defaults()
    if key not in NOT_OF_THE_MODEL or (key in ("eos_token_id", "decoder_start_token_id") and case.kind == "seq2seq")
    if key not in NOT_OF_THE_KIND[case.kind] and key not in case.unused
]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Tiny models run faster on one thread than on several that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def other_value(case: Case, key: str, given: dict[str, Any]) -> Any:
    """A value that is allowed and is not the one that the case has."""
    now = getattr(case.config(nabi, **given), key)
    values = {**VALUES, **case.others}
    if key in values and values[key] != now:
        return values[key]
    if isinstance(now, bool):
        return not now
    if "drop" in key or key.endswith("_prob"):
        return 0.5
    if isinstance(now, int):
        return now * 2 if now else 3
    if isinstance(now, float):
        return now * 5 + 0.3
    raise AssertionError(f"{case.family} {key} = {now!r}: give another value in the case")


def seen(value: Any) -> Any:
    """Something comparable of an output."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), value.detach().double().nan_to_num().mul(1e5).round().numpy().tobytes()
    if isinstance(value, dict):
        return type(value).__name__, {name: seen(item) for name, item in value.items()}
    return type(value).__name__, [seen(item) for item in value] if isinstance(value, tuple) else None


def signs(case: Case, head: str, keys: dict[str, Any]) -> Iterator[Any]:
    """What a model of this config shows, the cheapest first: names, initial weights, an output, a training step."""
    config = case.config(nabi, **keys)
    torch.manual_seed(3)
    model = getattr(nabi, case.prefix + head)(config)
    state = model.state_dict()
    yield [(name, tuple(tensor.shape)) for name, tensor in state.items()], model.tied_weights()
    yield {name: seen(tensor) for name, tensor in state.items()}
    torch.manual_seed(4)
    moved = {name: tensor + torch.randn_like(tensor) * 0.3 for name, tensor in state.items()}
    model.load_state_dict(moved)
    crosses = {"add_cross_attention": config.add_cross_attention} if "add_cross_attention" in keys else {}
    inputs = replace(case, keys={**case.keys, **crosses}).inputs(head)
    labels = case.labels(head, config)
    if config.problem_type and head in ("ForSequenceClassification", "ForImageClassification"):
        labels = {"labels": torch.eye(4)[:3, : config.num_labels]}
    with torch.no_grad():  # never over a yield: the switch would stay as it is while others run
        evaluated = model.eval()(**inputs)
    yield seen(evaluated)
    if "labels" in labels:
        inputs.pop("decoder_input_ids", None)
    torch.manual_seed(5)
    with torch.no_grad():
        trained = model.train()(**inputs, **labels)
    yield seen(trained)


def shows(case: Case, head: str, given: dict[str, Any], key: str, value: Any) -> bool:
    """Whether the key changes anything that one of the family's classes shows."""
    base, changed = signs(case, head, given), signs(case, head, {**given, key: value})
    for one in base:
        try:
            if one != next(changed):
                return True
        except ValueError:  # a plain refusal is seen as well: a text without the end token that it should have
            return True
    return False


@pytest.mark.parametrize(("family", "key"), KEYS, ids=[f"{family}-{key}" for family, key in KEYS])
def test_a_key_changes_what_the_model_is_or_does_or_is_refused(family: str, key: str) -> None:
    case = BASES[family]
    given = {**GIVEN, **case.given}.get(key, {})
    given = {k: v for k, v in given.items() if k in config_class(case).defaults() and k not in case.unused}
    given = {k: v for k, v in given.items() if k not in NOT_OF_THE_KIND[case.kind]}
    value = other_value(case, key, given)
    try:
        case.config(nabi, **{**given, key: value})
    except ValueError as error:
        assert repr(key) in str(error)
        return
    assert any(shows(case, head, given, key, value) for head in case.heads), f"{key} = {value!r} changes nothing"


@pytest.mark.parametrize("family", BASES)
def test_a_key_listed_as_harmless_changes_nothing(family: str) -> None:
    case = BASES[family]
    head = case.heads[0]
    plain = list(signs(case, head, {}))
    own = sorted(config_class(case).no_effect - NO_EFFECT)
    assert list(signs(case, head, dict.fromkeys([*HARMLESS, *own], 3))) == plain


@pytest.mark.parametrize("family", BASES)
def test_an_unknown_key_is_refused(family: str) -> None:
    with pytest.raises(ValueError, match="does not know the key 'some_new_scaling' = 2"):
        config_class(BASES[family])(some_new_scaling=2)


def test_a_quantised_checkpoint_is_refused_by_the_loader() -> None:
    config = nabi.BertConfig(quantization_config={"quant_method": "gptq"})
    with pytest.raises(ValueError, match="quantised"):
        nabi.BertModel.from_pretrained(None, config=config, state_dict={})
