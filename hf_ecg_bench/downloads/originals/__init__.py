"""A dataset's original files: listed by the hosts that publish them, fetched over several connections, unpacked."""

from hf_ecg_bench.downloads.originals.run import CONNECTIONS, Downloaded, download

__all__ = ["CONNECTIONS", "Downloaded", "download"]
