"""Train nabi's embedded sentiment model, Korean and English, from nothing, in about two hours on two CPU cores.

    python examples/train_embedded.py --data FOLDER --output FOLDER              # train, evaluate, write the folder
    python examples/train_embedded.py --data FOLDER --output FOLDER --evaluate   # only evaluate what is there
    python examples/train_embedded.py … --work FOLDER                            # keep checkpoints; go on after a break
    python examples/train_embedded.py … --limit 2000                             # try all its steps

FOLDER holds nsmc/ and en_sentiment/, each with {train,validation,test}.tsv (columns id, document, label).
Needs nabi with the extra `train`. Read it from top to bottom; every step is one function:

1. a tokenizer of 12,000 Unigram pieces, learned from the training texts;
2. a teacher: logistic regressions on n-grams, whose opinion about each text softens the noisy labels;
3. pre-training: word vectors from counts, then guessing masked tokens (BertForMaskedLM), in the same texts;
4. the classifier (BertForSequenceClassification), which starts from the pre-trained body;
5. distillation: on texts mixed from two, whose target is what teacher and classifier say of them together;
6. the mean of the weights that steps 4 and 5 ended with.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from tokenizers.trainers import UnigramTrainer

from nabi import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
    get_last_checkpoint,
    load_data,
)

CORPORA = {"ko": "nsmc", "en": "en_sentiment"}
COPIES = {"ko": 1, "en": 3}  # English has a tenth of the texts: each is seen three times in a pass
LABELS = ["negative", "positive"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, MASK = SPECIAL.index("[PAD]"), SPECIAL.index("[MASK]")
MAX_LENGTH = 256


def read(data: Path, language: str, split: str, limit: int | None = None) -> tuple[list[str], np.ndarray]:
    """The texts of one file, and their labels: 0 negative, 1 positive."""
    rows = load_data(data / CORPORA[language], text="document", label="label", split=split, limit=limit)
    return rows["text"], np.array(rows["label"])


# --- 1. the tokenizer ----------------------------------------------------------------------------------------------
def train_tokenizer(texts: list[str], vocab_size: int = 12000) -> Tokenizer:
    """Unigram pieces of lower-cased text. Hangul stays composed (NFC); a rare letter is spelled in its bytes."""
    tokenizer = Tokenizer(Unigram())
    lower = normalizers.BertNormalizer(handle_chinese_chars=False, strip_accents=False, lowercase=True)
    spaces = normalizers.Replace(Regex(" +"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), lower, spaces, normalizers.Strip()])
    # "▁" marks where a word begins; runs of signs ("!!!") stand alone; apostrophes stay in their words.
    runs = pre_tokenizers.Split(Regex(r"[^\w\s▁']+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), runs])
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])

    clean = [tokenizer.normalizer.normalize_str(text) for text in texts]
    counts = Counter(letter for text in clean for letter in text)
    rare = str.maketrans({letter: " " for letter, count in counts.items() if count < 30})
    trainer = UnigramTrainer(
        vocab_size=vocab_size - 256, special_tokens=SPECIAL, unk_token="[UNK]", max_piece_length=16, show_progress=False
    )
    tokenizer.train_from_iterator((text.translate(rare) for text in clean), trainer)

    # The trainer knows no bytes: add the 256 pieces, less likely than any learned one, to the saved form.
    state = json.loads(tokenizer.to_str())
    pieces = [(piece, round(score, 3)) for piece, score in state["model"]["vocab"]]
    lowest = min(score for _, score in pieces)
    state["model"]["vocab"] = pieces + [(f"<0x{byte:02X}>", lowest - 10) for byte in range(256)]
    state["model"]["byte_fallback"] = True
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, SPECIAL.index(token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def for_models(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """The tokenizer as models and trainers know it."""
    names = {f"{token[1:-1].lower()}_token": token for token in SPECIAL}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=MAX_LENGTH, **names)


def shaken(tokenizer: Tokenizer, spread: float, rng: np.random.Generator) -> Tokenizer:
    """The same pieces, each a little more or less likely: words fall into other pieces than usual.

    To see one text cut in many ways makes a model rely less on single pieces (subword regularisation, Kudo 2018).
    """
    state = json.loads(tokenizer.to_str())
    vocab = state["model"]["vocab"]
    noise = spread * rng.standard_normal(len(vocab))
    state["model"]["vocab"] = [(piece, score + change) for (piece, score), change in zip(vocab, noise, strict=True)]
    return Tokenizer.from_str(json.dumps(state))


# --- what the trainer needs: examples and settings -----------------------------------------------------------------
class Examples(torch.utils.data.Dataset):
    """Texts as tokens, each with its target: how likely negative and positive it is.

    passes: in each of so many epochs but the last, the texts are cut anew; 0: always as usual.
    """

    def __init__(self, tokenizer: Tokenizer, texts: list[str], positive: np.ndarray | None = None, passes: int = 0):
        self.tokenizer, self.texts, self.passes = tokenizer, texts, passes
        self.targets = None if positive is None else np.stack([1 - positive, positive], axis=1).astype(np.float32)
        self.cut(tokenizer)

    def cut(self, tokenizer: Tokenizer) -> None:
        self.ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(self.texts)]

    def set_epoch(self, epoch: int) -> None:
        """The trainer calls this before each epoch, and before it goes on in the middle of one."""
        if self.passes:
            usual = epoch == self.passes - 1
            self.cut(self.tokenizer if usual else shaken(self.tokenizer, 1.5, np.random.default_rng(epoch)))

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, i: int) -> dict[str, Any]:
        ids = {"input_ids": self.ids[i]}
        return ids if self.targets is None else {**ids, "labels": self.targets[i]}


def settings(folder: Path, passes: int = 1, peak: float = 0.0) -> TrainingArguments:
    """AdamW; the learning rate rises to its peak for 6 % of the time and falls linearly to zero."""
    return TrainingArguments(
        str(folder),
        num_train_epochs=passes,
        learning_rate=peak,
        warmup_ratio=0.06,
        weight_decay=0.05,
        adam_beta2=0.98,
        per_device_train_batch_size=64,
        per_device_eval_batch_size=64,
        train_sampling_strategy="group_by_length",  # batches with little padding
        save_steps=500,
        save_total_limit=1,
        use_cpu=True,
    )


def train_to_the_end(trainer: Trainer) -> None:
    """Train from the last checkpoint, if the output folder has one: after a break it is as if there had been none."""
    trainer.train(resume_from_checkpoint=get_last_checkpoint(trainer.args.output_dir))


# --- 2. the teacher ------------------------------------------------------------------------------------------------
class Ngrams:
    """Five logistic regressions on n-grams, each fitted without one fifth (a fold) of the texts, which it judges."""

    def __init__(self, texts: list[str], labels: np.ndarray) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold
        from sklearn.pipeline import make_union

        options = {"min_df": 3, "sublinear_tf": True, "dtype": np.float32}
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **options)
        words = TfidfVectorizer(token_pattern=r"[\w']+|[^\w\s]+", ngram_range=(1, 2), **options)
        self.features = make_union(letters, words)
        seen = self.features.fit_transform(texts).tocsr()
        self.folds = np.zeros(len(texts), dtype=int)
        self.models = []
        for fold, (known, unknown) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(seen, labels)):
            # Weighting each n-gram by its naive Bayes log ratio (NB-SVM, Wang and Manning 2012) helps a little.
            positive, negative = (1 + seen[known][labels[known] == c].sum(0).A1 for c in (1, 0))
            ratio = np.log((positive / positive.sum()) / (negative / negative.sum()))
            weighted = seen[known].multiply(ratio).tocsr()
            model = LogisticRegression(C=4, solver="liblinear", dual=True, tol=0.01, random_state=0).fit(
                weighted, labels[known]
            )
            self.models.append((ratio, model))
            self.folds[unknown] = fold
        self.opinions = self._judge(seen, self.folds)
        right = ((self.opinions > 0.5) == labels).mean()
        print(f"  the teacher is right on {right:.4f} of texts that it was not fitted on", flush=True)

    def judge(self, texts: list[str], folds: np.ndarray) -> np.ndarray:
        """How likely positive each text is to the model that never saw the texts of its fold."""
        return self._judge(self.features.transform(texts).tocsr(), folds)

    def _judge(self, features: Any, folds: np.ndarray) -> np.ndarray:
        scores = np.zeros(len(folds), dtype=np.float32)
        for fold, (ratio, model) in enumerate(self.models):
            mine = folds == fold
            scores[mine] = model.predict_proba(features[mine].multiply(ratio).tocsr())[:, 1]
        return scores


def with_joined(
    texts: list[str], positive: np.ndarray, kinds: np.ndarray, rng: np.random.Generator
) -> tuple[list[str], np.ndarray]:
    """More examples, each of two to eight texts of one kind: reviews are short, users' texts may be long."""
    texts, means = list(texts), [positive]
    for kind in np.unique(kinds):
        members = np.flatnonzero(kinds == kind)
        for _ in range(min(400, len(members) // 10)):
            chosen = rng.choice(members, rng.integers(2, 9))
            texts.append(" ".join(texts[i] for i in chosen))
            means.append(positive[chosen].mean(keepdims=True))
    return texts, np.concatenate(means)


# --- 3. pre-training -----------------------------------------------------------------------------------------------
def word_vectors(ids: list[list[int]], vocab_size: int, width: int) -> np.ndarray:
    """(vocabulary, width): pieces that stand among the same neighbours get nearly the same vector.

    Singular vectors of the positive pointwise mutual information (Levy and Goldberg 2014): a start that takes
    seconds, so that pre-training need not begin with finding out which pieces are alike.
    """
    from scipy.sparse import coo_matrix, csr_matrix
    from sklearn.utils.extmath import randomized_svd

    reach, inner = 5, len(SPECIAL)
    stream = np.concatenate([[*text[1:-1], *[PAD] * reach] for text in ids])
    together = csr_matrix((vocab_size, vocab_size), dtype=np.float32)
    for distance in range(1, reach + 1):
        left, right = stream[:-distance], stream[distance:]
        real = (left >= inner) & (right >= inner)
        weight = np.full(real.sum(), 1 / distance, dtype=np.float32)
        pairs = coo_matrix((weight, (left[real], right[real])), shape=together.shape).tocsr()
        together = together + pairs + pairs.T
    together = together.tocoo()
    count = np.asarray(together.sum(1)).ravel() + 1e-9
    chance = count**0.75 / (count**0.75).sum()
    information = np.log(together.data / (count[together.row] * chance[together.col]))
    kept = information > 0
    matrix = csr_matrix((information[kept], (together.row[kept], together.col[kept])), shape=together.shape)
    vectors, strengths, _ = randomized_svd(matrix, width, n_iter=3, random_state=0)
    vectors *= np.sqrt(strengths)
    return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6)


class MaskedTokensTrainer(Trainer):
    """Only the masked positions pass through the vocabulary's large matrix."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False) -> Any:
        labels = inputs.pop("labels")
        outputs = model.bert(**inputs)
        masked = labels != -100
        loss = F.cross_entropy(model.score_tokens(outputs.last_hidden_state[masked]), labels[masked])
        return (loss, outputs) if return_outputs else loss


def pretrain(texts: list[str], tokenizer: Tokenizer, folder: Path, passes: int) -> BertForMaskedLM:
    """Guess 20 % of the tokens from the others."""
    examples = Examples(tokenizer, texts, passes=passes)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=384,
        max_position_embeddings=MAX_LENGTH,
        hidden_dropout_prob=0.0,  # slow on a CPU; hidden tokens and shaken pieces do its work
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.1,
        pad_token_id=PAD,
        id2label=dict(enumerate(LABELS)),
        label2id={name: number for number, name in enumerate(LABELS)},
    )
    torch.manual_seed(0)
    model = BertForMaskedLM(config)
    with torch.no_grad():
        vectors = word_vectors(examples.ids, config.vocab_size, config.hidden_size)
        model.get_input_embeddings().weight.copy_(torch.from_numpy(vectors))
    trainer = MaskedTokensTrainer(
        model,
        settings(folder, passes, peak=1e-3),
        data_collator=DataCollatorForLanguageModeling(for_models(tokenizer), mlm_probability=0.2),
        train_dataset=examples,
    )
    train_to_the_end(trainer)
    return model


# --- 4. the classifier ---------------------------------------------------------------------------------------------
class HidingTrainer(Trainer):
    """Hides 0 to 20 % of a text's tokens: no single word may decide alone. Pre-training has taught the model to cope.

    The targets are probabilities, for which cross entropy serves as well as for labels.
    """

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False) -> Any:
        targets = inputs.pop("labels")
        if model.training:
            ids = inputs["input_ids"]
            hide = (torch.rand(ids.shape) < 0.2 * torch.rand(len(ids), 1)) & (ids >= len(SPECIAL))
            inputs["input_ids"] = ids.masked_fill(hide, MASK)
        outputs = model(**inputs)
        loss = F.cross_entropy(outputs.logits, targets)
        return (loss, outputs) if return_outputs else loss


def accuracy(prediction: Any) -> dict[str, float]:
    right = prediction.predictions.argmax(-1) == prediction.label_ids.argmax(-1)
    return {"accuracy": right.mean()}


def finetune(
    model: BertForSequenceClassification,
    examples: Examples,
    validation: dict[str, Examples],
    folder: Path,
    passes: int,
    peak: float,
) -> None:
    """Teach the model the examples' targets, in place."""
    trainer = HidingTrainer(
        model,
        settings(folder, passes, peak).set_evaluate("epoch", batch_size=64),
        train_dataset=examples,
        eval_dataset=validation,
        processing_class=for_models(examples.tokenizer),
        compute_metrics=accuracy,
    )
    train_to_the_end(trainer)


# --- 5. distillation -----------------------------------------------------------------------------------------------
def mixed(texts: list[str], groups: np.ndarray, rng: np.random.Generator) -> list[str]:
    """For each text a new one: its first words, then the last words of another of its group."""
    partners = np.arange(len(texts))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        partners[members] = rng.permutation(members)
    result = []
    for text, partner, place in zip(texts, partners, rng.random(len(texts)), strict=True):
        first, last = text.split(" "), texts[partner].split(" ")
        words = first[: round(place * len(first))] + last[round(place * len(last)) :]
        result.append(" ".join(words or first))
    return result


def opinions_of(model: BertForSequenceClassification, tokenizer: Tokenizer, texts: list[str], work: Path) -> np.ndarray:
    """How likely positive each text is to the model."""
    trainer = Trainer(model, settings(work), processing_class=for_models(tokenizer))
    logits = trainer.predict(Examples(tokenizer, texts)).predictions
    return torch.from_numpy(logits).softmax(-1)[:, 1].numpy()


def mixed_examples(
    model: BertForSequenceClassification,
    tokenizer: Tokenizer,
    corpora: dict[str, tuple[list[str], np.ndarray]],
    teachers: dict[str, Ngrams],
    work: Path,
    passes: int,
    rng: np.random.Generator,
) -> Examples:
    """The classifier alone errs where the n-grams do not, and the other way round: teach it what both say together.

    They say it of texts that neither was fitted on: each is mixed from two of one label and one fold.
    """
    parts = []
    for number, (language, (texts, labels)) in enumerate(corpora.items()):
        teacher, kinds = teachers[language], 2 * number + labels
        for _ in range(COPIES[language]):
            new = mixed(texts, 5 * labels + teacher.folds, rng)
            both = (teacher.judge(new, teacher.folds) + opinions_of(model, tokenizer, new, work)) / 2
            parts.append((new, both, kinds))
            some = rng.permutation(len(texts))[: len(texts) // 2]  # and half of the real ones, as before
            softened = (labels + teacher.opinions)[some] / 2
            parts.append(([texts[i] for i in some], softened, kinds[some]))
    every_text = [text for part, _, _ in parts for text in part]
    every_target, every_kind = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    return Examples(tokenizer, *with_joined(every_text, every_target, every_kind, rng), passes=passes)


# --- the whole -----------------------------------------------------------------------------------------------------
def train(data: Path, output: Path, work: Path, limit: int | None) -> None:
    """All six steps. The last one's model goes to `output`, the weights in half precision.

    `work` keeps the tokenizer and the checkpoints of steps 3, 4 and 5, from which a run that was cut short goes on.
    """
    corpora = {language: read(data, language, "train", limit) for language in CORPORA}

    print("1. tokenizer", flush=True)
    learned = work / "tokenizer.json"
    if not learned.exists():
        train_tokenizer(corpora["ko"][0] + 4 * corpora["en"][0]).save(str(learned))
    tokenizer = Tokenizer.from_file(str(learned))
    for_models(tokenizer).save_pretrained(output)
    tokenizer.enable_truncation(MAX_LENGTH)

    print("2. teacher", flush=True)
    teachers = {language: Ngrams(*corpus) for language, corpus in corpora.items()}
    chosen: list[str] = []
    targets, kinds = [], []
    for number, (language, (texts, labels)) in enumerate(corpora.items()):
        copies = COPIES[language]
        chosen += copies * texts
        targets += copies * [(labels + teachers[language].opinions) / 2]
        kinds += copies * [2 * number + labels]
    chosen, softened = with_joined(chosen, np.concatenate(targets), np.concatenate(kinds), np.random.default_rng(0))

    print("3. pre-training", flush=True)
    pretrain(chosen, tokenizer, work / "pretraining", passes=6).save_pretrained(work / "body")

    print("4. classifier", flush=True)
    torch.manual_seed(0)
    model = BertForSequenceClassification.from_pretrained(work / "body")
    validation = {language: Examples(tokenizer, *read(data, language, "validation")) for language in CORPORA}
    finetune(model, Examples(tokenizer, chosen, softened, 4), validation, work / "classifier", 4, peak=5e-4)
    ends = [{name: weight.clone() for name, weight in model.state_dict().items()}]

    print("5. distillation", flush=True)
    for number, passes in enumerate((3, 2)):  # the second time the classifier is a better teacher
        rng = np.random.default_rng(number)
        examples = mixed_examples(model, tokenizer, corpora, teachers, work, passes, rng)
        finetune(model, examples, validation, work / f"distilled-{number}", passes, peak=3e-4)
        ends.append({name: weight.clone() for name, weight in model.state_dict().items()})

    print("6. mean of the weights", flush=True)
    # Models that began as one lie near enough for the mean of their weights to be better than each (Wortsman 2022).
    model.load_state_dict({name: sum(end[name] for end in ends) / len(ends) for name in ends[0]})
    vars(model.config).pop("_name_or_path", None)  # the work folder is nobody's business
    model.half().save_pretrained(output)


def evaluate(data: Path, folder: Path, work: Path) -> None:
    """Print the accuracy by split and language, as the folder's README.md, its model card, quotes it."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = BertForSequenceClassification.from_pretrained(folder)
    trainer = Trainer(model, settings(work), processing_class=tokenizer, compute_metrics="accuracy")
    for split in ("validation", "test"):
        for language, name in CORPORA.items():
            rows = load_data(data / name, text="document", label="label", split=split)
            rows = rows.map(lambda rows: tokenizer(rows["text"], truncation=True), batched=True)
            right = trainer.evaluate(rows)["eval_accuracy"]
            print(f"{split} {language}: {right:.4f} of {len(rows)} texts", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train nabi's embedded sentiment model, or evaluate it.")
    parser.add_argument("--data", type=Path, required=True, help="folder with nsmc/ and en_sentiment/")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint folder to write, or to evaluate")
    parser.add_argument("--work", type=Path, help="folder that keeps checkpoints, to go on after a break")
    parser.add_argument("--limit", type=int, help="train on so many texts of each language only, to try it")
    parser.add_argument("--evaluate", action="store_true", help="only evaluate the checkpoint in --output")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if not args.evaluate:
            train(args.data, args.output, work, args.limit)
        evaluate(args.data, args.output, work)
