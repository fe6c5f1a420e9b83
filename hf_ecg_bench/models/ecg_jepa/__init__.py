"""ECG-JEPA: a vision transformer over lead and time patches, pretrained by predicting masked patches' features."""
