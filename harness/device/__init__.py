"""The device under test: a real SDK's device program, or an emulated device that plays a profile."""
