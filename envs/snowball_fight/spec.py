"""What a snowball fight is made of: every constant of the game, in metres and seconds, as data.

The published card of Snowball Fight 1vs1 (Thomas Simonini, 2021) fixes the observations, the four action branches, the
two-second cool-down and the rewards. It is silent on the arena, on speeds, on health and on the length of an episode:
those values are ours, chosen by playing tournaments between scripted players.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

VERSION = 0


class Shelter(NamedTuple):
    """A round wall of snow that stops agents and snowballs.

    Attributes:
        x: Centre across the arena, metres.
        y: Centre along the arena, metres; the frontier is `y = 0`.
        radius: Metres.
    """

    x: float
    y: float
    radius: float


def _mirrored(*shelters: Shelter) -> tuple[Shelter, ...]:
    """Each shelter with its images under both mirrorings, each once, so that neither home has an advantage."""
    images = [
        Shelter(sign_x * x + 0.0, sign_y * y + 0.0, radius)
        for x, y, radius in shelters
        for sign_y in (-1, 1)
        for sign_x in (-1, 1)
    ]
    return tuple(dict.fromkeys(images))


_MAY_BE_ZERO = frozenset(
    {
        "version",
        "n_targets",
        "n_gliding_targets",
        "agent_speed",
        "turn_per_tick",
        "start_spread",
        "hit_reward",
        "target_reward",
        "target_speed",
        "ray_radius",
    }
)


@dataclass(frozen=True)
class ArenaSpec:
    """Every constant of the game. Lengths are metres, times seconds, angles degrees; "ticks" are physics steps.

    `cooldown_seconds` and `hit_reward` are from the published card; `ticks_per_decision`, `tick_seconds` and
    `max_ticks` are what Unity's own examples use. Everything else is ours.

    Attributes:
        version: Goes up when a change makes scores incomparable.
        team_size: Agents in a team. Team 0 lives at `y < 0`, team 1 at `y > 0`.
        n_teams: 2, or 1 for target practice.
        n_targets: Targets in the half of the missing team.
        n_gliding_targets: How many of the targets glide sideways; the others stand.
        half_width: From the middle to the side walls (x).
        half_length: From the frontier to the back walls (y), which is the depth of a home.
        shelters: Symmetric under both mirrorings.
        agent_radius: An agent is a disc.
        agent_speed: The fastest an agent goes, in every direction.
        grip: Share of the difference to the wanted velocity that a tick makes up.
        turn_per_tick: How far an agent turns in a tick, in headings of half a degree.
        start_spread: How far an agent's first heading may lie off the straight line to the frontier, degrees.
        snowball_radius: A snowball is a disc.
        snowball_speed: It flies straight and does not slow down.
        flight_seconds: After which a snowball melts in the air.
        cooldown_seconds: From one throw to the next.
        hits_to_fall: Hits after which an agent falls; health is the share that is left.
        hit_reward: For the shooter.
        target_reward: For hitting a target.
        target_radius: A target is a disc.
        target_speed: Of gliding targets.
        ray_length: How far rays reach.
        ray_radius: How much wider than they are rays see agents, targets and snowballs, so that none slips through
            between two rays at usual distances. Shelters and walls are seen as they are.
        tick_seconds: A physics step.
        ticks_per_decision: Physics steps for which an action is held.
        max_ticks: Time limit of an episode.

    Raises:
        ValueError: If the constants make no fair game; the sentence says which and why.
    """

    version: int = VERSION
    team_size: int = 1
    n_teams: int = 2
    n_targets: int = 0
    n_gliding_targets: int = 0
    half_width: float = 6.0
    half_length: float = 6.0
    shelters: tuple[Shelter, ...] = _mirrored(Shelter(3.4, 2.2, 0.7), Shelter(0.0, 3.6, 0.7))
    agent_radius: float = 0.5
    agent_speed: float = 3.5
    grip: float = 0.2
    turn_per_tick: int = 3
    start_spread: int = 60
    snowball_radius: float = 0.25
    snowball_speed: float = 14.0
    flight_seconds: float = 1.8
    cooldown_seconds: float = 2.0
    hits_to_fall: int = 3
    hit_reward: float = 0.1
    target_reward: float = 1.0
    target_radius: float = 0.5
    target_speed: float = 1.5
    ray_length: float = 16.0
    ray_radius: float = 0.5
    tick_seconds: float = 0.02
    ticks_per_decision: int = 5
    max_ticks: int = 3000

    def __post_init__(self) -> None:
        """Refuses constants that make no fair game."""
        for sentence in self._odd_numbers() or self._faults():
            raise ValueError(sentence)

    @property
    def n_agents(self) -> int:
        """Agents in an arena; agent `a` belongs to team `a // team_size`."""
        return self.n_teams * self.team_size

    @property
    def cooldown_ticks(self) -> int:
        """Ticks from one throw to the next."""
        return round(self.cooldown_seconds / self.tick_seconds)

    @property
    def flight_ticks(self) -> int:
        """Ticks that a snowball flies at most."""
        return round(self.flight_seconds / self.tick_seconds)

    @property
    def max_decisions(self) -> int:
        """Steps of an episode that reaches the time limit."""
        return -(-self.max_ticks // self.ticks_per_decision)

    @property
    def decision_seconds(self) -> float:
        """Seconds of the game that a step takes."""
        return self.ticks_per_decision * self.tick_seconds

    def _odd_numbers(self) -> list[str]:
        """Which constants are no such numbers as a game can have, in sentences."""
        faults = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "shelters":
                continue
            kinds, kind = ((int,), "a whole number") if field.type is int else ((int, float), "a number")
            least = "0 or more" if field.name in _MAY_BE_ZERO else "above 0"
            fits = isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)
            if not fits or value < 0 or (value == 0 and field.name not in _MAY_BE_ZERO):
                faults.append(f"{field.name} is {kind}, {least}, not {value!r}.")
        return faults

    def _faults(self) -> list[str]:
        """What is wrong with the constants, in sentences."""
        faults = []
        if self.n_teams not in (1, 2) or self.team_size < 1 or (self.n_teams == 1) != (self.n_targets > 0):
            faults.append(
                "An arena has two teams and no targets, or one team and targets; a team has an agent or more."
            )
        if self.flight_ticks >= self.cooldown_ticks:
            faults.append(
                f"A snowball flies {self.flight_ticks} ticks, and the next can be thrown after {self.cooldown_ticks}: "
                "an agent has one snowball at most, so the flight must be shorter than the cool-down."
            )
        smallest = min((self.agent_radius, *(shelter.radius for shelter in self.shelters)))
        if self.snowball_speed * self.tick_seconds > self.snowball_radius + smallest:
            faults.append("A snowball would jump over an agent or a shelter within a tick: make it slower or larger.")
        if set(self.shelters) != set(_mirrored(*self.shelters)):
            faults.append("The shelters are not symmetric under both mirrorings, so one home would be the better one.")
        if min(self._gaps(), default=math.inf) < 2 * self.agent_radius:
            faults.append(
                "Two shelters, or a shelter and a wall or the frontier, are closer than an agent is wide: an agent "
                "pushed out of the one would stand in the other."
            )
        if not 0 < self.grip <= 1:
            faults.append("The grip is a share, above 0 and at most 1.")
        return faults

    def _gaps(self) -> list[float]:
        """Free widths beside shelters, metres."""
        gaps = []
        for i, (x, y, radius) in enumerate(self.shelters):
            gaps += [self.half_width - abs(x) - radius, self.half_length - abs(y) - radius, abs(y) - radius]
            gaps += [math.hypot(x - ox, y - oy) - radius - other for ox, oy, other in self.shelters[:i]]
        return gaps


ONE_VS_ONE = ArenaSpec()
TWO_VS_TWO = replace(ONE_VS_ONE, team_size=2)
TARGET_PRACTICE = replace(ONE_VS_ONE, n_teams=1, n_targets=3, n_gliding_targets=1)
