"""bertviz: the head view and the model view of an encoder, of a pair of sentences, and of an encoder-decoder."""

import json
import re

import torch
from answer import answer
from bertviz import head_view, model_view
from transformers import AutoModel, AutoModelForSeq2SeqLM, AutoTokenizer


def seen(page):
    """The numbers and tokens in a page, which carries them as JSON."""
    data = json.loads(re.search(r"const params = (\{.*\});", page.data)[1])
    return [
        {"attention": part["attn"], "left": part["left_text"], "right": part["right_text"]}
        for part in data["attention"]
    ]


tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModel.from_pretrained("klue/bert-base", attn_implementation="eager")
inputs = tokenizer("나비가 꽃밭 위를", "날아다닙니다", return_tensors="pt")
with torch.no_grad():
    attention = model(**inputs, output_attentions=True).attentions
    model = AutoModel.from_pretrained("klue/bert-base", output_attentions=True)
    documented = model(**inputs)[-1]  # as bertviz's documentation has it; transformers 5 leaves it empty
tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
second = inputs["token_type_ids"][0].tolist().index(1)
heads = head_view(attention, tokens, second, html_action="return")
grid = model_view(attention, tokens, include_layers=[1], html_action="return")

tokenizer = AutoTokenizer.from_pretrained("facebook/bart-base")
model = AutoModelForSeq2SeqLM.from_pretrained("facebook/bart-base", attn_implementation="eager")
source = tokenizer("The weather was good today.", return_tensors="pt").input_ids
target = tokenizer("Once upon a time", return_tensors="pt").input_ids
with torch.no_grad():
    outputs = model(input_ids=source, decoder_input_ids=target, output_attentions=True)
both = head_view(
    encoder_attention=outputs.encoder_attentions,
    decoder_attention=outputs.decoder_attentions,
    cross_attention=outputs.cross_attentions,
    encoder_tokens=tokenizer.convert_ids_to_tokens(source[0]),
    decoder_tokens=tokenizer.convert_ids_to_tokens(target[0]),
    html_action="return",
)

answer(heads=seen(heads), grid=seen(grid), both=seen(both), attention=list(attention), documented=list(documented))
