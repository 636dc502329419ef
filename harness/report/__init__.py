"""Renders verdicts and findings for people; computes nothing."""
