"""One layer of a stack: roles, sizes, a wiring."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from torch import Tensor, nn

from . import attention, positions
from .context import Context
from .hooks import heard, in_a_tuple, roles_within
from .mlp import activation_function, plain
from .roles import RoleModule, Room

Wiring = Callable[["Block", Tensor, Context], Tensor]


class Block(RoleModule):
    """A layer, as a family describes it: where its weights stand, and the few choices it makes.

        x ──► wiring ─────────────────────────────────────────────► x        (batch, length, hidden)
                │ q k v ─► heads ─► rotary ─► cache ─► softmax ─► o         self attention
                │ cross_q ─► heads ─► softmax over the memory ─► cross_o    where the block `crosses`
                │ up (, gate) ─► activation ─► down                         mlp
                └ norm_attn, norm_cross, norm_mlp: where the wiring says

    A subclass places its roles with `At` and picks functions for wiring, project, place, mix, project_memory, feed.
    """

    wiring: ClassVar[Wiring]
    project = attention.separate
    place = positions.by_rotation
    mix = attention.mix
    project_memory = attention.separate_memory
    feed: ClassVar[Callable[[Block, Tensor, Context], Tensor]] = plain
    of_heads: ClassVar[tuple[str, ...]] = ("q", "k", "v")  # the roles that a head takes with it when it is pruned
    hooks_see_tuples: ClassVar[bool] = True  # whether a layer of this family gave a tuple in version 4

    q: Any = None
    k: Any = None
    v: Any = None
    qkv: Any = None
    o: Any = None
    norm_attn: Any = None
    norm_attn_out: Any = None
    head_norm_q: Any = None
    head_norm_k: Any = None
    cross_q: Any = None
    cross_k: Any = None
    cross_v: Any = None
    cross_o: Any = None
    norm_cross: Any = None
    up: Any = None
    gate: Any = None
    down: Any = None
    norm_mlp: Any = None
    norm_mlp_out: Any = None

    def __init__(
        self,
        *,
        index: int,
        hidden_size: int,
        heads: int,
        inner_size: int,
        norm: Callable[[], nn.Module],
        activation: str,
        kv_heads: int | None = None,
        head_size: int | None = None,
        scale: float | None = None,
        window: int | None = None,
        attention_bias: bool = True,
        output_bias: bool = True,
        mlp_bias: bool = True,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        inner_dropout: float = 0.0,
        crosses: bool = False,
        linear: Callable[..., nn.Module] = nn.Linear,
    ) -> None:
        super().__init__()
        if head_size is None and hidden_size % heads:
            raise ValueError(f"hidden size {hidden_size} of the config is not a multiple of its {heads} heads")
        self.index = index
        self.head_size = head_size or hidden_size // heads
        self.scale = self.head_size**-0.5 if scale is None else scale
        self.window = window  # how many of the last positions it sees; None: all of them
        self.crosses = crosses
        self.activation = activation_function(activation)
        self.attention_dropout = attention_dropout
        inside, inside_kv = heads * self.head_size, (kv_heads or heads) * self.head_size
        sizes = {
            "q": (hidden_size, inside, attention_bias),
            "k": (hidden_size, inside_kv, attention_bias),
            "v": (hidden_size, inside_kv, attention_bias),
            "qkv": (hidden_size, inside + 2 * inside_kv, attention_bias),
            "o": (inside, hidden_size, output_bias),
            "cross_q": (hidden_size, inside, attention_bias),
            "cross_k": (hidden_size, inside_kv, attention_bias),
            "cross_v": (hidden_size, inside_kv, attention_bias),
            "cross_o": (inside, hidden_size, output_bias),
            "up": (hidden_size, inner_size, mlp_bias),
            "gate": (hidden_size, inner_size, mlp_bias),
            "down": (inner_size, hidden_size, mlp_bias),
        }
        for role in self.roles():
            if "cross" in role and not crosses:
                continue
            if role in sizes:
                fan_in, fan_out, bias = sizes[role]
                setattr(self, role, linear(fan_in, fan_out, bias=bias))
            elif role.startswith("norm_"):
                setattr(self, role, norm())
        self.dropout = nn.Dropout(dropout)
        self.inner_dropout = nn.Dropout(inner_dropout)
        for path, room in self.named_modules():
            if isinstance(room, Room):
                room.in_layer = bool(roles_within(self, path))

    def score_bias(self, q: Tensor, k: Tensor, context: Context) -> Tensor | None:
        """What a family adds to the attention scores, (batch or 1, heads or 1, queries, keys)."""
        return None

    def register_forward_hook(self, hook: Callable[..., Any], **options: Any) -> Any:  # type: ignore[override]
        """torch's; the hook sees (vectors,) where layers of this family gave a tuple in version 4."""
        return super().register_forward_hook(in_a_tuple(hook) if self.hooks_see_tuples else hook, **options)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        if context.memory is not None and not self.crosses:
            raise ValueError(
                "encoder_hidden_states were given, but the model has no cross attention (add_cross_attention=False in "
                "its config): make it with add_cross_attention=True"
            )
        if Room.hooked:
            with heard(self):
                return self.wiring(x, context)
        return self.wiring(x, context)


class ConfigBlock(Block):
    """A block whose sizes stand in the config, under the names that most families share; `options` are what differs.

    A family with other names for them says so in its config's `aliases`.
    """

    keys: ClassVar[dict[str, str]] = {
        "hidden_size": "hidden_size",
        "heads": "num_attention_heads",
        "inner_size": "intermediate_size",
        "activation": "hidden_act",
        "dropout": "hidden_dropout_prob",
        "attention_dropout": "attention_probs_dropout_prob",
    }
    norm_class: ClassVar[Any] = nn.LayerNorm  # (size, eps) -> module

    def __init__(self, config: Any, index: int = 0, **options: Any) -> None:
        usual = {name: getattr(config, key) for name, key in self.keys.items() if name not in options}
        if "norm" not in options:
            usual["norm"] = partial(self.norm_class, config.hidden_size, config.layer_norm_eps)
        crosses = config.add_cross_attention and "cross_q" in self.roles()
        super().__init__(index=index, **{"crosses": crosses, **usual, **options})
