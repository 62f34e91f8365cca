"""The joint simulation of a portfolio: what is simulated, the work of one block, the sums of a run.

`planning` says what a run computes, `blocks` works a part of it, `dispatch` shares the workers between organisations,
`summing` stores what comes of it, `reading` is what pages use, `pruning` keeps the runs that are worth it.
"""

from portfolio.models import PortfolioRun


def run_inline(run: PortfolioRun) -> None:
    """Work all blocks of a run in this process and add them up; needs no broker."""
    from portfolio.spend.dispatch import work_inline  # noqa: PLC0415 – loads the engine; reading needs none of it

    work_inline(run)
