"""A subclass with three steps, registered under a task of its own."""

import torch
from transformers import AutoModelForSequenceClassification, Pipeline, pipeline
from transformers.pipelines import PIPELINE_REGISTRY


class PairClassificationPipeline(Pipeline):
    def _sanitize_parameters(self, **kwargs):
        preprocess = {"second_text": kwargs["second_text"]} if "second_text" in kwargs else {}
        return preprocess, {}, {}

    def preprocess(self, text, second_text=None):
        return self.tokenizer(text, text_pair=second_text, return_tensors="pt")

    def _forward(self, model_inputs):
        return self.model(**model_inputs)

    def postprocess(self, model_outputs):
        probabilities = torch.softmax(model_outputs.logits[0], -1)
        best = int(probabilities.argmax())
        return {"label": self.model.config.id2label[best], "score": float(probabilities[best])}


PIPELINE_REGISTRY.register_pipeline(
    "pair-classification", pipeline_class=PairClassificationPipeline, pt_model=AutoModelForSequenceClassification
)
classifier = pipeline("pair-classification", model="facebook/bart-large-mnli")
answer = classifier("I am twenty years old.", second_text="I am old.")
inputs = classifier.tokenizer("I am twenty years old.", "I am old.", return_tensors="pt")
with torch.no_grad():
    expected = classifier.model(**inputs).logits[0].softmax(-1)
assert answer["label"] == classifier.model.config.id2label[int(expected.argmax())]
assert abs(answer["score"] - float(expected.max())) < 1e-5
