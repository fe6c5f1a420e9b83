"""Fetching files over HTTP(S): resumed, verified, atomic. The only place of the package that downloads by itself."""

from hf_ecg_bench.downloads.fetch import fetch
from hf_ecg_bench.downloads.json_api import get_json
from hf_ecg_bench.downloads.retries import Retry, offline

__all__ = ["Retry", "fetch", "get_json", "offline"]
