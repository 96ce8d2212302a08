"""The vocabularies of the stand-ins, trained on a few sentences, each in the files that its repository really has."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import sentencepiece

import nabi
from nabi.tokenization.families.whisper import LANGUAGES
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = [
    "The little butterfly rests on a yellow flower in the garden behind our house.",
    "I loved this movie, the actors were wonderful and the music was great!",
    "I hated this film: it was boring, far too long and badly written.",
    "My name is Minji and I work at a small company in Seoul, the capital of Korea.",
    "Paris is the capital of France, and many people visit the city every summer.",
    "How old are you? I am twenty years old. What is your name? Where do you live?",
    "Translate English to German: the house is wonderful. Summarize: the weather was good today.",
    "Deep learning models read words, numbers and pictures; machine learning is not magic.",
    "Hello world! We are very happy to show you how a language model writes a story.",
    "Once upon a time, in a land far away, there was a king who had three daughters.",
    "이 영화는 정말 최고예요! 배우들의 연기가 훌륭했습니다.",
    "지루하고 시간이 아까웠어요. 다시는 보고 싶지 않은 영화네요.",
    "서울은 대한민국의 수도이고, 많은 사람들이 한강 공원을 찾습니다.",
    "오늘 날씨가 맑아서 나비가 꽃밭 위를 날아다닙니다.",
    "한국어 모델을 공유합니다. 안녕하세요, 제 이름은 민지입니다.",
    "근육이 커지기 위해서는 꾸준히 운동을 해야 합니다.",
]
CORPUS = [*SENTENCES, *[" ".join(map(chr, range(0x21, 0x7F)))]] * 4
FRAME = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FRAMED = dict(unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
ENDED = dict(unk_token="<unk>", pad_token="<pad>", bos_token="<s>", eos_token="</s>", mask_token="<mask>")
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
CHAT = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
WHISPER_LANGUAGES = [f"<|{code}|>" for code in LANGUAGES]
STEERING = [
    *("<|startoftranscript|>", *WHISPER_LANGUAGES, "<|translate|>", "<|transcribe|>", "<|startoflm|>"),
    *("<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
]
TIMES = 51  # tokens for 0.00 to 1.00 seconds


def write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def size(folder: Path) -> int:
    """How many ids the vocabulary of a folder has."""
    return len(nabi.AutoTokenizer.from_pretrained(folder))


# --- word pieces


@cache
def _word_pieces(lowercase: bool, korean: bool) -> Tokenizer:
    """Letters, then the commonest words and their ends. The engine's trainer breaks ties by chance, and a script that
    learns would fail by chance with it."""
    normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=lowercase)
    cutter = pre_tokenizers.BertPreTokenizer()
    counts: Counter[str] = Counter()
    for text in CORPUS:
        if korean or text.isascii():
            counts.update(word for word, _ in cutter.pre_tokenize_str(normalizer.normalize_str(text)))
    words = sorted(counts, key=lambda word: (-counts[word], word))
    letters = sorted(set("".join(words)))
    ends = [f"##{word[start:]}" for word in words for start in range(1, len(word) - 1)]
    pieces = [*FRAME, *letters, *(f"##{letter}" for letter in letters), *words[:400], *ends]
    vocab = {piece: number for number, piece in enumerate(list(dict.fromkeys(pieces))[:900])}
    engine = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    engine.normalizer, engine.pre_tokenizer, engine.decoder = normalizer, cutter, decoders.WordPiece()
    ids = [(token, engine.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    engine.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
    )
    return engine


def _vocab_txt(folder: Path, engine: Tokenizer) -> None:
    pieces = sorted(engine.get_vocab(), key=engine.get_vocab().get)
    (folder / "vocab.txt").write_text("".join(piece + "\n" for piece in pieces), encoding="utf-8")


def uncased(folder: Path) -> None:
    engine = _word_pieces(lowercase=True, korean=False)
    _vocab_txt(folder, engine)
    engine.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"do_lower_case": True, "model_max_length": 512})


def cased(folder: Path) -> None:
    engine = _word_pieces(lowercase=False, korean=True)
    _vocab_txt(folder, engine)
    engine.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"do_lower_case": False, "model_max_length": 512})


def korean(folder: Path) -> None:
    """vocab.txt alone, as KcBERT and KoELECTRA have it."""
    _vocab_txt(folder, _word_pieces(lowercase=False, korean=True))
    write_json(folder / "tokenizer_config.json", {"do_lower_case": False, "model_max_length": 512})


# --- pieces of bytes


@cache
def _byte_pieces(*special: str) -> Tokenizer:
    engine = Tokenizer(models.BPE())
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    engine.train_from_iterator(CORPUS, trainer)
    return engine


def _vocab_and_merges(folder: Path, engine: Tokenizer) -> None:
    engine.model.save(str(folder))


def gpt2(folder: Path) -> None:
    engine = _byte_pieces("<|endoftext|>")
    _vocab_and_merges(folder, engine)
    engine.post_processor = processors.ByteLevel(trim_offsets=False)
    engine.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer", "model_max_length": 512})


def roberta(folder: Path) -> None:
    engine = _byte_pieces("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    _vocab_and_merges(folder, engine)
    engine.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    engine.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512})


def chat(folder: Path) -> None:
    engine = _byte_pieces("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    engine.save(str(folder / "tokenizer.json"))
    names = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": CHAT}
    names["model_input_names"] = ["input_ids", "attention_mask"]
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **names})


def clip(folder: Path) -> None:
    """Words end in </w>; the special tokens stand at the end, and the last id marks where a text is read out."""
    letters = sorted(set("".join(SENTENCES).lower()) & set(map(chr, range(0x21, 0x7F))))
    pieces = [*letters, *(letter + "</w>" for letter in letters)]
    merges = ["a t</w>", "c at</w>", "h e</w>", "t he</w>", "o f</w>"]
    pieces += [merge.replace(" ", "") for merge in merges]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    write_json(folder / "vocab.json", {piece: number for number, piece in enumerate(pieces)})
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    names = {"bos_token": "<|startoftext|>", **dict.fromkeys(("eos_token", "pad_token", "unk_token"), "<|endoftext|>")}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **names})


def whisper(folder: Path) -> dict[str, Any]:
    """Bytes, tokens that steer, and times; returns the settings of generation_config.json with `vocab_size`."""
    engine = _byte_pieces("<|endoftext|>")
    _vocab_and_merges(folder, engine)
    (folder / "normalizer.json").write_text("{}", encoding="utf-8")
    first = engine.get_vocab_size()
    flags = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    steering = [{"content": token, **flags, "special": True} for token in STEERING]
    times = [{"content": f"<|{step * 0.02:.2f}|>", **flags, "special": False} for step in range(TIMES)]
    end = "<|endoftext|>"
    write_json(
        folder / "tokenizer_config.json",
        {
            **{"tokenizer_class": "WhisperTokenizer", "processor_class": "WhisperProcessor"},
            **{name: end for name in ("pad_token", "bos_token", "eos_token", "unk_token")},
            "additional_special_tokens": STEERING,
            "added_tokens_decoder": {
                **{"0": {"content": end, **flags, "special": True}},
                **{str(first + number): token for number, token in enumerate([*steering, *times])},
            },
        },
    )
    ids = {token: first + number for number, token in enumerate(STEERING)}
    no_times = ids["<|notimestamps|>"]
    return {
        **{"vocab_size": first + len(STEERING) + TIMES, "pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0},
        **{"decoder_start_token_id": first, "is_multilingual": True, "no_timestamps_token_id": no_times},
        "lang_to_id": {token: ids[token] for token in WHISPER_LANGUAGES},
        "task_to_id": {task: ids[f"<|{task}|>"] for task in ("translate", "transcribe")},
        **{"prev_sot_token_id": ids["<|startofprev|>"], "max_initial_timestamp_index": 10, "max_length": 40},
        **{"suppress_tokens": list(range(first, no_times)), "begin_suppress_tokens": [0], "return_timestamps": False},
        "alignment_heads": [[0, 1], [1, 0]],
    }


def letters(folder: Path) -> None:
    write_json(folder / "vocab.json", {letter: number for number, letter in enumerate(LETTERS)})
    names = {**ENDED, "word_delimiter_token": "|"}
    del names["mask_token"]
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "Wav2Vec2CTCTokenizer", **names})


# --- SentencePiece


@cache
def _pieces(korean: bool = True, **options: Any) -> bytes:
    """The bytes of a `.model` file."""
    import io

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text for text in CORPUS if korean or text.isascii()]),
        **{"model_writer": written, "vocab_size": 500, "hard_vocab_limit": False, "minloglevel": 2, **options},
        character_coverage=1.0,
    )
    return written.getvalue()


def t5(folder: Path) -> None:
    (folder / "spiece.model").write_bytes(_pieces(pad_id=0, eos_id=1, unk_id=2, bos_id=-1))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "T5Tokenizer", "model_max_length": 512})
    _add_tokenizer_json(folder)


def albert(folder: Path) -> None:
    model = _pieces(pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols="[CLS],[SEP],[MASK]")
    (folder / "spiece.model").write_bytes(model)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "AlbertTokenizer", "model_max_length": 512})
    _add_tokenizer_json(folder)


def _add_tokenizer_json(folder: Path) -> None:
    """As published since 2020: the engine's own file beside the `.model`."""
    nabi.AutoTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))


def marian(folder: Path) -> None:
    model = _pieces()
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = ["</s>", "<unk>", *(processor.id_to_piece(number) for number in range(3, len(processor))), "<pad>"]
    write_json(folder / "vocab.json", {piece: number for number, piece in enumerate(pieces)})
    names = {"source_lang": "ko", "target_lang": "en", "model_max_length": 512}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "MarianTokenizer", **names})


def _kobert() -> bytes:
    names = {"unk_piece": "[UNK]", "pad_piece": "[PAD]", "control_symbols": "[CLS],[SEP],[MASK]"}
    return _pieces(unk_id=0, pad_id=1, bos_id=-1, eos_id=-1, **names)


def kobert_of_skt(folder: Path) -> None:
    (folder / "spiece.model").write_bytes(_kobert())
    write_json(
        folder / "tokenizer_config.json",
        {
            **{
                "tokenizer_class": "XLNetTokenizer",
                "do_lower_case": False,
                "remove_space": True,
                "keep_accents": False,
            },
            **{**FRAMED, "bos_token": "[CLS]", "eos_token": "[SEP]"},
        },
    )


def kobert_of_monologg(folder: Path) -> None:
    """The `.model`, and a vocab.txt with its pieces."""
    (folder / "tokenizer_78b3253a26.model").write_bytes(_kobert())
    processor = sentencepiece.SentencePieceProcessor(model_proto=_kobert())
    pieces = [processor.id_to_piece(number) for number in range(len(processor))]
    (folder / "vocab.txt").write_text("".join(piece + "\n" for piece in pieces), encoding="utf-8")
    write_json(folder / "tokenizer_config.json", {"do_lower_case": False, "max_len": 512})


# --- tokenizer.json alone


@cache
def _marked_words(*special: str) -> Tokenizer:
    engine = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    engine.pre_tokenizer = pre_tokenizers.Metaspace()
    engine.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=list(special), show_progress=False)
    engine.train_from_iterator(CORPUS, trainer)
    return engine


def kogpt2(folder: Path) -> None:
    engine = _marked_words("<s>", "</s>", "<usr>", "<pad>", "<sys>", "<unk>", "<mask>")
    engine.save(str(folder / "tokenizer.json"))


def kobart(folder: Path) -> None:
    engine = _marked_words("<s>", "</s>", "<usr>", "<pad>", "<sys>", "<unk>", "<mask>")
    engine.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **ENDED})
