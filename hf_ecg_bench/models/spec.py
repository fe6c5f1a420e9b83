"""What is declared about a model, readable without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hf_ecg_bench.models.overlaps import Overlap
from hf_ecg_bench.names import NAMESPACE
from hf_ecg_bench.signals.original import OriginalInput

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Source:
    """Where a public checkpoint file is.

    Attributes:
        host: who serves it. A `google_drive` file cannot be fetched by a program without asking a person.
        location: `owner/name` on Hugging Face, the record number on Zenodo, `item/file` on figshare, the file or
            folder id on Google Drive.
        file: its name.
        page: the address of its page for people.
        revision: commit on Hugging Face, where it is pinned.
        member: name (or pattern) of the checkpoint inside a zip archive.
        sha256: of the checkpoint (inside the archive, where it is in one), where it is known.
    """

    host: Literal["huggingface", "zenodo", "figshare", "google_drive"]
    location: str
    file: str
    page: str
    revision: str | None = None
    member: str | None = None
    sha256: str | None = None

    @property
    def link(self) -> str:
        """Where a person gets the file."""
        if self.host == "google_drive" and "drive.google.com" not in self.page:
            return f"https://drive.google.com/file/d/{self.location}/view"
        return self.page


@dataclass(frozen=True)
class Fault:
    """Something that went wrong behind published numbers, which `run --fault` does again on purpose.

    Attributes:
        id: what users type.
        what: what happens, and how it is known.
    """

    id: str
    what: str


@dataclass(frozen=True)
class Unused:
    """Parameters that a classifier keeps but that its logits do not depend on: they get no gradient.

    Attributes:
        names: regular expression that matches their names in the classifier from the start.
        reason: why they are there.
        head: only with that head; None: with either.
    """

    names: str
    reason: str
    head: Literal["linear", "attention"] | None = None


@dataclass(frozen=True)
class ModelSpec:
    """Facts about a model that listings, cards, the signal contract and the training need.

    Attributes:
        id: the id users type (`ecg_founder`).
        title: the name in tables (`ECGFounder`).
        paper, citation: one line, and BibTeX.
        license_code, license_weights: as the authors state them; `unknown` where they do not.
        parameters: of the backbone.
        other_sizes: backbone parameters of the other published sizes or architectures, by name.
        hidden_size: width of the tokens and of the pooled features.
        sampling_rate: Hz the model is fed with in the paper's protocol.
        window_seconds: length of a window in the paper's protocol.
        pretraining: datasets it was pretrained on; empty for a supervised baseline.
        overlaps: what of that overlaps with our test sets.
        late, early: parameter-name prefixes (inside the backbone) of the two layer groups; both empty: one
            group.
        lora_targets: module-name patterns for adapters.
        ignored_tensors: patterns of checkpoint tensors that are deliberately not used, with the reason.
        containers: keys under which the public file nests the tensors (`state_dict`); a flat file is accepted
            as well.
        wrappers: prefixes that may stand before every tensor name (what training wrappers add).
        renames: (pattern, replacement) from public tensor names to ours, applied in order.
        duplicates: (pattern, replacement) from the name under which a public file repeats a tensor to the name
            that is used; both must hold the same values.
        options_from: shapes by public tensor name -> fields of the configuration that the tensors decide
            (which backbone, how many layers), for `convert`.
        source: where the public checkpoint is, or None for a model that is trained from scratch.
        paper_input: unit, filter and normalisation in the paper's protocol, in words.
        license_note: what the authors add to the licence of the weights.
        original: the authors' own preprocessing, or None where there is none.
        faults: published slips that can be reproduced.
        tiny: fields of a configuration that does everything in milliseconds, for tests and dry runs.
        tiny_samples: a window length that it takes.
        tiny_variants: by name, what to change in `tiny` for another of the model's architectures.
        unused_parameters: what gets no gradient, with the reason; tests expect exactly these.
        full_precision: True where the paper's protocol trains in float32 even on a GPU.
    """

    id: str
    title: str
    paper: str
    citation: str
    license_code: str
    license_weights: str
    parameters: int
    hidden_size: int
    sampling_rate: int
    window_seconds: float
    pretraining: tuple[str, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    late: tuple[str, ...] = ()
    early: tuple[str, ...] = ()
    lora_targets: tuple[str, ...] = ()
    ignored_tensors: tuple[tuple[str, str], ...] = ()
    containers: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ("module.", "model.")
    renames: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    options_from: Callable[[Shapes], dict[str, Any]] | None = None
    source: Source | None = None
    paper_input: str = "in mV, no filter, no normalisation"
    license_note: str = ""
    original: OriginalInput | None = None
    faults: tuple[Fault, ...] = ()
    tiny: Mapping[str, Any] = field(default_factory=dict)
    tiny_samples: int = 75
    tiny_variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unused_parameters: tuple[Unused, ...] = ()
    other_sizes: Mapping[str, int] = field(default_factory=dict)
    full_precision: bool = False

    @property
    def hub_id(self) -> str:
        """The Hub id, `ecg-bench/<id with - for _>`."""
        return f"{NAMESPACE}/{self.id.replace('_', '-')}"

    @property
    def pretrained(self) -> bool:
        """Whether there is a public checkpoint to adapt."""
        return self.source is not None

    def variant(self, parameters: int) -> str | None:
        """The name in `other_sizes` of a backbone with so many parameters; None for the usual one."""
        return next((name for name, size in self.other_sizes.items() if size == parameters), None)

    @property
    def license_warning(self) -> str | None:
        """What to say aloud before the public weights are used; None where the licence is open or there are none."""
        if self.source is None:
            return None
        if "NC" in self.license_weights:
            note = f" ({self.license_note})" if self.license_note else ""
            return f"the weights are under {self.license_weights}: for non-commercial use only{note}"
        if self.license_weights == "unknown":
            where = f"see {self.source.page} and ask before passing them on"
            return f"the authors state no licence for the weights that is known here: {where}"
        return None
