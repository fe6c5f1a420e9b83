"""ECG-FM: a wav2vec 2.0 with contrastive segments (CMSC) and random lead masking, on twelve channels."""
