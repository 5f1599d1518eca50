"""Predictions of :mod:`theory` held against measurements of :mod:`numerics`: strategies, checks, ledger, commands."""
