"""Sweeps over norm, depth, gap and rank: grids, items of work, engines, results on disk, laws and figures."""
