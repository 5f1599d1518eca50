"""Falsification: search for an instance that breaks a claim, made stronger or with an assumption dropped.

``expression`` reads a user's formula, ``targets`` says what is searched for, ``search`` finds a candidate and has it
confirmed, ``shrink`` makes it small.
"""
