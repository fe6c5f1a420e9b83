"""What every model shares: checked inputs, own initialisation, lasting freezing, the classifier around it."""

from __future__ import annotations

import os
from itertools import chain
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel, initialization
from transformers.modeling_layers import GradientCheckpointingLayer

from hf_ecg_bench.errors import CheckpointError, ContractError
from hf_ecg_bench.models.adapters.folders import is_adapter_folder
from hf_ecg_bench.models.checkpointing import CheckpointedBlock
from hf_ecg_bench.models.configuration import EcgConfig
from hf_ecg_bench.models.heads import HEADS
from hf_ecg_bench.models.losses import masked_loss
from hf_ecg_bench.models.outputs import EcgClassifierOutput, EcgModelOutput
from hf_ecg_bench.models.strict import check_loading, explain_loading_errors
from hf_ecg_bench.models.trace import Trace


class EcgPreTrainedModel(PreTrainedModel):
    """Loading that fails on any missing or unexpected tensor, and each module's own initialisation."""

    config_class = EcgConfig
    base_model_prefix = "encoder"
    main_input_name = "input_values"
    accepts_loss_kwargs = False  # Trainer then divides by the gradient accumulation steps itself
    supports_gradient_checkpointing = True  # every repeated block is a GradientCheckpointingLayer

    def __init__(self, config: EcgConfig) -> None:
        config.check()  # from_pretrained sets overrides after the configuration's own check
        super().__init__(config)

    def _initialize_weights(self, module: nn.Module, is_custom_code: bool = False) -> None:
        # As custom code, a module counts as loaded where all its own tensors are. One without any counts too, so its
        # hf_reset (which sets tensors of its parts) would never be called; but a BatchNorm must count: its
        # reset_parameters zeroes the statistics without looking whether they were loaded.
        owns = any(True for _ in chain(module.parameters(recurse=False), module.buffers(recurse=False)))
        super()._initialize_weights(module, is_custom_code=owns)

    def _init_weights(self, module: nn.Module) -> None:
        # The default would redraw every layer from N(0, 0.02). torch.nn.init skips tensors that were loaded.
        for name in ("reset_parameters", "hf_reset"):
            reset = getattr(module, name, None)
            if callable(reset):
                reset()

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Any, *args: Any, output_loading_info: bool = False, **kwargs: Any
    ) -> Any:
        """As in transformers, but strict. A folder of adapters is loaded with the weights that they belong to.

        Raises:
            CheckpointError: a tensor is missing or unexpected. Only a whole head may be: a backbone
                checkpoint in a classifier gets a fresh head (logged), a classifier's head is left out of a
                backbone.
        """
        if (adapters := _adapters_meant(pretrained_model_name_or_path, kwargs)) is not None:
            from hf_ecg_bench.models.adapters.loading import from_adapters

            model = from_adapters(cls, adapters, pretrained_model_name_or_path, kwargs)
            return (model, {}) if output_loading_info else model
        with explain_loading_errors(pretrained_model_name_or_path):
            loaded: Any = super().from_pretrained(
                pretrained_model_name_or_path, *args, output_loading_info=True, **kwargs
            )
        model, info = loaded
        if getattr(model, "_hf_peft_config_loaded", False):  # transformers found them by itself, and checks nothing
            raise CheckpointError(
                f"{pretrained_model_name_or_path} holds adapters", fix="load it with load_model or the Auto classes"
            )
        check_loading(info, model, str(pretrained_model_name_or_path))
        model.apply_freezing()
        model.eval()
        return (model, info) if output_loading_info else model

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> None:
        """As in transformers; beside adapters, too, with the configuration that their head needs."""
        super().save_pretrained(save_directory, *args, **kwargs)
        if getattr(self, "_hf_peft_config_loaded", False) and kwargs.get("is_main_process", True):
            self.config.architectures = [type(self).__name__]
            self.config.save_pretrained(save_directory)

    def apply_freezing(self) -> None:
        """Freeze what the configuration says (from_pretrained makes every parameter trainable again)."""

    def enable_input_require_grads(self) -> None:
        """Nothing to do: only reentrant checkpointing needs an input that requires a gradient."""
        self._require_grads_hooks: list[Any] = []

    def _set_gradient_checkpointing(  # type: ignore[override]
        self, enable: bool = True, gradient_checkpointing_func: Any = checkpoint, **options: Any
    ) -> None:
        super()._set_gradient_checkpointing(enable, gradient_checkpointing_func, **options)
        for module in self.modules() if enable else ():
            if isinstance(module, GradientCheckpointingLayer):
                vars(module)["_gradient_checkpointing_func"] = CheckpointedBlock(module, gradient_checkpointing_func)


def _adapters_meant(source: Any, kwargs: dict[str, Any]) -> Any:
    """The folder of adapters that is meant, or None; PEFT is imported only where there is one."""
    named = (kwargs.get("adapter_kwargs") or {}).get("_adapter_model_path")
    if named is None and not (isinstance(source, str | os.PathLike) and is_adapter_folder(source)):
        return None
    from hf_ecg_bench.models.adapters.loading import adapters_meant

    return adapters_meant(source, kwargs)


class EcgModel(EcgPreTrainedModel):
    """A backbone: `(batch, leads, time)` in mV -> tokens and pooled features, by `forward_features`.

    Subclasses must not call a submodule `encoder`: that name is the backbone's inside a classifier.
    """

    @property
    def has_attentions(self) -> bool:
        """Whether there are attention layers, whose weights `output_attentions` asks for."""
        return False

    def prepare_input(self, input_values: Tensor) -> Tensor:
        """What `forward_features` gets: missing samples become 0, in the dtype of the weights."""
        return torch.nan_to_num(input_values).to(self.dtype)

    def forward_features(self, input_values: Tensor, trace: Trace) -> Tensor:
        """What `prepare_input` returns -> tokens `(batch, tokens, hidden_size)`.

        Hands the tokens before the first block and after each block (or stage) to `trace.state`, and attention
        weights to `trace.attention`.
        """
        raise NotImplementedError

    def pool(self, tokens: Tensor) -> Tensor:
        """Tokens -> pooled features `(batch, hidden_size)`: the plain mean."""
        return tokens.mean(dim=1)

    def forward(
        self,
        input_values: Tensor,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> EcgModelOutput | tuple[Any, ...]:
        """Features of windows.

        Args:
            input_values: (batch, leads, time) in mV, canonical leads, at `config.sampling_rate`. NaN counts
                as 0.
            output_hidden_states, output_attentions: also return every block's tokens or attention weights.

        Raises:
            ContractError: another shape, or attention weights asked of a model without attention.
        """
        self._check_input(input_values)
        if output_attentions and not self.has_attentions:
            raise ContractError(f"{self.config.model_type} has no attention layers: output_attentions has no answer")
        trace = Trace(bool(output_hidden_states), bool(output_attentions))
        tokens = self.forward_features(self.prepare_input(input_values), trace)
        output = EcgModelOutput(
            last_hidden_state=tokens,
            pooler_output=self.pool(tokens),
            hidden_states=trace.hidden_states,
            attentions=trace.attentions,
        )
        return output if return_dict is None or return_dict else output.to_tuple()

    def _check_input(self, input_values: Tensor) -> None:
        shape, leads = tuple(input_values.shape), self.config.n_leads
        if len(shape) != 3 or shape[1] != leads or shape[2] == 0:
            hint = "; transpose it: (batch, time, leads) was passed" if len(shape) == 3 and shape[2] == leads else ""
            raise ContractError(f"input_values must be (batch, {leads}, time), found {shape}{hint}")
        self.config.check_length(shape[2])


class EcgForSequenceClassification(EcgPreTrainedModel):
    """A backbone and a head. Subclasses name `backbone_class`."""

    backbone_class: ClassVar[type[EcgModel]]
    is_regression: Tensor  # (targets,) bool: which targets are continuous
    keeps_frozen_in_eval: bool = True  # only a run that repeats a published fault says otherwise

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """What a backbone declares about itself holds for its classifier."""
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "backbone_class"):
            cls._supports_sdpa = cls.backbone_class._supports_sdpa
            cls._no_split_modules = cls.backbone_class._no_split_modules

    def __init__(self, config: EcgConfig) -> None:
        super().__init__(config)
        self.encoder = self.backbone_class(config)
        self.head = HEADS[config.head](config.hidden_size, config.n_targets)
        self.register_buffer("is_regression", torch.empty(config.n_targets, dtype=torch.bool), persistent=False)
        self.post_init()
        self.apply_freezing()

    def hf_reset(self) -> None:
        """Which targets are continuous: a buffer, so that no step copies it to the device again."""
        kinds = self.config.target_kinds or ["binary"] * self.config.n_targets
        initialization.copy_(self.is_regression, torch.tensor([kind == "regression" for kind in kinds]))

    def apply_freezing(self) -> None:
        """Freeze what the backbone keeps frozen, and all of it where the configuration says so."""
        self.encoder.apply_freezing()
        if self.config.freeze_backbone:
            self.encoder.requires_grad_(False)
            self.encoder.eval()

    def freeze_backbone(self) -> None:
        """Train only the head from now on; saved with the model."""
        self.config.freeze_backbone = True
        self.apply_freezing()

    def train(self, mode: bool = True) -> Self:
        """Train mode, except for what is frozen: its batch statistics and dropout stay as in evaluation.

        That is the backbone where it is frozen as a whole, else each BatchNorm whose own parameters are (under
        adapters, say): if its statistics drifted, an adapter saved without them would give other outputs later.
        """
        super().train(mode)
        if not mode or not self.keeps_frozen_in_eval:
            return self
        if self.config.freeze_backbone:
            self.encoder.eval()
        for module in self.encoder.modules():
            if isinstance(module, _BatchNorm) and module.affine and not module.weight.requires_grad:
                module.eval()
        return self

    def classify(self, features: EcgModelOutput) -> Tensor:
        """Logits (batch, targets) from the backbone's features, for stored features too."""
        return self.head(getattr(features, HEADS[self.config.head].reads))

    def forward(
        self,
        input_values: Tensor,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        return_dict: bool | None = None,
    ) -> EcgClassifierOutput | tuple[Any, ...]:
        """Logits of windows, and the loss where labels are given.

        Args:
            input_values: (batch, leads, time) in mV.
            labels: (batch, targets), NaN where missing; regression targets z-scored.
            output_hidden_states, output_attentions: as in EcgModel.forward.

        Returns:
            loss, logits and the backbone's features. The reference sets NaN logits to 0. As NaN samples
            count as 0 already, they only come from a training that diverged; here they stay, so that it
            shows.
        """
        wanted = not self.config.freeze_backbone or input_values.requires_grad  # the latter for saliency maps
        with torch.set_grad_enabled(torch.is_grad_enabled() and wanted):
            features = self.encoder(input_values, output_hidden_states, output_attentions, return_dict=True)
        logits = self.classify(features)
        loss = None
        if labels is not None:
            loss = masked_loss(logits, labels, self.is_regression)
        output = EcgClassifierOutput(loss=loss, logits=logits, **features)
        return output if return_dict is None or return_dict else output.to_tuple()
