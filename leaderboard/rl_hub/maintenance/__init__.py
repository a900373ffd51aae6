"""Keeping a Hub healthy: checks, clean-up, backup."""
