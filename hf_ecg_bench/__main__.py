"""`python -m hf_ecg_bench ...` and `accelerate launch -m hf_ecg_bench ...` are the command `hf-ecg-bench ...`."""

import sys

from hf_ecg_bench.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
