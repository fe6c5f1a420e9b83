"""Is a result what it says it is? The same checks for who submits one and for who takes it in."""
