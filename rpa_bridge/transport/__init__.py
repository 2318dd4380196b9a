"""One door to the network: the stack that every HTTP adapter stands on."""
