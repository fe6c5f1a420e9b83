"""What every model's configuration has in common."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from transformers import PreTrainedConfig

from hf_ecg_bench.errors import CheckpointError, ContractError, unknown_name
from hf_ecg_bench.models.preprocessing import PREPROCESSINGS

KINDS = ("binary", "regression")
LENGTH_FIX = "EcgFeatureExtractor.from_config(model.config) cuts windows of the right length"
_HEADS = ("linear", "attention")  # the keys of heads.HEADS, here without torch modules

# Written by transformers next to the fields, or accepted by it under another name.
_LIBRARY_KEYS = frozenset(
    {
        "_name_or_path",
        "attn_implementation",
        "auto_map",
        "experts_implementation",
        "model_type",
        "name_or_path",
        "num_labels",
        "use_cache",  # the Trainer sets it on every model
        "output_attentions",
        "torch_dtype",
        "transformers_version",
    }
)


class EcgConfig(PreTrainedConfig):
    """The signal a model is fed with, its head and its targets. `id2label` holds the target names.

    Args:
        sampling_rate: Hz of the input.
        window_seconds: length of a window in the protocol; samples = window_seconds * sampling_rate.
        n_leads: leads of the input, in the order I II III aVR aVL aVF V1..V6.
        hidden_size: width of tokens and pooled features.
        preprocessing: what the input has been through: `paper` (mV as recorded, resampled) or `original` (what
            the model's authors did before pretraining, see `ModelSpec.original`). Rate and window belong to it:
            `load_model(..., preprocessing="original")` sets all of them.
        head: `linear` (on pooled features) or `attention` (on tokens).
        freeze_backbone: only the head is trained and the backbone stays in eval mode.
        target_kinds: `binary` or `regression` per target; None: all binary.
        target_mean, target_std: what regression targets were z-scored with, one pair per target (0 and 1 for
            binary ones).
        source_file, source_digest: name and SHA-256 of the checkpoint file the weights were converted from.
        base_digest: only in a folder of adapters: SHA-256 of the weights that they were trained on.

    Raises:
        UnknownNameError: a keyword or value that does not exist.
        ContractError: values that contradict each other.
    """

    model_type = "ecg"
    keys_to_ignore_at_inference: ClassVar[list[str]] = [
        "last_hidden_state",
        "pooler_output",
        "hidden_states",
        "attentions",
    ]

    sampling_rate: int = 500
    window_seconds: float = 2.5
    n_leads: int = 12
    hidden_size: int = 0
    preprocessing: str = "paper"
    head: str = "linear"
    freeze_backbone: bool = False
    target_kinds: list[str] | None = None
    target_mean: list[float] | None = None
    target_std: list[float] | None = None
    source_file: str | None = None
    source_digest: str | None = None
    base_digest: str | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        known = self.field_names()
        for key in kwargs:
            if key not in known and key not in _LIBRARY_KEYS:
                raise unknown_name(f"{type(self).__name__} field", key, known)
        super().__post_init__(**kwargs)
        self.check()

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """As in transformers, but another model's configuration is refused.

        Raises:
            CheckpointError: it names another model type.
        """
        found = config_dict.get("model_type", cls.model_type)
        if found != cls.model_type:
            raise CheckpointError(
                f"this is a {found!r} model, not {cls.model_type!r}", fix="load it with the Auto classes"
            )
        return super().from_dict(config_dict, **kwargs)

    @classmethod
    def field_names(cls) -> set[str]:
        """Names that the constructor takes."""
        return {field.name for field in fields(cls)} | {"num_labels"}

    @property
    def fixed_length(self) -> int | None:
        """Samples per window where the architecture takes no other length."""
        return None

    @property
    def n_targets(self) -> int:
        """Outputs of the head."""
        return self.num_labels or 0

    def check_length(self, samples: int) -> None:
        """Raise ContractError where the architecture cannot take windows of so many samples."""
        if samples < 1 or (self.fixed_length is not None and samples != self.fixed_length):
            expected = f"exactly {self.fixed_length}" if self.fixed_length is not None else "at least 1"
            raise ContractError(
                f"{self.model_type} takes windows of {expected} samples, found {samples}", fix=LENGTH_FIX
            )

    def check(self) -> None:
        """Raise where a value does not exist or values contradict each other; models call this too."""
        if self.head not in _HEADS:
            raise unknown_name("head", str(self.head), _HEADS)
        if self.preprocessing not in PREPROCESSINGS:
            raise unknown_name("preprocessing", str(self.preprocessing), PREPROCESSINGS)
        if self.sampling_rate <= 0 or self.window_seconds <= 0 or self.hidden_size <= 0:
            raise ContractError(
                f"{type(self).__name__}: sampling_rate, window_seconds and hidden_size must be positive, "
                f"found {self.sampling_rate}, {self.window_seconds}, {self.hidden_size}"
            )
        if self.head == "attention" and self.hidden_size % 16:
            raise ContractError(
                f"the attention head has 16 parts: hidden_size must be a multiple, found {self.hidden_size}"
            )
        for kind in self.target_kinds or ():
            if kind not in KINDS:
                raise unknown_name("target kind", str(kind), KINDS)
        for name in ("target_kinds", "target_mean", "target_std"):
            value = getattr(self, name)
            if value is not None and len(value) != self.num_labels:
                raise ContractError(f"{name} has {len(value)} entries for {self.num_labels} targets (id2label)")
