"""Numbers against numbers, and the perplexity that a loss stands for."""

from __future__ import annotations

import math

import numpy as np

from .libraries import needed


def mse(predictions: np.ndarray, references: np.ndarray) -> float:
    """The mean of the squared differences."""
    return float(((predictions - references) ** 2).mean())


def mae(predictions: np.ndarray, references: np.ndarray) -> float:
    """The mean of the absolute differences."""
    return float(np.abs(predictions - references).mean())


def pearson(predictions: np.ndarray, references: np.ndarray) -> float:
    """The linear correlation, -1 to 1; nan where one side is constant."""
    check_enough(references)
    return float(needed("scipy.stats").pearsonr(predictions, references)[0])


def spearman(predictions: np.ndarray, references: np.ndarray) -> float:
    """The correlation of the ranks, -1 to 1; nan where one side is constant."""
    check_enough(references)
    return float(needed("scipy.stats").spearmanr(predictions, references)[0])


def perplexity(losses: np.ndarray, references: None) -> float:
    """e to the mean loss: of how many tokens the model seems to choose. Losses are in nats per token."""
    mean = float(losses.astype(np.float64).mean())
    return math.exp(mean) if mean < 709 else math.inf  # beyond which a float ends


def mean_length(lengths: np.ndarray, references: None) -> float:
    """The mean number of generated tokens."""
    return float(lengths.mean())


def check_enough(references: np.ndarray) -> None:
    if len(references) < 2:
        raise ValueError("a correlation needs two items or more, and there is one")
