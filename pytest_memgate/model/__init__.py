"""What the gate talks about: frozen values, no I/O."""
