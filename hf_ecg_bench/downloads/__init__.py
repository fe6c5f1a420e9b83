"""Fetching files over HTTP(S): resumed, verified, atomic. The only place of the package that downloads by itself."""

from hf_ecg_bench.downloads.fetch import CannotWrite, fetch
from hf_ecg_bench.downloads.http import NotFound
from hf_ecg_bench.downloads.json_api import get_json
from hf_ecg_bench.downloads.retries import Retry, offline

__all__ = ["CannotWrite", "NotFound", "Retry", "fetch", "get_json", "offline"]
