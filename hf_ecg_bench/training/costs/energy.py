"""Energy counters of the machine: RAPL for processors, NVML for a GPU. What cannot be read has a reason in words."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path
from typing import Any, Protocol

POWERCAP = Path("/sys/class/powercap")
_EVERY = 30.0  # seconds between readings: a RAPL counter may wrap around within minutes under full load


class Counter(Protocol):
    """Joules since it was made.

    Attributes:
        covers: what is measured, in words.
    """

    covers: str

    def joules(self) -> float: ...


class Rapl:
    """Processor packages and memory of the whole machine, everything that runs on it included.

    Args:
        zones: folders with `energy_uj` and `max_energy_range_uj`, at which the counter starts again from 0.

    Raises:
        OSError, ValueError: a counter cannot be read.
    """

    def __init__(self, zones: list[Path]) -> None:
        self._zones = zones
        self._range = [_integer(zone / "max_energy_range_uj") for zone in zones]
        self._last = [_integer(zone / "energy_uj") for zone in zones]
        self._microjoules = 0
        self._lock = threading.Lock()
        names = [(zone / "name").read_text(encoding="ascii").strip() for zone in zones]
        self.covers = f"RAPL {', '.join(names)} of the whole machine"

    def joules(self) -> float:
        """To be asked more often than the counters wrap around."""
        with self._lock:
            for index, zone in enumerate(self._zones):
                now = _integer(zone / "energy_uj")
                # Differences modulo the range: right across one wrap-around.
                self._microjoules += (now - self._last[index]) % (self._range[index] + 1)
                self._last[index] = now
            return self._microjoules / 1e6


class Nvml:
    """The GPU that this process computes on, whole card (also where it is partitioned or shared).

    Args:
        nvml: the module `pynvml`.
        handle: of the device.
    """

    def __init__(self, nvml: Any, handle: Any, name: str) -> None:
        self._nvml, self._handle = nvml, handle
        self._start = self._millijoules()
        self.covers = f"NVML {name}, the whole card"

    def joules(self) -> float:
        """The counter does not wrap around within a run: it starts when the driver is loaded, in 64 bits."""
        return (self._millijoules() - self._start) / 1e3

    def _millijoules(self) -> int:
        try:
            return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))
        except self._nvml.NVMLError as error:
            raise OSError(str(error)) from error


def rapl_counter(root: Path = POWERCAP) -> tuple[Counter | None, str]:
    """The processors' counter, or None and why there is none."""
    packages = sorted(path for path in root.glob("*-rapl:*") if path.name.count(":") == 1)
    zones = [*packages, *(zone for path in packages for zone in sorted(path.glob(f"{path.name}:*")))]
    try:
        # A package's zones `core` and `uncore` are parts of it, `dram` is not; `psys` holds all of them again.
        zones = [z for z in zones if (z / "name").read_text(encoding="ascii").strip().startswith(("package", "dram"))]
        if not zones:
            return None, f"no RAPL counter in {root}: virtual machines rarely have one"
        return Rapl(zones), ""
    except PermissionError:
        return None, f"the RAPL counters in {root} are readable by root only"
    except (OSError, ValueError) as error:
        return None, f"the RAPL counters in {root} cannot be read: {error}"


def nvml_counter() -> tuple[Counter | None, str]:
    """The counter of torch's current GPU, or None and why there is none."""
    import torch

    if not torch.cuda.is_available():
        return None, "no GPU"
    try:
        import pynvml
    except ImportError:
        return None, "pynvml is not installed (pip install nvidia-ml-py)"
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{properties.uuid}".encode())
        return Nvml(pynvml, handle, properties.name), ""
    except (OSError, pynvml.NVMLError) as error:
        return None, f"NVML gives no energy of this GPU: {error}"


class EnergyMeter:
    """Reads counters now and then in the background, so that none wraps around unseen.

    Args:
        counters: by name, each a counter or None with the reason.
    """

    def __init__(self, counters: dict[str, tuple[Counter | None, str]]) -> None:
        self._counters = {name: counter for name, (counter, _) in counters.items() if counter is not None}
        self.reasons = {name: reason for name, (counter, reason) in counters.items() if counter is None}
        self._stop = threading.Event()
        if self._counters:
            arguments = (weakref.ref(self), self._stop)  # a meter that nobody has any more is not read any more
            threading.Thread(target=_watch, args=arguments, name="energy", daemon=True).start()

    @property
    def covers(self) -> dict[str, str]:
        """What each readable counter measures."""
        return {name: counter.covers for name, counter in self._counters.items()}

    def joules(self) -> dict[str, float]:
        """Since the meter was made, by counter; one that failed on the way moves to `reasons`."""
        read: dict[str, float] = {}
        for name, counter in list(self._counters.items()):
            try:
                read[name] = counter.joules()
            except (OSError, ValueError, RuntimeError) as error:
                self._counters.pop(name, None)
                self.reasons[name] = f"{counter.covers} could not be read to the end: {error}"
        return read

    def stop(self) -> None:
        """End the background reading."""
        self._stop.set()


def _watch(meter: weakref.ref[EnergyMeter], stop: threading.Event) -> None:
    while not stop.wait(_EVERY):
        alive = meter()
        if alive is None:
            return
        alive.joules()
        del alive


def _integer(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))
