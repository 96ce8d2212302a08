"""Processors send each option where it belongs, join the results as the incumbent does, and exchange its folders."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from small_inputs import assert_same, picture, wave

import nabi
from nabi.tokenization import AutoTokenizer

TEXTS = ["a photo of two cats", "나비"]
SMALL = {"size": 20, "crop_size": 20}
PICTURES = [picture(), picture(20, 60, seed=1)]


def image_parts(name: str, side: ModuleType) -> Any:
    kind = {"CLIPProcessor": "CLIP", "SiglipProcessor": "Siglip", "TrOCRProcessor": "ViT", "LlavaProcessor": "CLIP"}
    made = kind.get(name, "ViT")
    settings = SMALL if made == "CLIP" else {"size": {"height": 20, "width": 20}}
    return getattr(side, f"{made}ImageProcessor" + ("" if side is nabi else "Pil"))(**settings)


def pair(name: str, folder: Path, incumbent: ModuleType, **settings: Any) -> tuple[Any, Any]:
    sides = []
    for side in (nabi, incumbent):
        tokenizer = side.AutoTokenizer.from_pretrained(str(folder))
        sides.append(getattr(side, name)(image_processor=image_parts(name, side), tokenizer=tokenizer, **settings))
    return sides[0], sides[1]


@pytest.mark.parametrize("name", ["CLIPProcessor", "SiglipProcessor", "VisionTextDualEncoderProcessor"])
def test_text_and_images_are_joined_as_in_the_incumbent(name: str, words: Path, incumbent: ModuleType) -> None:
    ours, theirs = pair(name, words, incumbent)
    for options in (
        {"padding": True},
        {"padding": "max_length", "max_length": 9, "do_resize": False, "do_center_crop": True, "crop_size": 18},
        {"text_kwargs": {"padding": True, "add_special_tokens": False}, "images_kwargs": {"do_normalize": False}},
    ):
        for kind in ("pt", "np"):
            own = ours(text=TEXTS, images=PICTURES, return_tensors=kind, **options)
            assert_same(own, theirs(text=TEXTS, images=PICTURES, return_tensors=kind, **options))
            assert isinstance(own, nabi.BatchFeature)
    assert_same(ours(text=TEXTS), theirs(text=TEXTS))
    assert_same(ours(images=PICTURES[0], return_tensors="np"), theirs(images=PICTURES[0], return_tensors="np"))
    assert ours.model_input_names == theirs.model_input_names
    ids = ours(text=TEXTS)["input_ids"]
    assert ours.batch_decode(ids) == theirs.batch_decode(ids) and ours.decode(ids[0]) == theirs.decode(ids[0])


def test_both_orders_of_text_and_images_are_understood(words: Path, incumbent: ModuleType) -> None:
    ours, _ = pair("CLIPProcessor", words, incumbent)
    assert_same(
        ours(TEXTS, PICTURES, padding=True, return_tensors="np"),
        ours(PICTURES, TEXTS, padding=True, return_tensors="np"),
    )


def test_what_does_not_fit_is_one_clear_error(words: Path, incumbent: ModuleType) -> None:
    ours, _ = pair("CLIPProcessor", words, incumbent)
    with pytest.raises(ValueError, match="CLIPProcessor got neither images nor text"):
        ours()
    with pytest.raises(TypeError, match=r"CLIPProcessor has no option 'paddin'. Do you mean 'padding'"):
        ours(text="a", paddin=True)
    with pytest.raises(TypeError, match="Do you mean 'do_resize'"):
        ours(images=PICTURES, do_resiz=False)
    with pytest.raises(TypeError, match="CLIPProcessor has no option 'audio'"):
        ours(text="a", audio=wave())
    with pytest.raises(ValueError, match="padding is given twice: by itself and within text_kwargs"):
        ours(text="a", padding=True, text_kwargs={"padding": False})
    with pytest.raises(
        ValueError, match="CLIPProcessor needs image_processor and tokenizer, but tokenizer is of type No"
    ):
        nabi.CLIPProcessor(nabi.CLIPImageProcessor())
    with pytest.raises(ValueError, match="but image_processor is of type PreTrainedTokenizerFast"):
        nabi.CLIPProcessor(ours.tokenizer, nabi.CLIPImageProcessor())
    with pytest.raises(TypeError, match="has no setting 'colour'"):
        nabi.CLIPProcessor(nabi.CLIPImageProcessor(), ours.tokenizer, colour=1)


def test_older_names_of_the_image_processor_work(words: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(words)
    processor = nabi.CLIPProcessor(feature_extractor=nabi.CLIPFeatureExtractor(), tokenizer=tokenizer)
    assert processor.feature_extractor is processor.image_processor


@pytest.mark.parametrize(
    "name", ["CLIPProcessor", "SiglipProcessor", "TrOCRProcessor", "VisionTextDualEncoderProcessor"]
)
def test_folders_go_both_ways(name: str, words: Path, tmp_path: Path, incumbent: ModuleType) -> None:
    ours, theirs = pair(name, words, incumbent)
    theirs.save_pretrained(str(tmp_path / "theirs"))
    ours.save_pretrained(tmp_path / "ours")
    options = dict(text=TEXTS, images=PICTURES, padding=True, return_tensors="np")
    wanted = theirs(**options)
    for folder in ("theirs", "ours"):
        for loader in (getattr(nabi, name), nabi.AutoProcessor):
            read = loader.from_pretrained(tmp_path / folder)
            assert type(read).__name__ == name
            assert_same(read(**options), wanted)
    back = getattr(incumbent, name).from_pretrained(str(tmp_path / "ours"))
    assert_same(back(**options), wanted)
    # as version 4 reads it: without what version 5 keeps in processor_config.json
    written = json.loads((tmp_path / "ours" / "preprocessor_config.json").read_text())
    assert written["processor_class"] == name and written["image_processor_type"].endswith("ImageProcessor")
    (tmp_path / "ours" / "processor_config.json").unlink()
    assert_same(nabi.AutoProcessor.from_pretrained(tmp_path / "ours")(**options), wanted)


def test_keywords_of_from_pretrained_find_their_part(words: Path, tmp_path: Path, incumbent: ModuleType) -> None:
    pair("CLIPProcessor", words, incumbent)[0].save_pretrained(tmp_path)
    read = nabi.CLIPProcessor.from_pretrained(tmp_path, do_normalize=False, padding_side="left", use_fast=True)
    assert read.image_processor.do_normalize is False and read.tokenizer.padding_side == "left"


# --- labels


def test_trocr_makes_labels(words: Path, incumbent: ModuleType) -> None:
    ours, theirs = pair("TrOCRProcessor", words, incumbent)
    options = dict(padding=True, return_tensors="pt")
    own = ours(images=PICTURES, text=TEXTS, **options)
    assert_same(own, theirs(images=PICTURES, text=TEXTS, **options))
    assert_same(ours(text=TEXTS, **options), theirs(text=TEXTS, **options))
    assert_same(ours(PICTURES, return_tensors="np"), theirs(PICTURES, return_tensors="np"))
    assert ours.model_input_names == theirs.model_input_names
    with ours.as_target_processor():
        assert torch.equal(ours(TEXTS, **options)["input_ids"], own["labels"])
    with pytest.raises(ValueError, match="got neither images nor text"):
        ours()


def speech(name: str, folder: Path, incumbent: ModuleType) -> tuple[Any, Any]:
    sides = []
    for side in (nabi, incumbent):
        if name == "WhisperProcessor":
            extractor = side.WhisperFeatureExtractor(chunk_length=1)
        else:
            extractor = side.Wav2Vec2FeatureExtractor(return_attention_mask=True)
        kind = name.replace("Processor", "Tokenizer" if "Whisper" in name else "CTCTokenizer")
        tokenizer = getattr(side, kind).from_pretrained(str(folder))
        sides.append(getattr(side, name)(feature_extractor=extractor, tokenizer=tokenizer))
    return sides[0], sides[1]


def test_wav2vec2_extracts_labels_and_decodes(letters: Path, incumbent: ModuleType) -> None:
    ours, theirs = speech("Wav2Vec2Processor", letters, incumbent)
    waves, texts = [wave(3000), wave(5000, seed=1)], ["HELLO WORLD", "NABI"]
    options = dict(sampling_rate=16000, padding=True, return_tensors="pt")
    own = ours(waves, text=texts, **options)
    assert_same(own, theirs(waves, text=texts, **options))
    assert_same(ours(audio=waves[0], sampling_rate=16000), theirs(audio=waves[0], sampling_rate=16000))
    assert_same(ours(text=texts, padding=True), theirs(text=texts, padding=True))
    with ours.as_target_processor():
        assert torch.equal(ours(texts, padding=True, return_tensors="pt").input_ids, own.labels)
        assert ours.pad([{"input_ids": [5, 6]}, {"input_ids": [7]}]).input_ids == [[5, 6], [7, 0]]
    ids = np.random.default_rng(0).integers(0, 32, (2, 40))
    assert ours.batch_decode(ids) == theirs.batch_decode(ids)
    assert ours.decode(ids[0]) == theirs.decode(ids[0])
    assert ours.model_input_names == theirs.model_input_names
    assert ours(raw_speech=waves[0], sampling_rate=16000).keys() == {"input_values", "attention_mask"}


def test_wav2vec2_pads_features_and_labels_as_a_collator_does(letters: Path, incumbent: ModuleType) -> None:
    ours, theirs = speech("Wav2Vec2Processor", letters, incumbent)
    features = [{"input_values": wave(300)}, {"input_values": wave(500)}]
    labels = [{"input_ids": [5, 6, 7]}, {"input_ids": [8]}]
    for given in ({"input_features": features}, {"labels": labels}, {"input_features": features, "labels": labels}):
        assert_same(
            ours.pad(**given, padding=True, return_tensors="pt"), theirs.pad(**given, padding=True, return_tensors="pt")
        )
    with pytest.raises(ValueError, match="There is nothing to pad"):
        ours.pad()


def test_whisper_extracts_steers_and_decodes(whisper: Path, incumbent: ModuleType) -> None:
    ours, theirs = speech("WhisperProcessor", whisper, incumbent)
    sound = wave(9000)
    own = ours(sound, sampling_rate=16000, return_tensors="pt")
    assert_same(own, theirs(sound, sampling_rate=16000, return_tensors="pt"))
    both = ours(audio=sound, sampling_rate=16000, text="hello 나비")
    assert_same(both, theirs(audio=sound, sampling_rate=16000, text="hello 나비"))
    assert ours.get_decoder_prompt_ids(language="english", task="transcribe") == theirs.get_decoder_prompt_ids(
        language="english", task="transcribe"
    )
    assert np.array_equal(ours.get_prompt_ids("a name"), theirs.get_prompt_ids("a name"))
    ids = ours(text="hello 나비")["input_ids"]
    for options in ({}, {"skip_special_tokens": True}):
        assert ours.decode(ids, **options) == theirs.decode(ids, **options)
        assert ours.batch_decode([ids], **options) == theirs.batch_decode([ids], **options)


@pytest.mark.parametrize("name", ["Wav2Vec2Processor", "WhisperProcessor"])
def test_folders_of_speech_go_both_ways(
    name: str, letters: Path, whisper: Path, tmp_path: Path, incumbent: ModuleType
) -> None:
    ours, theirs = speech(name, whisper if name == "WhisperProcessor" else letters, incumbent)
    theirs.save_pretrained(str(tmp_path / "theirs"))
    ours.save_pretrained(tmp_path / "ours")
    options = dict(audio=wave(3000), sampling_rate=16000, text="NABI", return_tensors="np")
    wanted = theirs(**options)
    for folder in ("theirs", "ours"):
        for loader in (getattr(nabi, name), nabi.AutoProcessor):
            assert_same(loader.from_pretrained(tmp_path / folder)(**options), wanted)
    assert_same(getattr(incumbent, name).from_pretrained(str(tmp_path / "ours"))(**options), wanted)
    (tmp_path / "ours" / "processor_config.json").unlink()
    assert_same(nabi.AutoProcessor.from_pretrained(tmp_path / "ours")(**options), wanted)


# --- LLaVA


LLAVA = {"patch_size": 5, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
PROMPTS = ["USER : <image> two cats", "a photo <image> <image> ."]
THREE = [*PICTURES, picture(seed=5)]
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }} : {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT :{% endif %}"
)


@pytest.mark.parametrize(
    "settings",
    [LLAVA, {**LLAVA, "vision_feature_select_strategy": "full"}, {"patch_size": 10}],
    ids=str,
)
def test_llava_makes_room_for_images_as_the_incumbent_does(
    settings: dict[str, Any], words: Path, incumbent: ModuleType
) -> None:
    ours, theirs = pair("LlavaProcessor", words, incumbent, **settings)
    own = ours(images=THREE, text=PROMPTS, padding=True, return_tensors="pt")
    assert_same(own, theirs(images=THREE, text=PROMPTS, padding=True, return_tensors="pt"))
    single = ours(PICTURES[0], PROMPTS[0])
    assert_same(single, theirs(PICTURES[0], PROMPTS[0]))
    assert_same(ours(text="two cats"), theirs(text="two cats"))
    assert ours.image_token_id == theirs.image_token_id == 4


def test_llavas_images_and_places_must_agree(words: Path, incumbent: ModuleType) -> None:
    ours, _ = pair("LlavaProcessor", words, incumbent, **LLAVA)
    with pytest.raises(ValueError, match="The text has 1 '<image>', but there are 2 images"):
        ours(images=PICTURES, text=PROMPTS[0])
    with pytest.raises(ValueError, match="The text has 1 '<image>', but there are 0 images"):
        ours(text=PROMPTS[0])
    with pytest.raises(ValueError, match=r"text\[0\] needs 16 tokens '<image>', but \d+ are in its ids: truncation"):
        ours(images=PICTURES[0], text=PROMPTS[0], truncation=True, max_length=8)
    with pytest.raises(ValueError, match="LlavaProcessor got neither"):
        ours()
    without, _ = pair("LlavaProcessor", words, incumbent)
    with pytest.raises(ValueError, match=r"patch_size is None.*vision_config.patch_size"):
        without(images=PICTURES[0], text=PROMPTS[0])


def conversation() -> list[dict[str, Any]]:
    return [
        {"role": "USER", "content": [{"type": "image", "image": PICTURES[0]}, {"type": "text", "text": "two cats"}]},
        {"role": "USER", "content": [{"type": "text", "text": "and"}, {"type": "image", "image": PICTURES[1]}]},
    ]


def test_a_conversation_with_images_becomes_the_incumbents_input(words: Path, incumbent: ModuleType) -> None:
    ours, theirs = pair("LlavaProcessor", words, incumbent, **LLAVA, chat_template=TEMPLATE)
    for options in ({}, {"add_generation_prompt": True}):
        assert ours.apply_chat_template(conversation(), **options) == theirs.apply_chat_template(
            conversation(), **options
        )
    options = dict(tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True)
    assert_same(
        ours.apply_chat_template(conversation(), **options), theirs.apply_chat_template(conversation(), **options)
    )
    many = [conversation(), conversation()[:1]]
    assert ours.apply_chat_template(many) == theirs.apply_chat_template(many)
    batch = ours.apply_chat_template(many, padding=True, **options)
    assert_same(batch, theirs.apply_chat_template(many, processor_kwargs={"padding": True}, **options))
    assert batch.pixel_values.shape == (3, 3, 20, 20)
    ids = ours.apply_chat_template(conversation(), tokenize=True)
    assert ids == theirs.apply_chat_template(conversation(), tokenize=True)


def test_images_of_a_conversation_may_be_files_addresses_or_base64(words: Path, tmp_path: Path) -> None:
    import base64

    PICTURES[0].save(tmp_path / "a.png")
    text = base64.b64encode((tmp_path / "a.png").read_bytes()).decode()
    processor = nabi.LlavaProcessor(
        nabi.CLIPImageProcessor(**SMALL), AutoTokenizer.from_pretrained(words), chat_template=TEMPLATE, **LLAVA
    )
    wanted = processor(images=PICTURES[0], text="USER : <image> ", return_tensors="np").pixel_values
    for block in (
        {"type": "image", "path": str(tmp_path / "a.png")},
        {"type": "image", "base64": text},
        {"type": "image", "url": f"data:image/png;base64,{text}"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{text}"}},
    ):
        made = processor.apply_chat_template(
            [{"role": "USER", "content": [block]}], tokenize=True, return_dict=True, return_tensors="np"
        )
        assert np.array_equal(made.pixel_values, wanted)
    with pytest.raises(ValueError, match=r"use processor\.tokenizer\.apply_chat_template"):
        processor.apply_chat_template(conversation(), return_assistant_tokens_mask=True)


def test_llavas_folders_go_both_ways_with_the_template(words: Path, tmp_path: Path, incumbent: ModuleType) -> None:
    ours, theirs = pair("LlavaProcessor", words, incumbent, **LLAVA, chat_template=TEMPLATE)
    theirs.save_pretrained(str(tmp_path / "theirs"))
    ours.save_pretrained(tmp_path / "ours")
    options = dict(tokenize=True, return_dict=True, return_tensors="np")
    wanted = theirs.apply_chat_template(conversation(), **options)
    for folder in ("theirs", "ours"):
        for loader in (nabi.LlavaProcessor, nabi.AutoProcessor):
            read = loader.from_pretrained(tmp_path / folder)
            assert (read.patch_size, read.num_additional_image_tokens) == (5, 1)
            assert_same(read.apply_chat_template(conversation(), **options), wanted)
    back = incumbent.LlavaProcessor.from_pretrained(str(tmp_path / "ours"))
    assert_same(back.apply_chat_template(conversation(), **options), wanted)
    assert nabi.LlavaProcessor.from_pretrained(tmp_path / "ours", patch_size=4).patch_size == 4


def test_a_template_in_its_old_file_is_read(words: Path, tmp_path: Path, incumbent: ModuleType) -> None:
    pair("LlavaProcessor", words, incumbent, **LLAVA)[0].save_pretrained(tmp_path)
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    read = nabi.LlavaProcessor.from_pretrained(tmp_path)
    assert read.chat_template == TEMPLATE
    assert read.apply_chat_template(conversation()) == "USER : <image> two cats USER : and <image> "


def test_several_templates_are_saved_by_name(words: Path, tmp_path: Path, incumbent: ModuleType) -> None:
    ours, _ = pair(
        "LlavaProcessor", words, incumbent, chat_template={"default": TEMPLATE, "short": "{{ messages|length }}"}
    )
    assert ours.apply_chat_template(conversation(), chat_template="short") == "2"
    ours.save_pretrained(tmp_path)
    for read in (
        nabi.LlavaProcessor.from_pretrained(tmp_path),
        incumbent.LlavaProcessor.from_pretrained(str(tmp_path)),
    ):
        assert read.apply_chat_template(conversation(), chat_template="short") == "2"
        assert read.apply_chat_template(conversation()) == "USER : <image> two cats USER : and <image> "
    ours.chat_template = {"../outside": "x"}
    with pytest.raises(ValueError, match="cannot be a file's name"):
        ours.save_pretrained(tmp_path)


def test_what_a_model_wrote_is_decoded(words: Path, incumbent: ModuleType) -> None:
    ours, theirs = pair("LlavaProcessor", words, incumbent, **LLAVA)
    ids = torch.tensor([[2, 6, 8, 3], [2, 9, 10, 0]])
    assert ours.post_process_image_text_to_text(ids) == theirs.post_process_image_text_to_text(ids)
