"""sentence-transformers: the real MiniLM; a model put together by hand, trained in both ways; a cross encoder."""

from answer import answer
from datasets import Dataset
from sentence_transformers import (
    CrossEncoder,
    InputExample,
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
    losses,
    models,
    util,
)
from torch.utils.data import DataLoader

SENTENCES = [
    "The little butterfly rests on a yellow flower.",
    "나비가 꽃밭 위를 날아다닙니다.",
    "Paris is the capital of France, and many people visit the city every summer.",
    "A king had three daughters.",
    "",
]
PAIRS = [
    ("이 영화는 정말 최고예요!", "배우들의 연기가 훌륭했습니다."),
    ("지루하고 시간이 아까웠어요.", "다시는 보고 싶지 않은 영화네요."),
    ("서울은 대한민국의 수도이고", "많은 사람들이 한강 공원을 찾습니다."),
]


def by_hand():
    keys = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}  # so that losses can be compared
    body = models.Transformer("klue/bert-base", max_seq_length=32, config_args=keys)
    pooling = models.Pooling(body.get_word_embedding_dimension(), pooling_mode="mean")
    return SentenceTransformer(modules=[body, pooling, models.Normalize()], device="cpu")


found = {}
real = SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2", device="cpu")
vectors = real.encode(SENTENCES, batch_size=2, convert_to_tensor=True)
found["vectors"] = vectors[:, :8]
found["norms"] = vectors.norm(dim=1)
found["similarities"] = real.similarity(vectors, vectors)
found["nearest"] = [hit["corpus_id"] for hit in util.semantic_search(vectors[:1], vectors, top_k=3)[0]]
found["tokens"] = real.encode(SENTENCES[:1], output_value="token_embeddings")[0].shape
found["max_seq_length"] = real.max_seq_length
found["tokenizer"] = len(real.tokenizer)

model = by_hand()
examples = [InputExample(texts=list(pair)) for pair in PAIRS]
loader = DataLoader(examples, batch_size=3, shuffle=False)
model.fit(
    [(loader, losses.MultipleNegativesRankingLoss(model))],
    **{"epochs": 3, "warmup_steps": 1, "optimizer_params": {"lr": 1e-2}, "show_progress_bar": False},
)
found["fit"] = model.encode([text for pair in PAIRS for text in pair])[:, :8]
model.save("fitted")
found["fit, reloaded"] = SentenceTransformer("fitted", device="cpu").encode([text for pair in PAIRS for text in pair])[
    :, :8
]

model = by_hand()
data = Dataset.from_dict(
    {"sentence1": [a for a, _ in PAIRS], "sentence2": [b for _, b in PAIRS], "score": [0.9, 0.1, 0.5]}
)
arguments = SentenceTransformerTrainingArguments(
    *["trained"],
    **{"num_train_epochs": 3, "per_device_train_batch_size": 3, "learning_rate": 1e-2, "logging_steps": 1, "seed": 3},
    **{"use_cpu": True, "report_to": "none", "disable_tqdm": True, "save_strategy": "epoch", "eval_strategy": "epoch"},
)
trainer = SentenceTransformerTrainer(
    model=model, args=arguments, train_dataset=data, eval_dataset=data, loss=losses.CosineSimilarityLoss(model)
)
trainer.train()
found["losses"] = [line["loss"] for line in trainer.state.log_history if "loss" in line]
found["eval losses"] = [line["eval_loss"] for line in trainer.state.log_history if "eval_loss" in line]
found["trained"] = model.encode(SENTENCES)[:, :8]
checkpoint = SentenceTransformer("trained/checkpoint-3", device="cpu")
found["checkpoint"] = checkpoint.encode(SENTENCES)[:, :8]

cross = CrossEncoder("snunlp/KR-FinBert-SC", device="cpu")
found["cross"] = cross.predict(PAIRS)
found["labels"] = cross.config.num_labels

answer(**found)
