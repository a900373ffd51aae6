"""Makes `FastDQN` the `dqn` of the Zoo's registry, by being imported.

`python -m rl_zoo3.train --algo dqn --gym-packages rl_units.dqn.zoo ...` trains with it, and so do the Zoo's other
programs. What it saves is loaded by SB3's DQN as well.
"""

from rl_zoo3.utils import ALGOS

from rl_units.dqn.algorithm import FastDQN

ALGOS["dqn"] = FastDQN
