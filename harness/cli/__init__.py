"""The commands: thin, one module each, imported only when asked for."""
