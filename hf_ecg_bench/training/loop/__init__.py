"""The Trainer: batches, optimizer steps, selection on validation."""
