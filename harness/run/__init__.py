"""Executes cells: puts a hub, a device under test and the scenario's traffic together, and records what happens."""
