"""Simulations and measurements of attention on the sphere (torch in batches, numpy, mpmath).

Knows nothing of :mod:`theory` and does not import sympy: a measurement never uses a formula under test.
"""
