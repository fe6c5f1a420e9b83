"""Embeddings: the model's own features, the same whatever the way; bad records are said and left out."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import hf_ecg_bench
from hf_ecg_bench.cli.main import main
from hf_ecg_bench.errors import ContractError, DataError, EcgBenchError, UnknownNameError
from hf_ecg_bench.files import sha256_file
from hf_ecg_bench.models.loading import load_model
from hf_ecg_bench.signals.leads import LEADS
from tests.conftest import ROOT
from tests.embedding.wfdb_files import ecg, write


def test_three_lines_give_the_models_features(founder, tmp_path):
    write(tmp_path / "100", ecg())
    embedder = hf_ecg_bench.Embedder("ecg_founder")
    record = hf_ecg_bench.read_record("100")
    vector = embedder(*record)
    assert vector.shape == (embedder.width,)
    model = load_model("ecg_founder")
    windows = torch.from_numpy(record.signal.reshape(4, 1250, 12).transpose(0, 2, 1).copy())
    with torch.no_grad():
        output = model(windows)
    np.testing.assert_allclose(vector, output.pooler_output.mean(0).numpy(), rtol=1e-5, atol=1e-6)
    assert embedder(*record, per_window=True).shape == (4, embedder.width)
    for pooling, expected in (
        ("mean", output.last_hidden_state.mean(1)),
        ("max", output.last_hidden_state.amax(1)),
    ):
        pooled = hf_ecg_bench.Embedder("ecg_founder", pooling=pooling, batch_size=3)
        np.testing.assert_allclose(pooled(*record, per_window=True), expected.numpy(), rtol=1e-5, atol=1e-6)


def test_a_wrong_rate_or_lead_order_is_refused(founder):
    embedder = hf_ecg_bench.Embedder("ecg_founder")
    signal = ecg()
    with pytest.raises(ContractError, match="sampling rate is not known"):
        embedder(signal)
    for rate in (0, -500, float("nan"), 50):
        with pytest.raises((ContractError, DataError)):
            embedder(signal, rate)
    with pytest.raises(ContractError, match="shorter than the window"):
        embedder(signal, 5000)
    order = [0, 1, 2, 3, 5, 4, *range(6, 12)]
    with pytest.raises(DataError, match="limb leads contradict each other"):
        embedder(signal[:, order], 500)
    named = embedder(signal[:, order], 500, leads=[LEADS[column] for column in order])
    np.testing.assert_allclose(named, embedder(signal, 500), rtol=1e-5)
    np.testing.assert_allclose(embedder(signal * 1000, 500, unit="uV"), named, rtol=1e-4, atol=1e-5)
    with pytest.raises(DataError, match="lead V6 missing"):
        embedder(signal[:, :11], 500, leads=LEADS[:11])
    with pytest.raises(ContractError, match="transposed"):
        embedder(signal.T, 500)
    with pytest.raises(UnknownNameError, match="pooling"):
        hf_ecg_bench.Embedder("ecg_founder", pooling="median")
    with pytest.raises(EcgBenchError, match="device"):
        hf_ecg_bench.Embedder("ecg_founder", device="cuda:77")


def read(path) -> tuple[list[dict], dict]:
    table = pq.read_table(path)
    return table.to_pylist(), json.loads(table.schema.metadata[b"hf_ecg_bench"])


def test_files_and_folders_into_parquet(founder, tmp_path, capsys):
    signals = {name: ecg(10, seed=number) for number, name in enumerate("abc")}
    for name, signal in signals.items():
        write(tmp_path / "records" / "deep" / name, signal)
    write(tmp_path / "single", ecg(5, seed=9))
    arguments = ["embed", "--model", "ecg_founder", "--input", "records", "single.hea", "--batch-size", "3"]
    assert main([*arguments, "--output", "out/e.parquet"]) == 0
    assert "4 records, 14 windows of 2.5 s at 500 Hz" in capsys.readouterr().out
    rows, facts = read("out/e.parquet")
    assert [row["record_id"] for row in rows] == ["deep/a", "deep/b", "deep/c", "single"]
    assert [row["n_windows"] for row in rows] == [4, 4, 4, 2]
    assert facts["digest"] == sha256_file(founder.folder / "model.safetensors")
    assert facts["checkpoint_digest"] == founder.sha256
    assert (facts["preprocessing"], facts["sampling_rate"], facts["rows"]) == ("paper", 500, "records")
    embedder = hf_ecg_bench.Embedder("ecg_founder")
    for name, row in zip("abc", rows, strict=False):
        expected = embedder(*hf_ecg_bench.read_record(f"records/deep/{name}"))
        np.testing.assert_allclose(row["embedding"], expected, rtol=1e-4, atol=1e-5)
    assert main([*arguments, "--output", "w.parquet", "--per-window", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["windows"] == 14
    windows, _ = read("w.parquet")
    assert [row["start_seconds"] for row in windows[:5]] == [0, 2.5, 5, 7.5, 0]
    np.testing.assert_allclose(np.mean([row["embedding"] for row in windows[:4]], 0), rows[0]["embedding"], rtol=1e-4)


def test_bad_records_are_said_and_the_others_go_on(founder, tmp_path, capsys):
    folder = tmp_path / "records"
    write(folder / "good", ecg())
    write(folder / "short", ecg(1))
    write(folder / "swapped", ecg()[:, [1, 0, *range(2, 12)]])
    write(folder / "eleven", ecg()[:, :11], names=LEADS[:11])
    (folder / "broken.hea").write_text("nonsense\n")
    code = main(["embed", "--model", "ecg_founder", "--input", "records", "absent", "--output", "e.parquet"])
    captured = capsys.readouterr()
    assert code == 2
    assert [row["record_id"] for row in read("e.parquet")[0]] == ["good"]
    assert "5 records were left out, 1 embedded" in captured.err
    for name, why in (
        ("short", "shorter than the window"),
        ("swapped", "limb leads contradict"),
        ("eleven", "lead V6 missing"),
        ("broken", "unreadable header"),
        ("absent", "no absent.hea"),
    ):
        assert any(name in line and why in line for line in captured.err.splitlines()), name
    swapped = ["embed", "--model", "ecg_founder", "--input", "records/swapped", "--output", "s.parquet"]
    assert main(swapped) == 2
    assert main([*swapped, "--any-leads"]) == 0
    capsys.readouterr()
    code = main(["embed", "--model", "ecg_founder", "--input", "records/short", "--output", "none.parquet"])
    assert code == 2
    assert "none of 1 records could be embedded" in capsys.readouterr().err
    assert not (tmp_path / "none.parquet").exists()
    (tmp_path / "empty").mkdir()
    assert main(["embed", "--model", "ecg_founder", "--input", "empty", "--output", "none.parquet"]) == 2
    assert "neither WFDB records" in capsys.readouterr().err


def test_a_prepared_dataset(founder, synthetic_folder, capsys):
    from hf_ecg_bench.data.load import load_prepared

    assert main(["embed", "--model", "ecg_founder", "--input", str(synthetic_folder), "--output", "e.parquet"]) == 0
    rows, _ = read("e.parquet")
    splits = load_prepared(synthetic_folder).splits
    assert [(row["split"], row["record_id"]) for row in rows] == [
        (split, record_id) for split, part in splits.items() for record_id in part["record_id"][:]
    ]
    first = splits["test"][0]
    vector = hf_ecg_bench.Embedder("ecg_founder")(np.array(first["signal"]), first["sampling_rate"])
    row = next(row for row in rows if row["split"] == "test")
    np.testing.assert_allclose(row["embedding"], vector, rtol=1e-4, atol=1e-5)


def test_a_trained_classifiers_folder_gives_its_backbone(founder, tmp_path):
    from hf_ecg_bench.models.saving import save_model

    save_model(load_model("ecg_founder", target_names=["a", "b"]), tmp_path / "trained")
    signal = ecg()
    vector = hf_ecg_bench.Embedder(tmp_path / "trained")(signal, 500)
    np.testing.assert_allclose(vector, hf_ecg_bench.Embedder("ecg_founder")(signal, 500), rtol=1e-5)


def test_the_package_and_reading_stay_light(tmp_path):
    write(tmp_path / "r", ecg(1))
    program = (
        "import sys, hf_ecg_bench; hf_ecg_bench.read_record(sys.argv[1]);"
        "print(sorted({'torch', 'transformers', 'wfdb', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "r")], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_memory_stays_flat(founder, tmp_path):
    """Twenty times the records need hardly more memory."""
    for number in range(20):
        write(tmp_path / "few" / f"{number}", ecg(10, seed=number))
    main(["embed", "--model", "ecg_founder", "--input", "few", "--output", "few.parquet"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    main(["embed", "--model", "ecg_founder", "--input", *["few"] * 40, "--output", "many.parquet"])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kB; the signals alone are 190 MB
