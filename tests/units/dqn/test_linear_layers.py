"""Linear layers by oneDNN beside torch's own."""

import copy

import pytest
import torch as th
from torch import nn

from rl_units.dqn import linear_layers
from rl_units.dqn.linear_layers import OneDnnLinear, use_onednn

pytestmark = pytest.mark.skipif(not linear_layers._is_available(), reason="this torch has no oneDNN beside MKL")


def both(n_in=640, n_out=512, *, bias=True):
    th.manual_seed(1)
    theirs = nn.Linear(n_in, n_out, bias=bias)
    ours = copy.deepcopy(theirs)
    use_onednn(ours)
    return ours, theirs


@pytest.mark.parametrize("n", [1, 32])
@pytest.mark.parametrize("bias", [True, False])
def test_outputs_and_gradients_are_those_of_torch(n, bias):
    layers = both(bias=bias)
    rows, weights = th.randn(n, 640), th.randn(n, 512)
    found = []
    for layer in layers:
        observed = rows.clone().requires_grad_()
        output = layer(observed)
        (output * weights).sum().backward()
        found.append([output, observed.grad, *(parameter.grad for parameter in layer.parameters())])

    assert type(layers[0]) is OneDnnLinear
    for mine, its in zip(*found, strict=True):
        th.testing.assert_close(mine, its, rtol=1e-4, atol=1e-4)


def test_what_onednn_is_not_for_is_left_to_torch():
    ours, theirs = both()

    assert ours(th.ones(2, 3, 640)).equal(theirs(th.ones(2, 3, 640)))
    assert ours(th.ones(0, 640)).shape == (0, 512)
    with th.autocast("cpu", th.bfloat16):
        assert ours(th.ones(2, 640)).dtype == th.bfloat16
    exported = th.export.export(ours, (th.ones(2, 640),))
    assert "mkldnn" not in str(exported.graph)
    assert ours.double()(th.ones(2, 640).double()).equal(theirs.double()(th.ones(2, 640).double()))


def test_small_layers_and_kinds_of_ones_own_stay_as_they_are():
    class Own(nn.Linear):
        pass

    network = nn.Sequential(nn.Linear(512, 6), Own(640, 512))
    use_onednn(network)

    assert [type(layer) for layer in network] == [nn.Linear, Own]


def test_a_torch_without_it_keeps_its_layers(monkeypatch):
    def refuse(*_):
        raise AttributeError("no such operator")

    monkeypatch.setattr(linear_layers, "_product", refuse)

    assert type(both()[0]) is nn.Linear
