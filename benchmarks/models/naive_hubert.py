"""HuBERT-ECG and ECG-FM by transformers' own HubertModel, with its default attention (fused)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.signal import filtfilt, firwin
from torch import Tensor, nn
from transformers import HubertConfig, HubertModel

from benchmarks.models.weights import copy_weights
from hf_ecg_bench.models.registry import get_model_spec

# HubertModel's names -> those in ECG-FM's public file.
FAIRSEQ_NAMES = (
    (r"^(feature_extractor\.conv_layers\.\d+)\.conv\.", r"\1.0."),
    (r"^(feature_extractor\.conv_layers\.0)\.layer_norm\.", r"\1.2."),
    (r"^feature_projection\.layer_norm\.", "layer_norm."),
    (r"^feature_projection\.projection\.", "post_extract_proj."),
    (r"^encoder\.pos_conv_embed\.conv\.", "conv_pos.pos_conv.0."),
    (r"^(encoder\.layers\.\d+)\.attention\.", r"\1.self_attn."),
    (r"^(encoder\.layers\.\d+)\.layer_norm\.", r"\1.self_attn_layer_norm."),
    (r"^(encoder\.layers\.\d+)\.feed_forward\.intermediate_dense\.", r"\1.fc1."),
    (r"^(encoder\.layers\.\d+)\.feed_forward\.output_dense\.", r"\1.fc2."),
)


def hubert(config: Any) -> HubertModel:
    """An untrained HubertModel of our configuration's sizes and dropouts, without time masking."""
    return HubertModel(
        HubertConfig(
            hidden_size=config.hidden_size,
            num_hidden_layers=config.n_layers,
            num_attention_heads=config.n_heads,
            intermediate_size=config.intermediate_size,
            conv_dim=[config.extractor_width] * len(config.extractor_kernels),
            conv_kernel=config.extractor_kernels,
            conv_stride=config.extractor_strides,
            num_conv_pos_embeddings=config.position_kernel,
            num_conv_pos_embedding_groups=config.position_groups,
            hidden_dropout=config.hidden_dropout,
            attention_dropout=config.attention_dropout,
            activation_dropout=config.activation_dropout,
            layerdrop=config.layer_drop,
            feat_proj_dropout=0.0,
            apply_spec_augment=False,
            mask_time_prob=0.0,
        )
    )


class NaiveHubertEcg(nn.Module):
    """Each lead of each window through scipy's filtfilt on the way in, as in the reference."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        self.model = hubert(ours.config)
        self.taps = firwin(31, [0.05, 47], pass_zero=False, fs=100)
        copy_weights(self.model, ours, get_model_spec("hubert_ecg"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        windows = torch.nan_to_num(x).float().cpu().numpy()
        rows = []
        for window in windows:
            leads = [filtfilt(self.taps, 1.0, lead) for lead in window]
            rows.append(
                np.concatenate([2 * (lead - lead.min()) / (np.ptp(lead) + 1e-8) - 1 for lead in leads])
            )  # a dead lead becomes -1
        flat = torch.from_numpy(np.stack(rows)).to(x)
        tokens = self.model(flat).last_hidden_state
        return tokens, tokens.mean(1)


class NaiveEcgFm(nn.Module):
    """The same transformer behind four convolutions of the twelve leads, which get no gradient."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        self.model = hubert(ours.config)
        first = self.model.feature_extractor.conv_layers[0].conv
        width, kernel, stride = first.out_channels, first.kernel_size, first.stride
        self.model.feature_extractor.conv_layers[0].conv = nn.Conv1d(12, width, kernel, stride, bias=False)
        copy_weights(self.model, ours, get_model_spec("ecg_fm"), renames=FAIRSEQ_NAMES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.nan_to_num(x)
        with torch.no_grad():
            for layer in self.model.feature_extractor.conv_layers:
                x = layer(x)
        x = self.model.feature_projection(x.transpose(1, 2))
        tokens = self.model.encoder(x).last_hidden_state
        return tokens, tokens.mean(1)
