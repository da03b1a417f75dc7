"""The real template and the real zip, deployed by the real command into the emulated account, met over real HTTP."""
