"""SummarizationPipeline and TranslationPipeline, as classes."""

from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    SummarizationPipeline,
    Text2TextGenerationPipeline,
    TranslationPipeline,
)

model = AutoModelForSeq2SeqLM.from_pretrained("t5-small")
tokenizer = AutoTokenizer.from_pretrained("t5-small")
options = {"max_new_tokens": 8, "num_beams": 1}
text = "summarize: the weather was good"
summary = SummarizationPipeline(model=model, tokenizer=tokenizer)(text, **options)[0]["summary_text"]
general = Text2TextGenerationPipeline(model=model, tokenizer=tokenizer)(text, **options)[0]["generated_text"]
translated = TranslationPipeline(model=model, tokenizer=tokenizer)(text, **options)[0]["translation_text"]
ids = model.generate(**tokenizer(text, return_tensors="pt"), **options)
assert (
    summary.strip()
    == general.strip()
    == translated.strip()
    == tokenizer.decode(ids[0], skip_special_tokens=True).strip()
)
