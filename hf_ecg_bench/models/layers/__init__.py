"""What several models share: convolutions, attention, transformer blocks, positions, dropout."""
