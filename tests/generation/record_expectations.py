"""Records what the incumbent's older searches write, for test_searches_of_v4.py: python record_expectations.py

Group, constrained and contrastive search are gone from transformers 5, and 4.57 fetches their loops from the Hub (its
scorers and constraints are those of 4.55, line by line). The last release that holds all three is 4.55, so run this
by hand in an environment of its own:

    pip install transformers==4.55.4 torch safetensors && USE_TF=0 python tests/generation/record_expectations.py

Models are tiny, and their weights are made from the tensors' names, here and in the test, so that the file beside
this one holds configs, prompts, settings and results only.
"""

from __future__ import annotations

import json
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

EXPECTATIONS = Path(__file__).with_name("expectations_v4.json")
WORDS = 48
SIZES = {"vocab_size": WORDS, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA = {**SIZES, "num_key_value_heads": 2, "intermediate_size": 24, "max_position_embeddings": 40}
GPT2 = {"vocab_size": WORDS, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 40}
BART = {
    **{"vocab_size": WORDS, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 24},
    **{"decoder_ffn_dim": 24, "encoder_attention_heads": 4, "decoder_attention_heads": 2},
    **{"max_position_embeddings": 40, "forced_eos_token_id": None},
}
T5 = {
    **{"vocab_size": WORDS, "d_model": 16, "d_kv": 6, "d_ff": 24, "num_layers": 2, "num_heads": 4},
    **{"decoder_start_token_id": 0, "relative_attention_num_buckets": 8, "relative_attention_max_distance": 12},
}
MARIAN = {**BART, "pad_token_id": 3, "decoder_start_token_id": 3, "bos_token_id": 1, "eos_token_id": 2}
SPECIAL = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}

# name -> (class, config)
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2LMHeadModel", {**GPT2, **SPECIAL}),
    "llama": ("LlamaForCausalLM", {**LLAMA, **SPECIAL}),
    "mistral": ("MistralForCausalLM", {**LLAMA, **SPECIAL, "sliding_window": 5}),
    "qwen2": ("Qwen2ForCausalLM", {**LLAMA, **SPECIAL, "tie_word_embeddings": True}),
    "bloom": ("BloomForCausalLM", {"vocab_size": WORDS, "hidden_size": 16, "n_layer": 2, "n_head": 4, **SPECIAL}),
    "opt": ("OPTForCausalLM", {**SIZES, "ffn_dim": 24, "max_position_embeddings": 40, **SPECIAL}),
    "gpt_neo": (
        "GPTNeoForCausalLM",
        {
            **{"vocab_size": WORDS, "hidden_size": 16, "num_layers": 2, "num_heads": 4, "window_size": 5},
            **{"attention_types": [[["global", "local"], 1]], "max_position_embeddings": 40, **SPECIAL},
        },
    ),
    "gpt_neox": ("GPTNeoXForCausalLM", {**SIZES, "intermediate_size": 24, "max_position_embeddings": 40, **SPECIAL}),
    "gptj": ("GPTJForCausalLM", {**GPT2, "rotary_dim": 2, **SPECIAL}),
    "falcon": ("FalconForCausalLM", {**SIZES, "max_position_embeddings": 40, **SPECIAL}),
    "phi": ("PhiForCausalLM", {**SIZES, "intermediate_size": 24, "max_position_embeddings": 40, **SPECIAL}),
    "bart": ("BartForConditionalGeneration", {**BART, **SPECIAL, "decoder_start_token_id": 2}),
    "mbart": ("MBartForConditionalGeneration", {**BART, **SPECIAL, "decoder_start_token_id": 2}),
    "marian": ("MarianMTModel", MARIAN),
    "pegasus": ("PegasusForConditionalGeneration", {**BART, **SPECIAL, "decoder_start_token_id": 0}),
    "blenderbot": ("BlenderbotForConditionalGeneration", {**BART, **SPECIAL, "decoder_start_token_id": 1}),
    "m2m_100": ("M2M100ForConditionalGeneration", {**BART, **SPECIAL, "pad_token_id": 1, "decoder_start_token_id": 2}),
    "t5": ("T5ForConditionalGeneration", {**T5, "pad_token_id": 0, "eos_token_id": 2}),
    "mt5": ("MT5ForConditionalGeneration", {**T5, "pad_token_id": 0, "eos_token_id": 2, "tie_word_embeddings": False}),
}

ENDS = [2, 11, 17, 23, 31, 40]  # so many that texts end at different lengths
GROUPS = {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.8}
SETTINGS: dict[str, dict[str, Any]] = {
    "groups": {**GROUPS, "max_new_tokens": 7},
    "groups of one": {"num_beams": 3, "num_beam_groups": 3, "diversity_penalty": 5.0, "max_new_tokens": 6},
    "groups, several texts": {**GROUPS, "num_return_sequences": 4, "eos_token_id": ENDS, "max_new_tokens": 8},
    "groups, early": {**GROUPS, "early_stopping": True, "eos_token_id": ENDS, "length_penalty": 0.0},
    "groups, never early": {
        **{"num_beams": 6, "num_beam_groups": 3, "diversity_penalty": 0.3, "early_stopping": "never"},
        **{"eos_token_id": ENDS, "length_penalty": 1.6, "num_return_sequences": 3, "max_new_tokens": 8},
    },
    "groups, short texts": {
        **{**GROUPS, "length_penalty": -1.0, "eos_token_id": ENDS[:3], "no_repeat_ngram_size": 2, "max_new_tokens": 8},
        **{"bad_words_ids": [[5], [30]], "num_return_sequences": 2},
    },
    "one phrase": {"force_words_ids": [[9, 21]], "num_beams": 3, "max_new_tokens": 7},
    "one phrase, ends": {
        **{"force_words_ids": [[9, 21, 33]], "num_beams": 4, "max_new_tokens": 9, "eos_token_id": ENDS[:3]},
        **{"num_return_sequences": 2},
    },
    "two phrases": {"force_words_ids": [[9, 21], [7]], "num_beams": 4, "max_new_tokens": 8, "length_penalty": 0.5},
    "phrases that overlap": {
        **{"force_words_ids": [[9, 9, 21], [9, 21]], "num_beams": 4, "max_new_tokens": 9, "eos_token_id": ENDS[:2]},
        **{"early_stopping": True},
    },
    "alternatives": {"force_words_ids": [[[9, 21], [25, 26, 27], [7]]], "num_beams": 3, "max_new_tokens": 7},
    "alternatives that begin alike": {
        **{"force_words_ids": [[[9, 21], [9, 22, 23], [9, 24]], [5, 6]], "num_beams": 4, "max_new_tokens": 9},
        **{"num_return_sequences": 3, "eos_token_id": ENDS[:2], "early_stopping": "never"},
    },
    "more than fits": {"force_words_ids": [[9, 21, 33]], "num_beams": 2, "max_new_tokens": 4, "length_penalty": 2.0},
    "contrastive": {"penalty_alpha": 0.6, "top_k": 4, "max_new_tokens": 8},
    "contrastive, mild": {"penalty_alpha": 0.2, "top_k": 5, "max_new_tokens": 8, "suppress_tokens": [5, 30]},
    "contrastive, strong": {"penalty_alpha": 0.9, "top_k": 2, "max_new_tokens": 8, "eos_token_id": ENDS},
    "contrastive, ends": {"penalty_alpha": 0.4, "top_k": 3, "eos_token_id": ENDS, "min_new_tokens": 2},
}


def numbers(name: str, like: Tensor) -> Tensor:
    """The weights of the tensor with this name on disk: always the same."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    made = torch.randn(like.shape, generator=generator)
    if like.dim() > 1:
        return made * (0.6 if like.shape[0] == WORDS else 0.3)
    return made * 0.1 + (1.0 if name.endswith("weight") else 0.0)


def load(library: Any, name: str, folder: str) -> Any:
    """The model of this name, by the incumbent or by nabi."""
    class_name, keys = MODELS[name]
    model_class = getattr(library, class_name)
    config_class = model_class.config_class
    model_class(config_class(**keys)).save_pretrained(folder)
    file = Path(folder) / "model.safetensors"
    sines = class_name.startswith(("Marian", "Pegasus"))  # as positions, and not in every version's files
    weights = {
        key: value if sines and "embed_positions" in key else numbers(key, value)
        for key, value in load_file(file).items()
    }
    save_file(weights, file, metadata={"format": "pt"})
    return model_class.from_pretrained(folder).eval()


def prompt(name: str) -> dict[str, Tensor]:
    """Three texts: full, padded by two and by four; on the left where they are written on."""
    keys = MODELS[name][1]
    reads = "d_model" in keys
    generator = torch.Generator().manual_seed(len(name))
    ids = torch.randint(5, WORDS, (3, 8), generator=generator)
    mask = torch.ones_like(ids)
    for row, padding in enumerate((0, 2, 4)):
        place = slice(8 - padding, 8) if reads else slice(0, padding)
        ids[row, place], mask[row, place] = keys["pad_token_id"], 0
        if reads:
            ids[row, 7 - padding] = 2
    return {"input_ids": ids, "attention_mask": mask}


def written(model: Any, name: str, settings: dict[str, Any], scores: bool = True) -> Any:
    return model.generate(**prompt(name), **settings, return_dict_in_generate=True, output_scores=scores)


def main() -> None:
    import transformers

    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    found: dict[str, dict[str, Any]] = {}
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            model = load(transformers, name, folder)
        found[name] = {}
        for kind, settings in SETTINGS.items():
            try:
                out = written(model, name, settings)
            except RuntimeError:  # it loses count of its beams where a text lacks a phrase
                out = written(model, name, settings, scores=False)
            result: dict[str, Any] = {"sequences": out.sequences.tolist()}
            if out.scores is None:
                print(f"{name}, {kind}: without scores")
            elif "num_beams" in settings:
                result["sequences_scores"] = rounded(out.sequences_scores)
                result["best"] = [rounded(step.max(1).values) for step in out.scores[:2]]
            else:
                start = out.sequences.shape[1] - len(out.scores)
                chosen = out.sequences[:, start:].T
                result["best"] = [
                    rounded(step.gather(1, tokens[:, None]).squeeze(1))
                    for step, tokens in zip(out.scores, chosen, strict=True)
                ]
            found[name][kind] = result
    lines = [
        f'  "{name}": {{\n'
        + ",\n".join(f'    "{kind}": {json.dumps(each, separators=(",", ":"))}' for kind, each in kinds.items())
        + "\n  }"
        for name, kinds in found.items()
    ]
    made_by = f'  "made by": "transformers {transformers.__version__}, torch {torch.__version__}"'
    EXPECTATIONS.write_text("{\n" + ",\n".join([made_by, *lines]) + "\n}\n", encoding="utf-8")


def rounded(values: Tensor) -> list[float]:
    return [round(value, 6) for value in values.tolist()]


if __name__ == "__main__":
    main()
