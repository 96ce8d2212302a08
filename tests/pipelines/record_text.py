"""Records what transformers 4.57.1 answers for the pipelines and arguments that its version 5 removed: record_text.py

question-answering as a whole; grouped_entities and ignore_subwords of token-classification; multi_class of
zero-shot-classification. Run by hand in an environment of its own:

    pip install transformers==4.57.1 torch safetensors && USE_TF=0 python tests/pipelines/record_text.py

Models are tiny and their weights made from the tensors' names, tokenizers from the texts below, here and in the tests:
`build` writes a folder that both libraries load. The file beside this one holds inputs, settings and answers only.
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
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor

EXPECTATIONS = Path(__file__).with_name("expectations_text.json")
POSITIONS = 64
WORDS = """[PAD] [UNK] [CLS] [SEP] [MASK] the a is in of who where what when lives live work ##s ##ed berlin seoul paris
wolf ##gang anna min ##su and my name she he at . , ? ! ' - city big very old river team won game ##ing play watch ##ful
서울 ##울 ##에 ##에서 ##서 ##는 ##은 ##이 ##가 ##를 ##에게 민수 ##수 민 김 ##민 사 ##는 ##다 살 ##고 있다
어디 누가 무엇 ##을 한국 ##의 수도 회사 ##에 다닌다
부산 ##으로 갔다 그 ##녀 ##람 영화 ##화 재미 ##있 ##었다 축구 경기 이겼다 팀 entail""".split()
CORPUS = [
    "My name is Wolfgang and I live in Berlin. Anna works in Paris, and she watches the game.",
    "민수는 서울에 살고 있다. 김민수는 한국의 수도 서울에서 회사에 다닌다. 그녀는 부산으로 갔다!",
    "Where does Anna live? Who won the game? 누가 이겼나요? 어디에 사나요? 축구 경기에서 팀이 이겼다.",
    "The old city is in the valley of a big river. 영화가 재미있었다. 그 사람은 누구인가?",
] * 3

BODY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
BERT = {"model_type": "bert", "max_position_embeddings": POSITIONS, **BODY}
ROBERTA = {
    **{"model_type": "roberta", "max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1, "pad_token_id": 1},
    **{"bos_token_id": 0, "eos_token_id": 2, **BODY},
}
DISTILBERT = {
    **{"model_type": "distilbert", "max_position_embeddings": POSITIONS, "dim": 16, "n_layers": 2, "n_heads": 2},
    "hidden_dim": 24,
}
BART = {
    **{"model_type": "bart", "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 24},
    **{"decoder_ffn_dim": 24, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "pad_token_id": 1},
    **{"max_position_embeddings": POSITIONS, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2},
    **{"forced_eos_token_id": None},
}
# kind of model -> (stem of its classes' names, config, kind of tokenizer)
MODELS: dict[str, tuple[str, dict[str, Any], str]] = {
    "bert": ("Bert", BERT, "pieces"),
    "distilbert": ("DistilBert", DISTILBERT, "pieces"),
    "roberta": ("Roberta", ROBERTA, "bytes"),
    "xlm-roberta": ("XLMRoberta", {**ROBERTA, "model_type": "xlm-roberta"}, "sentencepiece"),
    "bart": ("Bart", BART, "bytes"),
}

LONG = " ".join(CORPUS[:2]) + " " + " ".join(CORPUS[2:4])
PAIRS = [
    ("Where does Anna live?", "My name is Wolfgang and I live in Berlin. Anna works in Paris."),
    ("어디에 사나요?", "김민수는 한국의 수도 서울에서 회사에 다닌다."),
    ("who won?", "the team won."),
    ("누가 이겼나요?", LONG),
    ("What is in the city?", LONG.replace("Berlin", "Seoul")),
]
QUESTION_SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "three": {"top_k": 3},
    "topk": {"topk": 4},
    "many": {"top_k": 12, "max_answer_len": 3},
    "short answers": {"max_answer_len": 1, "top_k": 2},
    "tokens": {"align_to_words": False, "top_k": 5},
    "one token span": {"align_to_words": False},
    "perhaps none": {"handle_impossible_answer": True, "top_k": 3},
    "perhaps none, one": {"handle_impossible_answer": True},
    "windows": {"max_seq_len": 40, "doc_stride": 8, "top_k": 3},
    "small windows": {"max_seq_len": 32, "doc_stride": 2, "top_k": 2, "handle_impossible_answer": True},
    "padding": {"padding": "max_length", "top_k": 2},
}
TEXTS = ["Wolfgang lives in Berlin.", "김민수는 서울에서 살고 있다.", "Anna works, plays and watches the game!", ""]
LABELS = ["B-PER", "I-PER", "B-LOC", "I-LOC", "O"]
CANDIDATES = ["Berlin", "축구", "the game"]


def numbers(name: str, like: Tensor) -> Tensor:
    """The weights of the tensor with this name on disk: always the same."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    made = torch.randn(like.shape, generator=generator)
    if like.dim() > 1:
        return made * (1.0 if "embed" in name or "shared" in name else 1.2 if like.shape[0] < 8 else 0.15)
    return made * 0.1 + (1.0 if name.endswith("norm.weight") or name.endswith("Norm.weight") else 0.0)


def pieces() -> tuple[Tokenizer, dict[str, str]]:
    """WordPiece, as BERT has it, cased and with a vocabulary that knows a little Korean."""
    words = list(dict.fromkeys([*WORDS, *"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "aeioulnrsty")]))
    made = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Sequence([normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return made, {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}


NAMES = {
    **{"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>"},
    **{"pad_token": "<pad>", "mask_token": "<mask>"},
}
FIRST = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def byte_pieces() -> tuple[Tokenizer, dict[str, str]]:
    """Byte-level BPE, as RoBERTa and BART have it: a letter of Hangul may be three tokens."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=FIRST, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(CORPUS, trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return made, NAMES


def sentence_pieces() -> tuple[Tokenizer, dict[str, str]]:
    """Unigram pieces with a mark before each word, as XLM-RoBERTa has them."""
    letters = sorted({letter for text in CORPUS[:4] for letter in text if letter not in " 부팀"})
    pieces = {"▁": -2.0, **{letter: -6.0 for letter in letters}}
    pieces |= dict.fromkeys(
        "▁서울 ▁is ▁in ing ▁the ▁a 에서 는 에 ▁Wolf gang ▁Ber lin ▁lives ▁김 민수 ▁한국 다.".split(), -3.0
    )
    made = Tokenizer(models.Unigram([*((token, 0.0) for token in FIRST), *pieces.items()], unk_id=3))
    made.normalizer = normalizers.NFKC()
    made.decoder = decoders.Metaspace()
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made, NAMES


TOKENIZERS = {"pieces": pieces, "bytes": byte_pieces, "sentencepiece": sentence_pieces}


def build(library: Any, kind: str, head: str, folder: Path, **config: Any) -> Path:
    """A folder with a tiny model of this kind and head, made by the incumbent of either version, and its tokenizer."""
    stem, settings, tokenizer_kind = MODELS[kind]
    tokenizer, names = TOKENIZERS[tokenizer_kind]()
    model_config = getattr(library, f"{stem}Config")(
        **{key: value for key, value in settings.items() if key != "model_type"},
        vocab_size=tokenizer.get_vocab_size(),
        **config,
    )
    getattr(library, f"{stem}{head}")(model_config).save_pretrained(folder)
    file = folder / "model.safetensors"
    weights = {name: numbers(name, value) for name, value in load_file(file).items()}
    save_file(weights, file, metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    options: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": POSITIONS, **names}
    segments = ["token_type_ids"] if kind == "bert" else []
    options["model_input_names"] = ["input_ids", *segments, "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(options))
    return folder


def labels(names: list[str]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}


def rounded(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {key: rounded(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [rounded(one) for one in answer]
    return answer if isinstance(answer, (str, int)) or answer is None else round(float(answer), 6)


def main() -> None:
    import transformers

    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    found: dict[str, Any] = {"made by": f"transformers {transformers.__version__}, torch {torch.__version__}"}
    for kind in MODELS:
        with tempfile.TemporaryDirectory() as place:
            folder = build(transformers, kind, "ForQuestionAnswering", Path(place))
            pipe = transformers.pipeline("question-answering", model=str(folder), device="cpu")
            found[f"question-answering {kind}"] = {
                name: [rounded(pipe(question=q, context=c, **settings)) for q, c in PAIRS]
                for name, settings in QUESTION_SETTINGS.items()
            }
            found[f"ids {kind}"] = [pipe.tokenizer(text)["input_ids"] for text in TEXTS]
    with tempfile.TemporaryDirectory() as place:
        folder = build(transformers, "bert", "ForTokenClassification", Path(place), **labels(LABELS))
        pipe = transformers.pipeline("ner", model=str(folder), device="cpu")
        found["token-classification"] = {
            f"{grouped} {ignore}": rounded(pipe(TEXTS, grouped_entities=grouped, ignore_subwords=ignore))
            for grouped in (None, False, True)
            for ignore in (None, False, True)
        }
    with tempfile.TemporaryDirectory() as place:
        config = labels(["contradiction", "neutral", "entailment"])
        folder = build(transformers, "bert", "ForSequenceClassification", Path(place), **config)
        pipe = transformers.pipeline("zero-shot-classification", model=str(folder), device="cpu")
        found["zero-shot-classification"] = {
            str(several): rounded(pipe(TEXTS[:3], CANDIDATES, multi_class=several)) for several in (None, False, True)
        }
    lines = [
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        for key, value in found.items()
    ]
    EXPECTATIONS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
