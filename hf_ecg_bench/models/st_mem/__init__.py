"""ST-MEM: a vision transformer over patches of single leads, pretrained as a masked autoencoder."""
