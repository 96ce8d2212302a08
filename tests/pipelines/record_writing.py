"""Records what the pipelines that version 5 removed write, for test_text2text_generation.py.

The last release with text2text-generation, summarization and translation is 4.57. Run this by hand in an environment
of its own:

    pip install transformers==4.57.1 torch safetensors && USE_TF=0 python tests/pipelines/record_writing.py

Models are tiny, their weights are made from the tensors' names, and the tokenizers' pieces stand here, so that both
libraries make the same checkpoints and the file beside this one holds results only.
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
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor

EXPECTATIONS = Path(__file__).with_name("expectations_writing.json")

SPECIAL = ["<pad>", "</s>", "<unk>", "<s>", "<mask>"]
LANGUAGES = ["en_XX", "ko_KR", "fr_XX", "eng_Latn", "kor_Hang", "fra_Latn"]
PIECES = """▁나비가 ▁꽃에 ▁앉았다 ▁날아갔다 ▁한국어 ▁문장을 ▁번역 한다 ▁요약 . , : ? ! ▁The ▁butter fly ▁sat ▁on ▁a
    ▁flower ▁and ▁flew ▁away ▁translate ▁English ▁to ▁French ▁Korean ▁summarize ▁It ▁is s ing
    ▁ e t a o n 비 에 다""".split()
PIECES += [chr(letter) for letter in range(ord("a"), ord("z") + 1) if chr(letter) not in PIECES]
VOCABULARY = [*SPECIAL, *PIECES, *LANGUAGES]
POSITIONS = 40

TEXTS = [
    "The butterfly sat on a flower and flew away.",
    "나비가 꽃에 앉았다. 나비가 날아갔다.",
    "It",
    "한국어 문장을 번역한다, a flower: is it a butterfly? The butterfly flew away and sat.",
]
LONG = "The butterfly sat on a flower and flew away. " * 6
ENDS = [1, *range(7, 40, 6)]  # so many that texts end at different lengths

BART = {
    **{"vocab_size": len(VOCABULARY), "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 24},
    **{"decoder_ffn_dim": 24, "encoder_attention_heads": 4, "decoder_attention_heads": 2, "pad_token_id": 0},
    **{"max_position_embeddings": POSITIONS, "bos_token_id": 3, "eos_token_id": 1, "decoder_start_token_id": 1},
    **{"forced_eos_token_id": None},
}
T5 = {
    **{"vocab_size": len(VOCABULARY), "d_model": 16, "d_kv": 6, "d_ff": 24, "num_layers": 2, "num_heads": 4},
    **{"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0},
    "task_specific_params": {
        "summarization": {"prefix": "summarize: ", "max_length": 14, "min_length": 6, "num_beams": 2},
        "translation_en_to_fr": {"prefix": "translate English to French: ", "max_length": 12, "num_beams": 3},
        "translation_en_to_ko": {"prefix": "translate English to Korean: ", "max_length": 9, "num_beams": 1},
    },
}
STARTS = {"pad_token_id": 0, "eos_token_id": ENDS, "suppress_tokens": [0]}
# name -> (class, config, generation_config.json, class of the tokenizer)
MODELS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "t5": ("T5ForConditionalGeneration", T5, {**STARTS, "decoder_start_token_id": 0, "max_length": 18}, ""),
    "bart": ("BartForConditionalGeneration", BART, {**STARTS, "decoder_start_token_id": 1}, ""),
    "bart, settled": (
        "BartForConditionalGeneration",
        {**BART, "prefix": "summarize: "},
        {
            **{**STARTS, "decoder_start_token_id": 1, "max_length": 16, "min_length": 5, "num_beams": 4},
            **{"no_repeat_ngram_size": 2, "length_penalty": 2.0, "early_stopping": True, "forced_bos_token_id": 3},
        },
        "",
    ),
    "mbart50": ("MBartForConditionalGeneration", BART, {**STARTS, "decoder_start_token_id": 1}, "MBart50TokenizerFast"),
    "nllb": (
        "M2M100ForConditionalGeneration",
        BART,
        {**STARTS, "decoder_start_token_id": 1, "max_length": 15},
        "NllbTokenizerFast",
    ),
}
SHORT = {"max_new_tokens": 9}
GREEDY = {**SHORT, "num_beams": 1}
FLORES = {"src_lang": "eng_Latn", "tgt_lang": "kor_Hang"}
# name -> (model, task, settings of the constructor, of the call)
CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "greedy": ("bart", "text2text-generation", {}, GREEDY),
    "usual beams": ("bart", "text2text-generation", {}, SHORT),
    "several texts": ("bart", "text2text-generation", {}, {**SHORT, "num_return_sequences": 3}),
    "ids": ("bart", "text2text-generation", {}, {**GREEDY, "return_tensors": True}),
    "text": ("bart", "text2text-generation", {}, {**GREEDY, "return_tensors": False, "return_text": True}),
    "tidy": ("bart", "text2text-generation", {}, {**GREEDY, "clean_up_tokenization_spaces": True}),
    "constructor": ("bart", "text2text-generation", {"max_new_tokens": 5, "num_beams": 3}, {}),
    "constructor and call": ("bart", "text2text-generation", {"max_new_tokens": 5, "num_beams": 3}, {"num_beams": 1}),
    "least": ("bart", "text2text-generation", {}, {**GREEDY, "min_length": 7, "repetition_penalty": 1.3}),
    "config": ("bart", "text2text-generation", {}, {"generation_config": {"max_new_tokens": 6}}),
    "config over constructor": (
        "bart",
        "text2text-generation",
        {"num_beams": 3},
        {"generation_config": {"max_new_tokens": 6, "repetition_penalty": 1.5}},
    ),
    "settled": ("bart, settled", "text2text-generation", {}, {}),
    "settled, summary": ("bart, settled", "summarization", {}, {}),
    "settled, shorter": ("bart, settled", "summarization", {}, {"max_length": 8, "min_length": 2}),
    "settled, too short": ("bart, settled", "summarization", {}, {"max_length": 4}),
    "settled, new tokens": ("bart, settled", "summarization", {}, {"max_new_tokens": 6, "truncation": True}),
    "t5": ("t5", "text2text-generation", {}, {}),
    "t5, summary": ("t5", "summarization", {}, {}),
    "t5, summary, ids": ("t5", "summarization", {}, {"return_tensors": True, "num_beams": 1}),
    "t5, shorter": ("t5", "summarization", {}, {"min_length": 3, "max_length": 8}),
    "t5, French": ("t5", "translation_en_to_fr", {}, {}),
    "t5, Korean": ("t5", "translation_en_to_ko", {}, {}),
    "t5, Korean, more": ("t5", "translation_en_to_ko", {}, {"max_length": 15, "num_beams": 2}),
    "t5, no pair": ("t5", "translation", {}, {}),
    "t5, unknown pair": ("t5", "translation_en_to_de", {}, {}),
    "mbart50": ("mbart50", "translation", {"src_lang": "en_XX", "tgt_lang": "ko_KR"}, SHORT),
    "mbart50, call": ("mbart50", "translation", {}, {**SHORT, "src_lang": "ko_KR", "tgt_lang": "fr_XX"}),
    "mbart50, other target": (
        "mbart50",
        "translation",
        {"src_lang": "en_XX", "tgt_lang": "ko_KR"},
        {**GREEDY, "tgt_lang": "fr_XX", "return_tensors": True},
    ),
    "nllb": ("nllb", "translation", FLORES, {}),
    "nllb, ids": ("nllb", "translation", FLORES, {"return_tensors": True, "num_beams": 1}),
    "nllb, as text2text": ("nllb", "text2text-generation", {}, {"forced_bos_token_id": VOCABULARY.index("kor_Hang")}),
}
# These have texts of every length; the others read the long one too, which the model's positions do not hold.
LIMITED = ("bart", "bart, settled", "mbart50", "nllb")


def inputs_of(model: str, settings: dict[str, Any]) -> list[Any]:
    """What each case is asked: one text, a list of one, a list."""
    more = [] if model in LIMITED and not settings.get("truncation") else [LONG]
    return [TEXTS[0], [TEXTS[1]], [*TEXTS, *more], ""]


def numbers(name: str, like: Tensor) -> Tensor:
    """The weights of the tensor with this name on disk: always the same."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    made = torch.randn(like.shape, generator=generator)
    if like.dim() > 1:
        return made * (0.9 if like.shape[0] == len(VOCABULARY) else 0.7)
    return made * 0.1 + (1.0 if name.endswith("weight") else 0.0)


def save_tokenizer(folder: Path, kind: str) -> None:
    """Pieces as SentencePiece writes them; a language's code stands before a text."""
    scores = [(piece, -float(len(VOCABULARY) - len(piece))) for piece in VOCABULARY]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=2, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([*SPECIAL, *LANGUAGES])
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", "$A $B </s>", [("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "mask_token": "<mask>",
    }
    if kind:
        names.update(cls_token="<s>", sep_token="</s>", src_lang="ko_KR" if "MBart" in kind else "kor_Hang")
    options = {**names, "tokenizer_class": kind or "PreTrainedTokenizerFast", "model_max_length": POSITIONS}
    (folder / "tokenizer_config.json").write_text(json.dumps(options))


def save(library: Any, name: str, folder: Path) -> Path:
    """The checkpoint of this name, written by the incumbent or by nabi."""
    class_name, keys, settings, tokenizer = MODELS[name]
    model_class = getattr(library, class_name)
    model_class(model_class.config_class(**keys)).save_pretrained(folder)
    file = folder / "model.safetensors"
    save_file({key: numbers(key, value) for key, value in load_file(file).items()}, file, metadata={"format": "pt"})
    (folder / "generation_config.json").write_text(json.dumps(settings))
    save_tokenizer(folder, tokenizer)
    return folder


def answers(library: Any, name: str, folder: Path, **options: Any) -> list[Any]:
    """What a case's pipeline says to each of its inputs."""
    _, task, init, call = CASES[name]
    call = dict(call)
    if "generation_config" in call:
        call["generation_config"] = library.GenerationConfig(**call["generation_config"])
    pipe = library.pipeline(task, model=str(folder), device="cpu", **init)
    return [plain(pipe(each, **call, **options)) for each in inputs_of(CASES[name][0], call)]


def plain(value: Any) -> Any:
    """Lists in the place of tensors."""
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, list):
        return [plain(each) for each in value]
    return {key: plain(each) for key, each in value.items()} if isinstance(value, dict) else value


def main() -> None:
    import transformers

    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    found: dict[str, Any] = {"made by": f"transformers {transformers.__version__}, torch {torch.__version__}"}
    with tempfile.TemporaryDirectory() as place:
        for name in MODELS:
            (Path(place) / name).mkdir()
            save(transformers, name, Path(place) / name)
        for name, case in CASES.items():
            found[name] = answers(transformers, name, Path(place) / case[0])
    rows = [f"  {json.dumps(name)}: {json.dumps(each, ensure_ascii=False)}" for name, each in found.items()]
    EXPECTATIONS.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
