"""Run by two processes: the steps of `test_step.weights_after` with half of the batch each."""

import sys
from pathlib import Path

import numpy as np
import torch.distributed

from tests.training.test_step import weights_after

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    weights = weights_after(folder, 8, 1)
    if torch.distributed.get_rank() == 0:
        arrays = {name: value.numpy() for name, value in weights.items()}
        np.savez(folder / "weights.npz", world_size=torch.distributed.get_world_size(), **arrays)
    torch.distributed.destroy_process_group()
