"""The joint simulation of a portfolio: what is simulated, the work of one block, the sums of a run."""
