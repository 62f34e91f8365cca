import pytest

from costing.engine.catalogue import load
from costing.engine.gpu_speeds import is_linked, link_gb_s, linked_gpus, matmul_tflops, peak_tflops


def test_speeds_of_gpus():
    c = load()
    assert matmul_tflops(c.gpu("A100-SXM")) == 271.2
    assert matmul_tflops(c.gpu("A100-SXM"), "fp8") == 271.2  # it has no fp8
    assert matmul_tflops(c.gpu("H100-SXM"), "fp8") == 1402.6
    assert matmul_tflops(c.gpu("L40S")) == pytest.approx(0.8 * 362)
    assert peak_tflops(c.gpu("H100-SXM"), "fp8") == 1979
    with pytest.raises(ValueError, match="precision 'fp2' is unknown"):
        matmul_tflops(c.gpu("L40S"), "fp2")
    with pytest.raises(ValueError, match="precision 'fp2' is unknown"):
        peak_tflops(c.gpu("L40S"), "fp2")


@pytest.mark.parametrize("gpu", load().gpus, ids=lambda g: g.name)
def test_narrower_precisions_are_never_slower_and_never_above_their_peak(gpu):
    speeds = [matmul_tflops(gpu, p) for p in ("fp32", "tf32", "bf16", "fp8", "fp4")]
    peaks = [peak_tflops(gpu, p) for p in ("fp32", "tf32", "bf16", "fp8", "fp4")]
    assert speeds == sorted(speeds)
    assert peaks == sorted(peaks)
    assert all(speed <= peak for speed, peak in zip(speeds, peaks, strict=True))


def test_fp8_nobody_measured_follows_the_measured_bf16():
    """Where both are measured, the estimate from bf16 is within a tenth of the measurement."""
    c = load()
    measured = [gpu for gpu in c.gpus if gpu.measured_fp8_max_tflops and gpu.measured_bf16_max_tflops]
    assert len(measured) >= 5
    for gpu in measured:
        guess = 0.95 * gpu.measured_bf16_max_tflops * gpu.fp8_tflops_dense / gpu.bf16_tflops_dense
        assert guess == pytest.approx(gpu.measured_fp8_max_tflops, rel=0.10)
    mi300x = c.gpu("MI300X")
    assert matmul_tflops(mi300x, "fp8") == pytest.approx(0.95 * 668.4 * 2610 / 1307)


def test_links_between_gpus():
    c = load()
    assert link_gb_s(c.gpu("A100-SXM-40GB")) == 600  # as its larger sibling
    assert link_gb_s(c.gpu("L40S")) == 64  # PCIe
    assert link_gb_s(c.gpu("MI300X")) == 896
    assert is_linked(c.gpu("H100-SXM"))
    assert not is_linked(c.gpu("L4"))
    assert not is_linked(c.gpu("H100-PCIe"))


def test_one_link_joins_a_machine_or_a_rack():
    """NVL72: 18 trays of four GPUs on one NVLink fabric."""
    c = load()
    assert linked_gpus(c.gpu("GB200")) == 18 * 4
    assert {linked_gpus(c.gpu(name)) for name in ("H100-SXM", "B200-SXM", "GH200", "MI300X", "L40S")} == {8}
