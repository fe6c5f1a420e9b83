"""Models: one folder per architecture, shared heads, losses and loading.

Importing this package makes the configurations known to `AutoConfig`, `AutoModel`,
`AutoModelForSequenceClassification` and `AutoFeatureExtractor`: at once where transformers' auto modules are
loaded, else right after they are. So it stays light itself (no torch), and what is only declared about a
model can be read without it.
"""

from hf_ecg_bench.models.auto import install
from hf_ecg_bench.models.overlaps import Overlap
from hf_ecg_bench.models.registry import MODELS, get_model_spec, list_models
from hf_ecg_bench.models.spec import ModelSpec

install()

__all__ = ["MODELS", "ModelSpec", "Overlap", "get_model_spec", "list_models"]
