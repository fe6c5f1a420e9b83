"""Checkpoints with the names and the nesting of the public files, with values that follow from the names."""

from __future__ import annotations

import torch

from tests.models.fills import fill

Tensors = dict[str, torch.Tensor]


def drawn(shapes: dict[str, tuple[int, ...]]) -> Tensors:
    """Tensors of these shapes; running variances positive, counters whole."""
    tensors = {name: fill(name, shape, std=0.1).float() for name, shape in shapes.items()}
    for name in tensors:
        if name.endswith("running_var"):
            tensors[name] = tensors[name].abs()
        if name.endswith("num_batches_tracked"):
            tensors[name] = torch.tensor(1000)
    return tensors


def norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a batch norm."""
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts} | {f"{name}.num_batches_tracked": ()}


def merl_resnet() -> Tensors:
    """`res18_best_encoder.pth`: 122 tensors."""
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 12, 7), **norm("bn1", 64)}
    inputs = 64
    for layer, width in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            name = f"layer{layer}.{block}"
            shapes |= {f"{name}.conv1.weight": (width, inputs, 3), **norm(f"{name}.bn1", width)}
            shapes |= {f"{name}.conv2.weight": (width, width, 3), **norm(f"{name}.bn2", width)}
            if inputs != width:
                shapes |= {f"{name}.shortcut.0.weight": (width, inputs, 1), **norm(f"{name}.shortcut.1", width)}
            inputs = width
    return drawn(shapes | {"linear.weight": (10, 512), "linear.bias": (10,)})


def merl_vit() -> Tensors:
    """`vit_tiny_best_encoder.pth`: 148 tensors."""
    shapes: dict[str, tuple[int, ...]] = {
        "pos_embedding": (1, 100, 192),
        "to_patch_embedding.weight": (192, 12, 50),
        "norm.weight": (192,),
        "norm.bias": (192,),
    }
    layers = {"attn.fn.to_qkv": (576, 192), "attn.fn.to_out.0": (192, 192)}
    layers |= {"ff.fn.net.0": (768, 192), "ff.fn.net.3": (192, 768)}
    for block in range(12):
        for name, shape in layers.items():
            shapes |= {f"block{block}.{name}.weight": shape, f"block{block}.{name}.bias": shape[:1]}
        for name in ("attn.norm", "ff.norm"):
            shapes |= {f"block{block}.{name}.weight": (192,), f"block{block}.{name}.bias": (192,)}
    return drawn(shapes)


def ked() -> Tensors:
    """The entry `ecg_model` of ECGFM-KED's file: 1,224 tensors, every `convs` a second time as `convpath.0`."""
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name: str, inputs: int, outputs: int, kernel: int = 1) -> dict[str, tuple[int, ...]]:
        return {f"{name}.0.weight": (outputs, inputs, kernel), **norm(f"{name}.1", outputs)}

    for child, (inputs, outputs) in enumerate(((12, 32), (32, 32), (32, 64))):
        shapes |= conv(str(child), inputs, outputs, 5)
    inputs = 64
    for stage, (width, depth) in enumerate(zip((64, 128, 128, 192), (3, 4, 23, 3), strict=True), start=4):
        for index in range(depth):
            block, outputs = f"{stage}.{index}", 4 * width
            for path in ("convs", "convpath.0"):
                shapes |= conv(f"{block}.{path}.0", inputs, width) | conv(f"{block}.{path}.1", width, width, 5)
                shapes |= conv(f"{block}.{path}.2", width, outputs)
            if inputs != outputs:
                shapes |= conv(f"{block}.idpath.{int(stage != 4)}", inputs, outputs)
            inputs = outputs
    tensors = drawn({name: shape for name, shape in shapes.items() if "convpath" not in name})
    return {name: tensors[name.replace("convpath.0", "convs")] for name in shapes}
