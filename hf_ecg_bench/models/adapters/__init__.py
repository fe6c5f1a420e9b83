"""Small trainable parts in frozen layers (PEFT): put in, saved alone, loaded, merged."""

from hf_ecg_bench.models.adapters.adding import add_adapter, add_lora

__all__ = ["add_adapter", "add_lora"]
