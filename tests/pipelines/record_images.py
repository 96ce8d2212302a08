"""Records what the incumbent's image-to-text writes, for test_image_to_text.py: python record_images.py

transformers 5 has no such task, so run this by hand in an environment of its own:

    pip install transformers==4.57.1 torch pillow && USE_TF=0 python tests/pipelines/record_images.py

Models are tiny, and their weights are made from the tensors' names, here and in the tests, so that the file beside this
one holds texts only. The tests of the other tasks on images take their small pictures and words from here too.
"""

from __future__ import annotations

import json
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor

EXPECTATIONS = Path(__file__).with_name("expectations_images.json")
SPECIAL = ["[PAD]", "[UNK]", "<s>", "</s>", "<image>"]
WORDS = """a photo of This is two cats and butterfly USER ASSISTANT : . ? 나비 고양이 두 마리 사진 이게 뭐예요 cat dog
on the sofa sky blue with small very one in front bird tree house""".split()
WORDS += [f"w{number}" for number in range(60 - len(SPECIAL) - len(WORDS))]

VIT: dict[str, Any] = {
    **{"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24},
    **{"image_size": 8, "patch_size": 2},
}
GPT2: dict[str, Any] = {
    **{"model_type": "gpt2", "vocab_size": 60, "n_embd": 24, "n_layer": 2, "n_head": 4, "n_positions": 300},
    **{"is_decoder": True, "add_cross_attention": True, "bos_token_id": 2, "eos_token_id": 3},
}
TROCR: dict[str, Any] = {
    **{"model_type": "trocr", "vocab_size": 60, "d_model": 24, "decoder_layers": 2, "decoder_attention_heads": 4},
    **{"decoder_ffn_dim": 20, "max_position_embeddings": 300, "cross_attention_hidden_size": 16},
    **{"scale_embedding": False, "is_decoder": True, "add_cross_attention": True, "pad_token_id": 0},
    **{"bos_token_id": 2, "eos_token_id": 3},
}
TOKENS: dict[str, Any] = {"decoder_start_token_id": 2, "pad_token_id": 0, "eos_token_id": 3}
CAPTIONERS: dict[str, dict[str, Any]] = {
    "vit2gpt2": {**TOKENS, "encoder": {**VIT, "model_type": "vit"}, "decoder": GPT2},
    "deit2trocr": {**TOKENS, "encoder": {**VIT, "model_type": "deit"}, "decoder": TROCR},
}
ENDS = [3, 9, 17, 23, 31, 40, 52]  # so many that texts end at different lengths
SETTINGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a length": {"max_new_tokens": 5},
    "a length for generate": {"generate_kwargs": {"max_new_tokens": 4}},
    "beams": {"max_new_tokens": 6, "generate_kwargs": {"num_beams": 3, "length_penalty": 0.5}},
    "several texts": {"max_new_tokens": 6, "generate_kwargs": {"num_beams": 4, "num_return_sequences": 3}},
    "many ends": {"max_new_tokens": 12, "generate_kwargs": {"eos_token_id": ENDS}},
    "no repetition": {"max_new_tokens": 12, "generate_kwargs": {"no_repeat_ngram_size": 2}},
}


def picture(height: int = 37, width: int = 53, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


PICTURES = [picture(37, 53), picture(64, 64, 1), picture(20, 90, 2), picture(37, 53, 3), picture(9, 4, 4)]


def write_words(folder: Path, end: str = "", **config: Any) -> None:
    """A tokenizer of a few words, English and Korean; end: what stands behind each text."""
    vocab = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()])
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"<s> $A {end}".strip(), special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "<s>", "eos_token": "</s>"}
    keys = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 1000, **names, **config}
    (folder / "tokenizer_config.json").write_text(json.dumps(keys, ensure_ascii=False), encoding="utf-8")


def numbers(name: str, like: Tensor) -> Tensor:
    """Weights that depend on the tensor's name alone."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    made = torch.randn(like.shape, generator=generator)
    if like.dim() > 1:
        return made * (1.0 if like.shape[0] in (300, 302) else 0.6)
    return made * 0.2 + (1.0 if name.endswith("weight") else 0.0)


def write_captioner(library: Any, name: str, folder: Path) -> Path:
    """The folder of a captioner: weights, tokenizer and image processor."""
    config = library.VisionEncoderDecoderConfig(**CAPTIONERS[name])
    library.VisionEncoderDecoderModel(config).save_pretrained(folder)  # makes the folder
    file = folder / "model.safetensors"
    weights = load_file(file)
    save_file({key: numbers(key, weights[key]) for key in sorted(weights)}, file, metadata={"format": "pt"})
    write_words(folder)
    processor = {"image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 8}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


def set_length(folder: Path) -> None:
    """A generation_config.json that says how long texts are."""
    file = folder / "generation_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "max_length": 7}))


def main() -> None:
    import transformers

    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    found: dict[str, Any] = {"made by": f"transformers {transformers.__version__}, torch {torch.__version__}"}
    for name in CAPTIONERS:
        with tempfile.TemporaryDirectory() as folder:
            write_captioner(transformers, name, Path(folder))
            pipe = transformers.pipeline("image-to-text", model=folder, device="cpu")
            found[name] = {
                kind: [[each["generated_text"] for each in pipe(image, **settings)] for image in PICTURES]
                for kind, settings in SETTINGS.items()
            }
            set_length(Path(folder))
            short = transformers.pipeline("image-to-text", model=folder, device="cpu")
            found[name]["the model's length"] = [
                [each["generated_text"] for each in short(image)] for image in PICTURES
            ]
    EXPECTATIONS.write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
