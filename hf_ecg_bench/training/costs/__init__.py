"""What a run costs: time, memory, arithmetic, energy."""
