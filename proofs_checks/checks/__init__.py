"""Checks: each holds one claim's predictions against measurements, on batches and on single instances."""
