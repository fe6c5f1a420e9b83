"""Several learning rates, of which validation picks one."""
