"""Embeddings of recordings: a model's features, in Python (`Embedder`) or as a Parquet file (`embed_records`)."""
