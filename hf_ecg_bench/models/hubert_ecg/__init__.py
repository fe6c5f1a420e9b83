"""HuBERT-ECG: a HuBERT pretrained on twelve leads joined into one signal."""
