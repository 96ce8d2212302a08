"""HuBERT (arXiv:2106.07447): Wav2Vec2's body, trained to tell clusters of sounds at hidden frames."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from ..nn.mlp import activation_function
from ..nn.pretrained import PreTrainedModel
from ..outputs import BaseModelOutput
from .parts import speech_heads
from .parts.speech_body import SpeechBody, SpeechConfig, SpeechModel


class HubertConfig(SpeechConfig):
    model_type = "hubert"
    no_effect = SpeechConfig.no_effect | {"feat_quantizer_dropout"}  # Wav2Vec2's, there is no quantizer
    only = {"add_adapter": False}  # written down by scripts for all such models

    feat_proj_layer_norm: bool = True
    conv_pos_batch_norm: bool = False


class NormedPositions(nn.Module):
    """Positions as a wide grouped convolution, over frames normalised by the statistics of the training data."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            config.hidden_size,
            config.hidden_size,
            kernel_size=config.num_conv_pos_embeddings,
            padding=config.num_conv_pos_embeddings // 2,
            groups=config.num_conv_pos_embedding_groups,
        )
        self.batch_norm = nn.BatchNorm1d(config.hidden_size)
        self.activation = activation_function(config.feat_extract_activation)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(self.batch_norm(x.transpose(1, 2)))
        return self.activation(y[..., : x.shape[1]]).transpose(1, 2)


class HubertPreTrainedModel(SpeechModel):
    config_class = HubertConfig
    base_model_prefix = "hubert"

    def init_module(self, module: nn.Module) -> None:
        super().init_module(module)
        if isinstance(module, nn.Conv1d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm1d):
            module.reset_parameters()


class HubertModel(HubertPreTrainedModel, SpeechBody):
    def __init__(self, config: Any) -> None:
        super().__init__(config)
        if not config.feat_proj_layer_norm:
            self.feature_projection.layer_norm = nn.Identity()
        self.post_init()

    def make_positions(self, config: Any) -> nn.Module:
        return NormedPositions(config) if config.conv_pos_batch_norm else super().make_positions(config)

    def forward(self, *args: Any, **inputs: Any) -> BaseModelOutput:
        """last_hidden_state (batch, frames, hidden); inputs as in SpeechBody.encode."""
        x, _, context = self.encode(*args, **inputs)
        return BaseModelOutput(last_hidden_state=x, **context.collected())


class HubertHead(HubertPreTrainedModel):
    body_class: ClassVar[type[PreTrainedModel]] = HubertModel


class HubertForCTC(HubertHead, speech_heads.CTC):
    pass


class HubertForSequenceClassification(HubertHead, speech_heads.SpeechClassification):
    pass
