"""Who is ahead, on one task and over many, and how sure that is: rows and resampled scores in, standings out."""
