"""Measures how Azure IoT device SDKs behave when their credentials expire."""

__version__ = "0.1.0"
