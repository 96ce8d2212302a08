"""Replaced-token detection, ELECTRA's pre-training (arXiv:2003.10555): a small generator fills in masked tokens, and
the discriminator, the model that is kept, tells which tokens are not the text's own.

    나비 가 [MASK] 위 를  ─► generator ─► 나비 가 집 위 를  ─► discriminator ─► 0 0 1 0 0
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...auto import AutoModelForMaskedLM, AutoModelForPreTraining
from ...nn.losses import IGNORED
from ...outputs import ModelOutput
from ..checkpoints import restore_weights


class ReplacedTokenDetectionOutput(ModelOutput):
    loss: Tensor | None
    logits: Tensor
    generator_loss: Tensor | None
    discriminator_loss: Tensor | None


class ReplacedTokenDetection(nn.Module):
    """Both models as one, for batches of DataCollatorForLanguageModeling; loss: generator's + weight * discriminator's.

    generator: a masked language model, a quarter to a half as wide as the discriminator (its embeddings as wide).
    discriminator: it scores each token, above 0 for a replaced one (ElectraForPreTraining).
    temperature: of sampling from the generator. tie_embeddings: one table of words, of positions and of segments for
    both. Raises ValueError where their vocabularies, or tables that are to be tied, differ in size.
    """

    def __init__(
        self,
        generator: Any,
        discriminator: Any,
        discriminator_weight: float = 50.0,
        temperature: float = 1.0,
        tie_embeddings: bool = True,
    ) -> None:
        super().__init__()
        sizes = [one.config.vocab_size for one in (generator, discriminator)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"the generator knows {sizes[0]} tokens, the discriminator {sizes[1]}: both must use one tokenizer"
            )
        if temperature <= 0:
            raise ValueError(f"temperature is {temperature}; it divides the generator's logits: give a number above 0")
        if tie_embeddings:
            share_embeddings(generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.discriminator_weight = discriminator_weight
        self.temperature = temperature
        self.config = discriminator.config

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> ReplacedTokenDetectionOutput:
        """logits (batch, length) of the discriminator, above 0 where it takes a token for a replaced one.

        input_ids (batch, length) with masked tokens; labels their own ids, -100 where nothing was masked. Without
        labels nothing is replaced: the discriminator reads the ids as they are.
        """
        given = {"attention_mask": attention_mask, "token_type_ids": token_type_ids}
        beside = {name: value for name, value in given.items() if value is not None}
        if labels is None:
            return ReplacedTokenDetectionOutput(logits=self.discriminator(input_ids, **beside).logits)
        chosen = labels != IGNORED
        guesses = self.generator(input_ids, **beside).logits[chosen]  # (chosen, vocabulary)
        generator_loss = F.cross_entropy(guesses.float(), labels[chosen]) if len(guesses) else guesses.float().sum()
        text = torch.where(chosen, labels, input_ids)
        replaced = text.masked_scatter(chosen, self.sample(guesses.detach()))
        found = self.discriminator(replaced, **beside, labels=(replaced != text).long())
        return ReplacedTokenDetectionOutput(
            loss=generator_loss + self.discriminator_weight * found.loss,
            logits=found.logits,
            generator_loss=generator_loss.detach(),
            discriminator_loss=found.loss.detach(),
        )

    def sample(self, logits: Tensor) -> Tensor:
        """A token of each row of logits (rows, vocabulary), by its probability: no gradient goes through."""
        if not len(logits):
            return torch.zeros(0, dtype=torch.long, device=logits.device)
        return torch.multinomial((logits.float() / self.temperature).softmax(-1), 1).squeeze(1)

    def save_pretrained(self, save_directory: str | Path, *, state_dict: dict[str, Tensor] | None = None) -> None:
        """Write discriminator/ and generator/, each a checkpoint of its own for from_pretrained."""
        for name in ("discriminator", "generator"):
            part = None
            if state_dict is not None:
                part = {k.removeprefix(name + "."): v for k, v in state_dict.items() if k.startswith(name + ".")}
            getattr(self, name).save_pretrained(Path(save_directory) / name, state_dict=part)

    @classmethod
    def from_pretrained(cls, save_directory: str | Path, **settings: Any) -> ReplacedTokenDetection:
        """Both models as save_pretrained wrote them; settings are those of the class."""
        generator = AutoModelForMaskedLM.from_pretrained(Path(save_directory) / "generator")
        discriminator = AutoModelForPreTraining.from_pretrained(Path(save_directory) / "discriminator")
        return cls(generator, discriminator, **settings)

    def restore_weights(self, folder: Path) -> None:
        """Read back what save_pretrained wrote, for a training that goes on."""
        for name in ("discriminator", "generator"):
            restore_weights(getattr(self, name), Path(folder) / name)


def share_embeddings(generator: Any, discriminator: Any) -> None:
    """Give the generator the discriminator's tables, and its vocabulary head with them where that is tied."""
    theirs, own = generator.base_model.embeddings, discriminator.base_model.embeddings
    for name, table in own.named_children():
        other = getattr(theirs, name, None)
        if not isinstance(table, nn.Embedding) or other is None:
            continue
        if other.weight.shape != table.weight.shape:
            raise ValueError(
                f"{name} is {tuple(other.weight.shape)} in the generator and {tuple(table.weight.shape)} in the "
                "discriminator, so they cannot be one: give both configs the same embedding_size (it need not be "
                "hidden_size), or pass tie_embeddings=False"
            )
        other.weight = table.weight
    generator.tie_weights()
