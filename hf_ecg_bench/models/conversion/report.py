"""The account that a conversion gives of a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from hf_ecg_bench.models.conversion.containers import Beside


@dataclass(frozen=True)
class ConversionReport:
    """What became of a checkpoint.

    Attributes:
        model: model id.
        checkpoint: file name of the source.
        sha256: of the source.
        container: keys under which the tensors were nested, outermost first.
        prefix: what was taken off the names.
        used: names (as in the source) of the tensors that were used.
        ignored: names of the tensors in the same place that were not, with the reason.
        beside: tensors elsewhere in the file, by where, with their number and the reason.
        options: fields of the configuration that the tensors decided.
        parameters: of the backbone.
        expected_size: whether that is a number that the model's declaration knows.
        license_weights: as the authors state it.
        warnings: what the user should know: a licence with conditions, an unexpected size, weights that look untrained.
        output_dir: the folder written, or None.
    """

    model: str
    checkpoint: str
    sha256: str
    container: tuple[str, ...]
    prefix: str
    used: tuple[str, ...]
    ignored: dict[str, str]
    beside: dict[str, Beside] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0
    expected_size: bool = True
    license_weights: str = "unknown"
    warnings: tuple[str, ...] = ()
    output_dir: str | None = None

    def describe(self) -> str:
        """Lines for the user."""
        found = "/".join(self.container) or "the top level"
        wrapper = f", prefix {self.prefix!r} stripped" if self.prefix else ""
        lines = [f"{self.model}: {len(self.used)} tensors used, found at {found}{wrapper}"]
        lines += [f"  {count} ignored: {reason}" for reason, count in Counter(self.ignored.values()).items()]
        lines += [f"  {rest.tensors} at {where} ignored: {rest.reason}" for where, rest in self.beside.items()]
        if self.options:
            decided = ", ".join(f"{name} {value}" for name, value in self.options.items())
            lines.append(f"  decided by the tensors: {decided}")
        size = f"{self.parameters:,} backbone parameters" + (", as declared" if self.expected_size else "")
        lines.append(f"  {size}; source {self.checkpoint}, sha256 {self.sha256}")
        lines.append(f"  licence of the weights: {self.license_weights}")
        lines += [f"  warning: {warning}" for warning in self.warnings]
        return "\n".join([*lines, f"written to {self.output_dir}"] if self.output_dir else lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)
