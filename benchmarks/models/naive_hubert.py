"""HuBERT-ECG and ECG-FM by transformers' own HubertModel, with its default attention (fused)."""

from __future__ import annotations

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


def hubert(config, channels: int, kernels: tuple[int, ...], strides: tuple[int, ...], **options: float) -> HubertModel:  # type: ignore[no-untyped-def]
    """An untrained HubertModel of our configuration's sizes, without time masking and layer drop."""
    return HubertModel(
        HubertConfig(
            hidden_size=config.hidden_size,
            num_hidden_layers=config.n_layers,
            num_attention_heads=config.n_heads,
            intermediate_size=config.intermediate_size,
            conv_dim=(channels,) * len(kernels),
            conv_kernel=kernels,
            conv_stride=strides,
            num_conv_pos_embeddings=128,
            num_conv_pos_embedding_groups=16,
            apply_spec_augment=False,
            mask_time_prob=0.0,
            layerdrop=0.0,
            final_dropout=0.0,
            **options,
        )
    )


class NaiveHubertEcg(nn.Module):
    """Each lead of each window through scipy's filtfilt on the way in, as in the reference."""

    def __init__(self, ours: nn.Module) -> None:
        super().__init__()
        dropout = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout"), 0.1)
        self.model = hubert(ours.config, 512, (10, 3, 3, 2, 2), (4, 2, 2, 2, 2), **dropout | {"feat_proj_dropout": 0.0})
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
        dropout = dict.fromkeys(("hidden_dropout", "attention_dropout", "feat_proj_dropout"), 0.0)
        self.model = hubert(ours.config, 256, (2,) * 4, (2,) * 4, **dropout, activation_dropout=0.1)
        self.model.feature_extractor.conv_layers[0].conv = nn.Conv1d(12, 256, 2, 2, bias=False)
        copy_weights(self.model, ours, get_model_spec("ecg_fm"), renames=FAIRSEQ_NAMES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.nan_to_num(x)
        with torch.no_grad():
            for layer in self.model.feature_extractor.conv_layers:
                x = layer(x)
        x = self.model.feature_projection(x.transpose(1, 2))
        tokens = self.model.encoder(x).last_hidden_state
        return tokens, tokens.mean(1)
