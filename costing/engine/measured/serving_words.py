"""What the words and columns of a serving case say: its weights, its load, its lengths, its speculation. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from costing.engine.catalogue import Gpu, Model
from costing.engine.measured.cells import CellError, Cells
from costing.engine.measured.words import MOST_SEQUENCE, precision_of
from costing.engine.memory import weights_bytes
from costing.engine.serving import REPLICA_SIZES, SERVED_PRECISIONS, speculative_speedup
from costing.engine.serving_engines import visible_gib
from costing.engine.units import BYTES_PER_GIB

# Outputs of a round length are forced to it, as benchmarks that ignore the end of an answer do; any other figure is a
# mean of natural answers, unless it is only a few tokens. Where their lengths vary by half of the mean (gamma), the
# longest of 500 is expected to be 3.2 times as long as the mean, of 100 it is 2.7 times: an assumption.
LONGEST_OUTPUT, SHORT_OUTPUT = 3.3, 16.0
USUAL_INPUT_TOKENS, USUAL_OUTPUT_TOKENS = 1024.0, 256.0
# Requests of an open-loop run where nobody says: those of TensorRT-LLM's published online tables (v0.14).
USUAL_REQUESTS = 500.0
USUAL_ACCEPTANCE, USUAL_DRAFT_COST = 0.7, 0.1  # assumptions
MOST_REQUESTS = 1e9
MOST_BATCH_SIZE = 1e9
MOST_REPLICAS = 1e6
MOST_REPLICA_GPUS = 1024

_SERVED_AS = {"nf4": "int4"}  # both are read as four bits and a scale
_KV_BYTES = ((r"fp4|int4|q4|4[- ]?bit", 0.5), (r"fp8|int8|e4m3|e5m2|q8|8[- ]?bit", 1.0), (r"16|half|auto", 2.0))
_RATE = re.compile(r"(?:qps|rps|request[ _-]?rate|arrival[ _-]?rate)\D*?(inf|\d[\d,]*(?:\.\d+)?)")
_PER_SECOND = re.compile(r"(inf|\d[\d,]*(?:\.\d+)?)\s*(?:req\w*|queries)\s*(?:/|per )\s*s")
_AT_ONCE = re.compile(r"burst|at once|simultaneous|\ball requests")
# A count printed with two decimals is vLLM's "Peak concurrent requests", which equals the requests of a run that held
# none back; a mean that lies between (SGLang's "Concurrency: 63.97"), or a spreadsheet's 64.0, is a steady load.
_PEAK = re.compile(r"\d[\d,]*\.00")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def served_precision(cells: Cells) -> str:
    """Precision of the weights; bf16 where nobody says. Raises CellError for one that no engine serves."""
    text = cells.text("weights", "bf16")
    said = precision_of(text)
    precision = _SERVED_AS.get(said, said)
    if precision not in SERVED_PRECISIONS:
        raise CellError("weights", f"{text!r} is unknown; give one of {', '.join(SERVED_PRECISIONS)}")
    return precision


def kv_bytes_each(cells: Cells) -> float | None:
    """Bytes of one element of the KV cache as the column says; None leaves it to the engine."""
    text = cells.text("kv_cache").casefold()
    return next((size for pattern, size in _KV_BYTES if text and re.search(pattern, text)), None)


def tokens(cells: Cells, column: str, usual: float) -> float:
    """A number of tokens, which may be 0."""
    value = cells.number(column, above=-math.inf, at_least=0, most=MOST_SEQUENCE)
    return usual if value is None else value


def share(cells: Cells, column: str, usual: float) -> float:
    """A share from 0 to 1."""
    value = tokens(cells, column, usual)
    if value > 1:
        raise CellError(column, f"{value:g} is a share; give a number from 0 to 1")
    return value


def speedup(cells: Cells) -> float:
    """What speculative decoding makes of the speed; 1 without drafted tokens."""
    drafted = cells.whole("draft_tokens", at_least=0, most=100)
    if not drafted:
        return 1.0
    accepted = min(share(cells, "acceptance_rate", USUAL_ACCEPTANCE), 0.999)
    return float(speculative_speedup(accepted, drafted, share(cells, "draft_cost", USUAL_DRAFT_COST)))


@dataclass(frozen=True)
class Load:
    """Requests at once (infinite: as many as fit), arrivals per second (infinite: all at once), requests of a run."""

    concurrency: float = math.inf
    request_rate: float | None = None
    requests: float = math.inf


def load_of(cells: Cells) -> Load:
    """The load as the columns `concurrency`, `request_rate` and `requests` say."""
    text = cells.text("concurrency").casefold()
    if re.fullmatch(r"[-+]?[\d.,]+(e[-+]?\d+)?", text):
        number = cells.number("concurrency", most=MOST_REQUESTS) or 1.0
        return _burst_of(number, cells) if _PEAK.fullmatch(text) else _steady(number, cells)
    if found := _RATE.search(text) or _PER_SECOND.search(text):
        rate = math.inf if found[1] == "inf" else float(found[1].replace(",", ""))
        if not 0 < rate <= MOST_REQUESTS and found[1] != "inf":
            raise CellError("concurrency", f"{text!r}: requests per second must be above 0 and within reason")
        return _open_loop(rate, cells)
    if found := _NUMBER.search(text):
        number = max(float(found[0].replace(",", "")), 1.0)
        return _burst_of(number, cells) if _AT_ONCE.search(text) else _steady(number, cells)
    return _open_loop(cells.number("request_rate", most=MOST_REQUESTS), cells)


def _steady(number: float, cells: Cells) -> Load:
    """A steady number of requests, unless the whole run has no more than that."""
    requests = _requests(cells, math.inf)
    return _burst_of(number, cells) if requests <= number else Load(concurrency=number, requests=requests)


def _burst_of(number: float, cells: Cells) -> Load:
    return Load(request_rate=math.inf, requests=_requests(cells, number))


def _open_loop(rate: float | None, cells: Cells) -> Load:
    """Arrivals at a rate; without one as many requests as fit, for ever."""
    return Load(request_rate=rate, requests=_requests(cells, math.inf if rate is None else USUAL_REQUESTS))


def _requests(cells: Cells, usual: float) -> float:
    return cells.number("requests", most=MOST_REQUESTS) or usual


def longest_output(cells: Cells, output_tokens: float) -> float:
    """Tokens of a run's longest answer: stated, else the same as all others where their length is forced."""
    given = cells.number("longest_output_tokens", most=MOST_SEQUENCE)
    if given is not None:
        return max(given, output_tokens)
    fixed = output_tokens % 8 == 0 or output_tokens % 10 == 0 or output_tokens < SHORT_OUTPUT
    return output_tokens * (1.0 if fixed else LONGEST_OUTPUT)


def fewest_gpus(model: Model, gpu: Gpu, precision: str) -> int:
    """The smallest replica whose memory holds the weights and some KV cache, the largest where none does."""
    held = weights_bytes(model, precision) / BYTES_PER_GIB
    return next((size for size in REPLICA_SIZES if held < 0.9 * size * visible_gib(gpu)), REPLICA_SIZES[-1])
