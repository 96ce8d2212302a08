"""Optimizers step as the incumbent's do, by every name; groups decay as its groups do; wrong settings are named."""

from __future__ import annotations

import io
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
import transformers.trainer_optimizer as theirs
from torch import nn
from transformers.optimization import Adafactor as TheirAdafactor
from transformers.optimization import AdafactorSchedule as TheirAdafactorSchedule

from nabi.training.arguments.choices import OptimizerNames
from nabi.training.arguments.training_arguments import TrainingArguments
from nabi.training.optimization.adafactor import Adafactor, AdafactorSchedule, get_adafactor_schedule
from nabi.training.optimization.adamw import AdamW
from nabi.training.optimization.decay import decay_groups, layerwise_groups
from nabi.training.optimization.libraries import LIBRARIES, library_class
from nabi.training.optimization.optimizers import make_optimizer, optimizer_class_and_settings, parse_optim_args

from .record_optimizers import FILE, walk

RECORDED = json.loads(Path(FILE).read_text(encoding="utf-8"))
IN_TORCH = ["adamw_torch", "adamw_torch_fused", "adafactor", "sgd", "adagrad", "rmsprop"]
# What optim_args says where an optimizer takes it.
SAID = {
    "sgd": "momentum=0.9, nesterov=true,weight_decay=0.01",
    "adagrad": "lr_decay=0.1,eps=1e-6",
    "rmsprop": "momentum=0.5,alpha=0.9,centered=yes",
    "ademamix": "beta3=0.99,alpha=4,t_alpha=10,t_beta3=20",
    "galore_adamw": "rank=4,scale=0.5",
    "apollo_adamw": "rank=2,proj=svd",
    "grokadamw": "lamb=1.5",
    "schedule_free_sgd": "r=0.5",
    "stable_adamw": "max_lr=0.1",
    "adamw_anyprecision": "momentum_dtype=bfloat16,use_kahan_summation=true",
}


class Model(nn.Module):
    """With names as real models have them: LayerNorm by its type, others by their names alone."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embeddings = nn.Embedding(7, 4)
        self.layer = nn.ModuleList(nn.ModuleDict({"attn": nn.Linear(4, 4), "ln_1": nn.LayerNorm(4)}) for _ in range(2))
        self.q_norm = nn.Linear(4, 4, bias=False)
        self.normal = nn.Linear(4, 4, bias=False)
        self.Final_LayerNorm = nn.Linear(4, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.embeddings(ids)
        for layer in self.layer:
            x = x + layer["ln_1"](layer["attn"](x).tanh())
        return self.head(self.Final_LayerNorm(self.normal(self.q_norm(x))))


def arguments(**settings: Any) -> tuple[TrainingArguments, transformers.TrainingArguments]:
    common = {"output_dir": "out", "learning_rate": 0.02, "weight_decay": 0.1, "use_cpu": True, **settings}
    return TrainingArguments(**common), transformers.TrainingArguments(**common)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 4) -> torch.Tensor:
    for step in range(steps):
        optimizer.zero_grad()
        (model(torch.tensor([[1, 2, 3 + step]])) ** 2).sum().backward()
        optimizer.step()
    return torch.cat([one.detach().float().flatten() for one in model.parameters()])


def their_groups(model: nn.Module, args: transformers.TrainingArguments) -> list[dict[str, Any]]:
    decaying = transformers.Trainer.get_decay_parameter_names(None, model)  # type: ignore[arg-type]
    named = list(model.named_parameters())
    return [
        {"params": [p for n, p in named if n in decaying], "weight_decay": args.weight_decay},
        {"params": [p for n, p in named if n not in decaying], "weight_decay": 0.0},
    ]


@pytest.mark.parametrize("name", IN_TORCH)
def test_an_optimizer_by_its_name_steps_as_the_incumbents(name: str) -> None:
    ours, theirs_too = Model(), Model()
    args, their_args = arguments(optim=name, optim_args=SAID.get(name))
    cls, settings = transformers.Trainer.get_optimizer_cls_and_kwargs(their_args, theirs_too)
    expected = train(theirs_too, cls(their_groups(theirs_too, their_args), **settings))
    torch.testing.assert_close(train(ours, make_optimizer(ours, args)), expected, rtol=1e-5, atol=1e-6)


def test_biases_and_norms_do_not_decay_and_frozen_weights_are_left_out() -> None:
    model = Model()
    names = {id(one): name for name, one in model.named_parameters()}
    expected = [[names[id(one)] for one in group["params"]] for group in their_groups(model, arguments()[1])]
    groups = decay_groups(model, 0.1)
    assert [[names[id(one)] for one in group["params"]] for group in groups] == expected
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert expected[0] == [
        *("embeddings.weight", "layer.0.attn.weight", "layer.1.attn.weight", "normal.weight", "head.weight")
    ]
    model.embeddings.requires_grad_(False)
    assert names[id(decay_groups(model, 0.1)[0]["params"][0])] == "layer.0.attn.weight"


def test_layers_learn_the_slower_the_deeper_they_lie() -> None:
    model = Model()
    names = {id(one): name for name, one in model.named_parameters()}
    groups = layerwise_groups(model, lr=1.0, decay=0.5, weight_decay=0.1)
    rate = {names[id(one)]: group["lr"] for group in groups for one in group["params"]}
    decay = {names[id(one)]: group["weight_decay"] for group in groups for one in group["params"]}
    assert rate.keys() == {name for name, _ in model.named_parameters()}
    assert (rate["head.weight"], rate["layer.1.attn.weight"], rate["layer.0.ln_1.bias"]) == (1.0, 0.5, 0.25)
    assert rate["embeddings.weight"] == 0.125
    assert (decay["head.weight"], decay["head.bias"], decay["layer.0.ln_1.weight"]) == (0.1, 0.0, 0.0)
    with pytest.raises(ValueError, match="no numbered layers"):
        layerwise_groups(nn.Linear(2, 2), 1.0, 0.5)
    with pytest.raises(ValueError, match="decay"):
        layerwise_groups(model, 1.0, 1.5)


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_adamw_of_v4_steps_as_it_did(number: int) -> None:
    one = RECORDED[number]
    steps = walk(AdamW, one["settings"])
    torch.testing.assert_close(torch.tensor(steps), torch.tensor(one["weights"]), rtol=1e-7, atol=1e-7)


def test_adamw_hf_is_that_adamw() -> None:
    model = Model()
    optimizer = make_optimizer(model, arguments()[0].set_optimizer("adamw_hf", 0.02, 0.1, epsilon=1e-5))
    assert type(optimizer) is AdamW
    assert optimizer.defaults["eps"] == 1e-5
    assert AdamW(model.parameters(), no_deprecation_warning=True).defaults["eps"] == 1e-6


ADAFACTORS: list[dict[str, Any]] = [
    {},
    {"warmup_init": True},
    {"scale_parameter": False},
    {"lr": 0.01, "relative_step": False, "scale_parameter": False},
    {"lr": 0.01, "relative_step": False, "beta1": 0.9, "weight_decay": 0.1, "clip_threshold": 0.5, "decay_rate": -0.5},
]


@pytest.mark.parametrize("settings", ADAFACTORS, ids=lambda settings: "-".join(settings) or "default")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_adafactor_steps_as_the_incumbents_and_goes_on_from_its_state(settings: dict, dtype: torch.dtype) -> None:
    ours, their_model = Model().to(dtype), Model().to(dtype)
    made, expected = Adafactor(ours.parameters(), **settings), TheirAdafactor(their_model.parameters(), **settings)
    # In bfloat16 two orders of the same float32 sums may round a weight to its neighbours.
    near = {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 2e-2}
    torch.testing.assert_close(train(ours, made), train(their_model, expected), **near)
    file = io.BytesIO()
    torch.save(made.state_dict(), file)
    file.seek(0)
    again = Adafactor(ours.parameters(), **settings)
    again.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(train(ours, again), train(their_model, expected), **near)


def test_adafactors_schedule_shows_the_rates_that_it_takes() -> None:
    ours, their_model = Model(), Model()
    made, expected = Adafactor(ours.parameters()), TheirAdafactor(their_model.parameters())
    shown, their_shown = AdafactorSchedule(made, 0.5), TheirAdafactorSchedule(expected, 0.5)
    assert shown.get_lr() == their_shown.get_lr() == [0.5]
    train(ours, made)
    train(their_model, expected)
    assert float(shown.get_lr()[0]) == pytest.approx(float(their_shown.get_lr()[0]))
    assert type(get_adafactor_schedule(made)) is AdafactorSchedule


@pytest.mark.parametrize(
    "settings",
    [{"lr": 0.1}, {"relative_step": False}, {"lr": 0.1, "relative_step": False, "warmup_init": True}],
    ids=str,
)
def test_adafactor_refuses_settings_that_exclude_each_other(settings: dict) -> None:
    with pytest.raises(ValueError, match="relative_step"):
        Adafactor(Model().parameters(), **settings)


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every library of the table as an empty module with its classes, for the incumbent and for nabi."""
    for library in LIBRARIES.values():
        *above, _ = library.module.split(".")
        for module in [".".join(above[: end + 1]) for end in range(len(above))] + [library.module]:
            if not hasattr(sys.modules.get(module), "for_a_test"):
                made = types.ModuleType(module)
                made.for_a_test = True  # type: ignore[attr-defined]
                monkeypatch.setitem(sys.modules, module, made)
        setattr(sys.modules[library.module], library.cls, type(library.cls, (torch.optim.Optimizer,), {}))
    for check in vars(theirs):
        if check.startswith("is_") and check.endswith("_available"):
            monkeypatch.setattr(theirs, check, lambda *_: True)
    monkeypatch.setattr(theirs.importlib.metadata, "version", lambda _: "9.0")


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize("name", [str(name) for name in LIBRARIES])
def test_an_optimizer_of_a_library_is_called_as_the_incumbent_calls_it(name: str) -> None:
    model = Model()
    args, their_args = arguments(optim=name, optim_args=SAID.get(name), optim_target_modules=["attn"], warmup_steps=7)
    cls, settings = optimizer_class_and_settings(args, model)
    their_cls, expected = transformers.Trainer.get_optimizer_cls_and_kwargs(their_args, model)
    assert cls is their_cls
    groups, their_groups = settings.pop("params", []), expected.pop("params", [])
    assert settings == {name: value for name, value in expected.items() if value is not None}
    assert [{**one, "params": [id(p) for p in one["params"]]} for one in groups] == [
        {**one, "params": [id(p) for p in one["params"]]} for one in their_groups
    ]


def test_every_name_has_an_optimizer_or_says_what_to_take_instead() -> None:
    for name in OptimizerNames:
        if name.endswith("_layerwise"):
            with pytest.raises(ValueError, match=name.removesuffix("_layerwise")):
                make_optimizer(Model(), arguments(optim=name)[0])
        elif name in LIBRARIES:
            assert LIBRARIES[name].package
        else:
            assert name in [*IN_TORCH, "adamw_hf"]


def test_a_library_that_is_not_there_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lomo_optim", None)
    with pytest.raises(ImportError, match="pip install -U lomo-optim"):
        library_class(OptimizerNames.LOMO)


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"optim": "sgd", "optim_args": "momentun=0.9"}, TypeError, "takes no momentun"),
        ({"optim": "adamw_torch", "optim_args": "momentum=0.9"}, TypeError, "takes no momentum"),
        ({"optim": "sgd", "optim_args": "momentum"}, ValueError, "'momentum' is not of the form"),
        ({"optim": "sgd", "optim_args": "momentum=viel"}, ValueError, "momentum: .*viel"),
        ({"optim": "galore_adamw"}, ValueError, "needs optim_target_modules"),
        ({"optim": "galore_adamw", "optim_target_modules": ["어텐션"]}, ValueError, "어텐션.*fits no linear"),
        ({"optim": "adamw_anyprecision", "optim_args": "momentum_dtype=float99"}, ValueError, "float99"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_an_error_that_names_it(settings: dict, error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        make_optimizer(Model(), TrainingArguments("out", **settings))


@pytest.mark.usefixtures("libraries")
def test_an_optimizer_that_needs_the_model_says_so_when_it_gets_groups() -> None:
    with pytest.raises(ValueError, match="needs the model"):
        make_optimizer(decay_groups(Model(), 0.0), TrainingArguments("out", optim="lomo"))


def test_optim_args_are_names_and_values() -> None:
    assert parse_optim_args(" momentum = 0.9,nesterov=true, ") == {"momentum": "0.9", "nesterov": "true"}
    assert parse_optim_args(None) == parse_optim_args("") == {}
