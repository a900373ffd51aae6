"""The game as PettingZoo knows environments, for one against one and two against two.

A module a kind of game, in PettingZoo's manner: `fight_1vs1.parallel_env()` steps all agents at once,
`fight_1vs1.env()` one after the other. Importing this package registers both kinds with PettingZoo, too:
`pettingzoo.make("parallel", "snowball_fight_2vs2_v0")`.
"""

import pettingzoo

for _kind in ("fight_1vs1", "fight_2vs2"):
    pettingzoo.register("aec", f"snowball_{_kind}_v0", f"{__name__}.{_kind}:env")
    pettingzoo.register("parallel", f"snowball_{_kind}_v0", f"{__name__}.{_kind}:parallel_env")
