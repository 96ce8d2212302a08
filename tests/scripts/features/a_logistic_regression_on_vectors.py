"""A frozen encoder makes features for scikit-learn."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoTokenizer

name = "sentence-transformers/all-MiniLM-L6-v2"
tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name)
good = ["I loved this movie", "a wonderful film", "great acting", "what a joy to watch"]
bad = ["I hated this movie", "a terrible film", "awful acting", "what a waste of time"]


def features(texts):
    with torch.no_grad():
        return model(**tokenizer(texts, padding=True, return_tensors="pt")).last_hidden_state[:, 0].numpy()


classifier = LogisticRegression(max_iter=1000).fit(features(good + bad), [1] * 4 + [0] * 4)
assert classifier.predict(features(["an excellent movie", "a horrible movie"])).tolist() == [1, 0]
assert np.isfinite(classifier.coef_).all() and classifier.coef_.shape == (1, model.config.hidden_size)
