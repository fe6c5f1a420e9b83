"""S4: structured state space layers, here trained from scratch as a supervised baseline."""
