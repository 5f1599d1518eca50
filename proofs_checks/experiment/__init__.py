"""The paper's experiments on a real language model: what is measured, and a verdict on each sentence of its results.

No theorem stands behind them. A layer of a Transformer has a fixed step (the residual stream adds each layer with
weight one), so the theorem that they may be held against is thm-4.2/fixed-step.
"""
