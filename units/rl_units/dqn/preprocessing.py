"""The usual preprocessing of Atari games in one wrapper that leaves unseen frames undrawn and whose state can be saved.

It gives what SB3's `AtariWrapper` gives, to the bit, and draws the same random numbers. A game is saved as how it began
and what was pressed since, and comes back by being played again: the emulator's copy of its state lacks parts of the
picture chip, and Q*bert, for one, goes on differently from it. A reset sets these parts anew, so all that is taken from
a copy is the little that outlasts a reset.
"""

import re
import struct
import time
import zlib
from typing import Any

import ale_py
import cv2
import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor

Picture = NDArray[np.uint8]
State = dict[str, Any]
Outcome = tuple[Picture, Any, bool, bool, State]

_NOOP, _FIRE, _UP = 0, 1, 2
# What SB3's, Gymnasium's and the Zoo's wrappers remember; by name, because the Zoo puts its own time limit in the place
# of Gymnasium's. The checker looks at the first calls only.
_TIME_LIMIT = {"_elapsed_steps": int}
_REMEMBERED: dict[str, dict[str, Any]] = {
    "TimeLimit": _TIME_LIMIT,
    "PatchedTimeLimit": _TIME_LIMIT,
    "OrderEnforcing": {"_has_reset": bool},
    "PassiveEnvChecker": dict.fromkeys(("checked_reset", "checked_step", "checked_data_reuse"), lambda _: True),
    "Monitor": {"rewards": float, "needs_reset": bool, "total_steps": int}
    | {"episode_returns": float, "episode_lengths": int, "episode_times": float},
}
# In the emulator's copy: where memory, of the machine or a cartridge, begins; and random generators, as text.
_MEMORY = re.compile(rb"(?:M6532|Cartridge..SC.{4})\x80\0\0\0", re.DOTALL)
_GENERATOR = re.compile(rb"....(\d+(?: \d+){99,})", re.DOTALL)


class AtariPreprocessing(gym.Wrapper[Picture, int, Any, Any]):
    """No-ops, skipped frames, lives as episodes, FIRE to begin, small grey pictures, rewards as signs.

    The environment is stepped frame by frame, so a `Monitor` inside counts frames and true rewards of full games.

    Args:
        env: An Atari game without frame skip, with RGB pictures.
        noop_max: Most no-ops at the beginning of a game; 0 for none.
        frame_skip: Frames for which an action is held; the brighter of the last two is seen.
        screen_size: Height and width of observations.
        terminal_on_life_loss: Whether a lost life ends an episode; the next one goes on with the game.
        clip_reward: Whether rewards become their sign.
        action_repeat_probability: As in SB3; only 0 is supported.

    Raises:
        ValueError: If actions shall be sticky, or the environment is no such game.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        noop_max: int = 30,
        frame_skip: int = 4,
        screen_size: int = 84,
        terminal_on_life_loss: bool = True,
        clip_reward: bool = True,
        action_repeat_probability: float = 0.0,
    ) -> None:
        super().__init__(env)
        if action_repeat_probability != 0.0:
            raise ValueError("Sticky actions are not supported: action_repeat_probability has to be 0.")
        game: Any = env.unwrapped
        if not isinstance(game, ale_py.AtariEnv) or not isinstance(game._frameskip, int) or game._obs_type != "rgb":
            raise ValueError(f"{env} is no Atari game with RGB pictures and a constant frame skip.")
        self.observation_space = gym.spaces.Box(0, 255, (screen_size, screen_size, 1), np.uint8)
        self._noop_max, self._frame_skip, self._size = noop_max, max(frame_skip, 1), (screen_size, screen_size)
        self._game, self._by_life, self._clips = game, terminal_on_life_loss, clip_reward
        self._wrappers: list[Any] = []
        while isinstance(env, gym.Wrapper):
            self._wrappers.append(env)
            env = env.env
        self.can_be_saved = all(
            type(wrapper).__name__ in _REMEMBERED and not getattr(wrapper, "reset_keywords", ())
            for wrapper in self._wrappers
        )
        self._before, self._pressed = b"", bytearray()
        self._last_two: list[Any] = [np.zeros((*game.ale.getScreenDims(), 3), np.uint8)] * 2
        self._lives, self._is_over = 0, True

    def reset(self, *, seed: int | None = None, options: State | None = None) -> tuple[Picture, State]:
        """Starts a game, or the next life of one; see `gymnasium.Env.reset`."""
        picture, info = self._begin(seed, options)
        if "FIRE" in self._game.get_action_meanings():
            info = {}
            for action in (_FIRE, _UP):
                picture, _, terminated, truncated, _ = self._play(action)
                if terminated or truncated:
                    self._begin(seed, options)  # SB3, too, shows the picture from before
        return self._shrink(picture), info

    def step(self, action: int) -> Outcome:
        """Holds an action for some frames; see `gymnasium.Env.step`."""
        picture, reward, terminated, truncated, info = self._play(action)
        return self._shrink(picture), np.sign(reward) if self._clips else reward, terminated, truncated, info

    def get_state(self) -> State:
        """All that a new environment needs to go on from here to the bit, except for `np_random`.

        Raises:
            TypeError: If `can_be_saved` is false, because the state of a wrapper inside is not known.
        """
        if not self.can_be_saved:
            raise TypeError(f"{self.env} has a wrapper whose state is not known, so it cannot be saved.")
        return {
            "made": f"{self._game._game} with a frame skip of {self._frame_skip}",
            "before": _lasting(self._before or self._copy()),
            "was_reset": bool(self._before),
            "pressed": np.frombuffer(bytes(self._pressed), np.uint8),
            "checksum": zlib.crc32(self._copy()),
            "last_two": np.stack(self._last_two),
            "lives": self._lives,
            "is_over": self._is_over,
            "wrappers": {f"{i} {type(part).__name__}": _remembered(part) for i, part in enumerate(self._wrappers)},
        }

    def set_state(self, state: State) -> None:
        """Goes on from what `get_state` gave, in an environment that was made in the same way.

        Names, types, shapes and what the emulator would take without looking are checked first; whether it is the same
        game shows when it has been played. A forged state can hold any picture, return or memory of the machine.

        Raises:
            TypeError: As for `get_state`.
            ValueError: If the state is damaged or of another environment. This one has to be reset then.
        """
        if _form(state) != _form(self.get_state()) or max(state["pressed"], default=0) >= self._game.action_space.n:
            raise ValueError("The state is damaged, or of another game, frame skip or wrapping.")
        game, pressed = self._game, state["pressed"].tolist()
        first, second = state["last_two"].copy()
        before = _with_lasting(self._copy(), state["before"])
        game.ale.restoreState(ale_py.ALEState(before))
        if state["was_reset"]:
            game.ale.reset_game()
        for action in np.repeat(pressed, game._frameskip).tolist():
            game.ale.act(game._action_set[action], 1.0)
        if zlib.crc32(self._copy()) != state["checksum"]:
            raise ValueError("The game came out differently: the state is damaged, or of another version of ale-py.")
        self._before, self._pressed = before if state["was_reset"] else b"", bytearray(pressed)
        self._last_two, self._lives, self._is_over = [first, second], state["lives"], state["is_over"]
        for wrapper, remembered in zip(self._wrappers, state["wrappers"].values(), strict=True):
            for name, value in remembered.items():
                setattr(wrapper, name, value.tolist() if isinstance(value, np.ndarray) else value)
            if isinstance(wrapper, Monitor):
                wrapper.t_start = time.time() - max(wrapper.episode_times, default=0.0)

    def _begin(self, seed: int | None, options: State | None) -> tuple[Picture, State]:
        is_over = self._is_over
        if not is_over:
            picture, _, terminated, truncated, info = self._hold(_NOOP)
            is_over = terminated or truncated
        if is_over:
            picture, info = self._begin_game(seed, options)
            for _ in range(self._game.np_random.integers(1, self._noop_max + 1) if self._noop_max > 0 else 0):
                picture, _, terminated, truncated, info = self._frame(_NOOP)
                if terminated or truncated:
                    picture, info = self._begin_game(seed, options)
        self._lives = self._game.ale.lives()
        return picture, info

    def _begin_game(self, seed: int | None, options: State | None) -> tuple[Picture, State]:
        if seed is not None:  # as the reset does once more, which then loads the game
            self._game.seed_game(seed)
            self._game.load_game()
        self._before, self._pressed = self._copy(), bytearray()
        return self.env.reset(seed=seed, options=options)

    def _play(self, action: int) -> Outcome:
        picture, reward, terminated, truncated, info = self._hold(action)
        if self._by_life:
            self._is_over = terminated or truncated
            lives, self._lives = self._lives, self._game.ale.lives()
            terminated = terminated or 0 < self._lives < lives  # some games go on for a moment without a life
        return picture, reward, terminated, truncated, info

    def _hold(self, action: int) -> Outcome:
        total = 0.0
        for left in range(self._frame_skip, 0, -1):
            picture, reward, terminated, truncated, info = self._frame(action, is_seen=left <= 2)
            if left <= 2:
                self._last_two[-left] = picture
            total += float(reward)
            if terminated or truncated:
                break
        return np.maximum(*self._last_two), total, terminated, truncated, info

    def _frame(self, action: int, *, is_seen: bool = True) -> Outcome:
        # Memory is got sooner than a picture. The checker looks at the first two, an unknown wrapper perhaps at each.
        checked = (getattr(wrapper, "checked_data_reuse", True) for wrapper in self._wrappers)
        self._game._obs_type = "rgb" if is_seen or not self.can_be_saved or not all(checked) else "ram"
        try:
            outcome = self.env.step(action)
        finally:
            self._game._obs_type = "rgb"
        self._pressed.append(action)
        return outcome

    def _shrink(self, picture: Picture) -> Any:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return cv2.resize(grey, self._size, interpolation=cv2.INTER_AREA)[:, :, None]

    def _copy(self) -> bytes:
        return bytes(self._game.ale.cloneState(include_rng=True).serialize())


def _lasting(copy: bytes) -> State:
    memories = [np.frombuffer(copy, "<u4", 128, at.end()) for at in _MEMORY.finditer(copy)]
    return {
        "frame_number": struct.unpack_from("<i", copy, 8)[0],
        "memories": np.array(memories, np.uint8),
        "generators": np.array([text.split() for text in _GENERATOR.findall(copy)]).astype(np.uint32),
    }


def _with_lasting(copy: bytes, lasting: State) -> bytes:
    """Puts this into a copy from the emulator itself, which believes all that it reads."""
    number, generators = lasting["frame_number"], lasting["generators"]
    # The last number of a generator is its place among the 624 before.
    if not 0 <= number < 2**31 or len(generators) != 2 or (generators[:, 624:] > 624).any():
        raise ValueError("No emulator has such generators or so many frames.")
    changed = bytearray(copy)
    struct.pack_into("<i", changed, 8, number)
    for at, memory in zip(_MEMORY.finditer(copy), lasting["memories"], strict=True):
        changed[at.end() : at.end() + 4 * 128] = memory.astype("<u4").tobytes()
    texts = iter([" ".join(map(str, numbers)).encode() for numbers in generators.tolist()])
    whole = _GENERATOR.sub(lambda _: struct.pack("<i", len(text := next(texts))) + text, bytes(changed))
    return whole[:24] + struct.pack("<i", len(whole) - 36) + whole[28:]  # the length of all but the head and the tail


def _remembered(wrapper: Any) -> State:
    kinds = _REMEMBERED[type(wrapper).__name__].items()
    values = ((name, kind, getattr(wrapper, name)) for name, kind in kinds)
    return {
        name: np.array(value, kind) if isinstance(value, list) else kind(value or 0) for name, kind, value in values
    }


def _form(value: Any) -> Any:
    """Names, types and shapes in a state."""
    if isinstance(value, dict):
        return {key: _form(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        return value.dtype, value.ndim, value.shape[1:]
    return value if isinstance(value, str) else type(value)
