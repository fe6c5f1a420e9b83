"""Every model as a torch.export program, and as ONNX, for any batch size."""

from __future__ import annotations

import pytest
import torch

from hf_ecg_bench.errors import ContractError, EcgBenchError
from hf_ecg_bench.models.export import export_onnx, export_program
from tests.models.common import CASES, every_case, shared_model

slow_but_one = pytest.mark.parametrize(
    "case", [pytest.param(c, marks=() if c.model_id == "st_mem" else pytest.mark.slow, id=str(c)) for c in CASES]
)


def compare(found, expected, share):
    """The largest difference against the output's scale."""
    for name, value in found.items():
        scale = float(expected[name].abs().max())
        assert float((torch.as_tensor(value) - expected[name]).abs().max()) <= share * scale, name


@slow_but_one
@pytest.mark.parametrize("part", ["classifier", "backbone"])
def test_exported_program(case, part, tmp_path):
    model = shared_model(case, "attention") if part == "classifier" else shared_model(case).encoder
    program = export_program(model, case.samples(model))
    torch.export.save(program, tmp_path / "model.pt2")
    graph = torch.export.load(tmp_path / "model.pt2").module()
    for batch in (1, 2, 5):
        x = case.windows(model, batch)
        x[0, 1, 3:9] = float("nan")
        with torch.no_grad():
            found, expected = graph(x), model(x)
        assert found.keys() == {"logits", "last_hidden_state", "pooler_output"} & expected.keys()
        compare(found, expected, 1e-5)


@pytest.mark.slow
@every_case
def test_onnx(case, tmp_path):
    pytest.importorskip("onnxscript", reason="the extra `onnx` is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    model = shared_model(case, "attention")
    file = export_onnx(model, tmp_path / "model.onnx", case.samples(model))
    session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    assert names == ["logits", "last_hidden_state", "pooler_output"]
    for batch in (1, 2, 5):
        x = case.windows(model, batch)
        x[0, 1, 3:9] = float("nan")
        found = dict(zip(names, session.run(None, {"input_values": x.numpy()}), strict=True))
        with torch.no_grad():
            compare(found, model(x), 2e-5)


def test_what_cannot_be_exported_is_refused():
    with pytest.raises(EcgBenchError, match="found Linear"):
        export_program(torch.nn.Linear(2, 2))
    fixed = next((case for case in CASES if shared_model(case).config.fixed_length), None)
    if fixed is not None:
        with pytest.raises(ContractError):
            export_program(shared_model(fixed), 7)
