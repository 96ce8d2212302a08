"""evaluate: a metric from a local file, alone and combined, and the evaluator around a pipeline."""

from pathlib import Path

import evaluate
from answer import answer
from datasets import ClassLabel, Dataset, Features, Value
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

TEXTS = [
    "이 영화는 정말 최고예요!",
    "지루하고 시간이 아까웠어요.",
    "배우들의 연기가 훌륭했습니다.",
    "다시는 보고 싶지 않은 영화네요.",
]
METRIC = """
import datasets
import evaluate


class Share(evaluate.Metric):
    def _info(self):
        features = datasets.Features({"predictions": datasets.Value("int32"), "references": datasets.Value("int32")})
        return evaluate.MetricInfo(description="share of hits", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references):
        return {"share": sum(p == r for p, r in zip(predictions, references, strict=True)) / len(references)}
"""
Path("share").mkdir()
Path("share/share.py").write_text(METRIC, encoding="utf-8")

share = evaluate.load("./share")
name = "snunlp/KR-FinBert-SC"
pipe = pipeline("text-classification", model=name)
labels = pipe.model.config.id2label
guesses = [pipe.model.config.label2id[row["label"]] for row in pipe(TEXTS)]
for guess in guesses:
    share.add(prediction=guess, reference=1)
one_by_one = share.compute()

features = Features({"text": Value("string"), "label": ClassLabel(names=list(labels.values()))})
data = Dataset.from_dict({"text": TEXTS, "label": [2, 0, 2, 0]}, features=features)
judge = evaluate.evaluator("text-classification")
parts = {
    "model_or_pipeline": AutoModelForSequenceClassification.from_pretrained(name),
    "tokenizer": AutoTokenizer.from_pretrained(name),
}
by_parts = judge.compute(**parts, data=data, metric=share, label_mapping=pipe.model.config.label2id)
try:
    by_pipeline = judge.compute(pipe, data, metric=share, label_mapping=pipe.model.config.label2id)["share"]
except AttributeError:  # evaluate asks for TFPreTrainedModel, which transformers 5 has no more
    by_pipeline = None

answer(
    guesses=guesses,
    one_by_one=one_by_one,
    by_pipeline=by_pipeline,
    by_parts=by_parts["share"],
    timed=by_parts["samples_per_second"] > 0,
)
