"""A compiled kernel for the CPU: one C++ file, built on first use where there is a compiler, with pure torch beside it.

:mod:`numerics.kernel.library` builds and loads it, :mod:`numerics.kernel.flow` integrates the attention flow with it,
:mod:`numerics.kernel.layers` does one layer. All results agree with those of torch up to rounding.
"""
